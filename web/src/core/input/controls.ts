/**
 * What a person has set for keys and devices, as the browser keeps it. Reading is forgiving: what
 * cannot be used is left out, and the rest holds.
 */

import { COMMANDS, LEFT_HAND, RIGHT_HAND, TWO_HANDS, type Command, type Keys } from "./keyboard";
import { DIRECT, feelFrom, UNREADABLE, type Feel, type Gear } from "./feel";
import { LEVER, PARTS, STICK, type Curve, type Mapping, type Part, type Source } from "./mapping";

export const LAYOUTS = { "two-hands": TWO_HANDS, left: LEFT_HAND, right: RIGHT_HAND } as const;
export type Layout = keyof typeof LAYOUTS;

export interface Controls {
  readonly keys: Keys;
  /** By the id of the device. */
  readonly pads: ReadonlyMap<string, Mapping>;
  readonly feel: Feel;
}

export const DEFAULTS: Controls = { keys: TWO_HANDS, pads: new Map(), feel: DIRECT };

/** Nobody has more; what is kept must not grow without end. */
const MAX_PADS = 20;
const MAX_KEYS = 40;
/** Longest names of devices and keys that are kept. */
const MAX_TEXT = 200;
/** Longest text that is read at all. */
const MAX_LENGTH = 64 * 1024;
/** Highest number of an axis or button. */
const MAX_INDEX = 127;

/** With another mapping for this device; `null`: with none, so that the browser's own holds. */
export function withMapping(controls: Controls, id: string, mapping: Mapping | null): Controls {
  const pads = new Map(controls.pads);
  pads.delete(id);
  if (mapping !== null && id.length <= MAX_TEXT) pads.set(id, mapping);
  return { ...controls, pads: new Map([...pads].slice(-MAX_PADS)) };
}

export function withGear(controls: Controls, gear: Gear): Controls {
  return { ...controls, feel: { ...controls.feel, gear } };
}

/** The other way round. */
export function inverted(mapping: Mapping, way: "steering" | "throttle"): Mapping {
  const { left, right, forward, backward } = mapping;
  return way === "steering"
    ? { ...mapping, left: right, right: left }
    : { ...mapping, forward: backward, backward: forward };
}

/** The layout that these keys are; `null` if somebody has changed one. */
export function layoutOf(keys: Keys): Layout | null {
  const text = (of: Keys) => JSON.stringify(Object.entries(of).sort());
  const found = Object.entries(LAYOUTS).find(([, layout]) => text(layout) === text(keys));
  return (found?.[0] as Layout | undefined) ?? null;
}

/** Names of keys in a language. */
export interface KeyNames extends Readonly<Record<string, unknown>> {
  readonly left: (key: string) => string;
  readonly right: (key: string) => string;
  readonly Numpad: string;
}

/** What is written on a key at this place, as far as a place tells. */
export function keyWords(place: string, names: KeyNames): string {
  if (Object.hasOwn(ARROWS, place)) return ARROWS[place] ?? place;
  const named = (key: string) => {
    const name = Object.hasOwn(names, key) ? names[key] : null;
    return typeof name === "string" ? name : key;
  };
  if (named(place) !== place) return named(place);
  const [, sided, side] = /^(\w+)(Left|Right)$/u.exec(place) ?? [];
  if (sided !== undefined) return (side === "Left" ? names.left : names.right)(named(sided));
  const [, padded] = /^Numpad(.+)$/u.exec(place) ?? [];
  if (padded !== undefined) return `${names.Numpad} ${named(padded)}`;
  return named(place.replace(/^(Key|Digit)(?=.$)/u, ""));
}

const ARROWS: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

export function formatControls({ keys, pads, feel }: Controls): string {
  return JSON.stringify({ keys, pads: [...pads].slice(-MAX_PADS), feel });
}

export function parseControls(text: string | null): Controls {
  if (text === null) return DEFAULTS;
  const unreadable = { ...DEFAULTS, feel: UNREADABLE };
  if (text.length > MAX_LENGTH) return unreadable;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable;
  }
  if (!isRecord(value)) return unreadable;
  return {
    keys: keysOf(value["keys"]) ?? TWO_HANDS,
    pads: padsOf(value["pads"]),
    feel: feelFrom(value["feel"]),
  };
}

/**
 * The keys with one more for `command`. A key means one thing, so it loses its other meaning;
 * `null` if then nothing would steer, drive or brake.
 */
export function withKey(keys: Keys, command: Command, place: string): Keys | null {
  const others = Object.entries(keys).filter(([other]) => other !== place);
  const changed = Object.fromEntries([...others.slice(0, MAX_KEYS - 1), [place, command]]);
  return isComplete(changed) ? changed : null;
}

/** The keys with only this one for `command`. */
export function onlyKey(keys: Keys, command: Command, place: string): Keys | null {
  const others = Object.entries(keys).filter(([, of]) => of !== command);
  return withKey(Object.fromEntries(others), command, place);
}

/** Keys of the page itself, and those that the browser or the system takes. */
const RESERVED = /^(Escape|Tab|F\d+|Meta|OS|Control|Alt|CapsLock|Fn|Unidentified|Process|Dead|$)/u;

export function mayBeKey(place: string): boolean {
  return place.length <= MAX_TEXT && !RESERVED.test(place);
}

/** A page without keys to arm or steer may drive by other devices, but something has to brake. */
function isComplete(keys: Keys): boolean {
  return COMMANDS.every((command) => Object.values(keys).includes(command));
}

function keysOf(value: unknown): Keys | null {
  if (!isRecord(value)) return null;
  const entries = Object.entries(value)
    .filter((entry): entry is [string, Command] => COMMANDS.some((known) => known === entry[1]))
    .filter(([place]) => mayBeKey(place))
    .slice(0, MAX_KEYS);
  const keys = Object.fromEntries(entries);
  return isComplete(keys) ? keys : null;
}

function padsOf(value: unknown): ReadonlyMap<string, Mapping> {
  const pads = new Map<string, Mapping>();
  if (!Array.isArray(value)) return pads;
  for (const entry of (value as unknown[]).slice(-MAX_PADS)) {
    if (!Array.isArray(entry)) continue;
    const [id, stored] = entry as unknown[];
    const mapping = mappingFrom(stored);
    if (typeof id === "string" && id.length <= MAX_TEXT && mapping !== null) pads.set(id, mapping);
  }
  return pads;
}

/** `null` if it is no mapping, or would neither steer nor drive. */
function mappingFrom(value: unknown): Mapping | null {
  if (!isRecord(value)) return null;
  const parts = Object.fromEntries(PARTS.map((part) => [part, sourceFrom(value[part])])) as Record<
    Part,
    Source | null
  >;
  if (!parts.left && !parts.right && !parts.forward && !parts.backward) return null;
  return {
    ...parts,
    wheel: value["wheel"] === true,
    steering: curveFrom(value["steering"], STICK),
    throttle: curveFrom(value["throttle"], LEVER),
  };
}

function sourceFrom(value: unknown): Source | null {
  if (!isRecord(value)) return null;
  const { kind, index, from, to } = value;
  if (!isNumber(index, 0, MAX_INDEX) || !Number.isInteger(index)) return null;
  if (kind === "button") return { kind, index };
  if (kind !== "axis" || !isNumber(from, -1, 1) || !isNumber(to, -1, 1)) return null;
  return Math.abs(to - from) < MIN_WAY ? null : { kind, index, from, to };
}

/** A control with a shorter way cannot be told from noise. */
export const MIN_WAY = 0.25;

function curveFrom(value: unknown, otherwise: Curve): Curve {
  if (!isRecord(value)) return otherwise;
  const { deadZone, expo, range } = value;
  return {
    deadZone: isNumber(deadZone, 0, 0.5) ? deadZone : otherwise.deadZone,
    expo: isNumber(expo, 0, 1) ? expo : otherwise.expo,
    range: isNumber(range, 0.1, 1) ? range : otherwise.range,
  };
}

function isNumber(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
