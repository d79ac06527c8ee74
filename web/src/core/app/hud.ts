/** What the cockpit displays. */

import type { Device } from "../input/mixer";
import type { Phase } from "../link/session";
import type { SignalingState } from "../link/host";
import type { Path } from "../link/stats";
import {
  BATTERY_LEVELS,
  DRIVE_STATES,
  LIMIT_CAUSES,
  type BatteryLevel,
  type DriveState,
  type InputSource,
  type LimitCause,
  type StopReason,
} from "../../protocol/state";
import type { Switches } from "../../protocol/telemetry";
import { isKnown, type Open } from "../../protocol/words";
import type { Banner } from "./banner";
import { rungsOf, type Rung } from "./rungs";
import type { Vital } from "./vitals";
import { figure, t } from "../../words/words";
import { plain, reasonWords, stateWords } from "./messages";

export interface BatteryFigure {
  /** `null` while the sensor says nothing. */
  readonly volts: number | null;
  /** `null` if the car does not watch its battery. */
  readonly level: Open<BatteryLevel> | null;
}

export interface LimitFigure {
  /** Share of the throttle that is left, in steps of ten: it changes with every frame. */
  readonly percent: number;
  readonly cause: Open<LimitCause>;
}

export interface Hud {
  readonly carName: string;
  readonly phase: Phase["name"];
  readonly host: SignalingState["phase"];
  readonly banner: Banner | null;
  /** `null` before the first telemetry. */
  readonly state: Open<DriveState> | null;
  readonly reason: Open<StopReason>;
  /**
   * The car has not been heard for a while, or cannot be: its state and all figures are old.
   */
  readonly silent: boolean;
  /** Why the car last stopped, in words; `null` once it was armed again. */
  readonly lastStop: string | null;
  readonly armWanted: boolean;
  readonly source: InputSource;
  /** What drives, or would drive if the car were armed. */
  readonly device: Device;
  readonly ageMs: number | null;
  readonly rttMs: number | null;
  readonly bitrateKbps: number | null;
  readonly fps: number | null;
  readonly path: Path | null;
  /** The parts of the connection, from the page to the car. */
  readonly rungs: readonly Rung[];
  /** What the wheels do, −1…1. */
  readonly steering: number;
  readonly throttle: number;
  /** What the driver asks for, −1…1. */
  readonly wantedSteering: number;
  readonly wantedThrottle: number;
  readonly braking: boolean;
  readonly speedKmh: number | null;
  /** `null` if the car does not measure it. */
  readonly battery: BatteryFigure | null;
  /** Lights and horn that the car has. */
  readonly switches: Switches;
  /** `null` if the driver has the whole throttle. */
  readonly limit: LimitFigure | null;
  /** How the car's computer is, and where the car is. */
  readonly vitals: readonly Vital[];
  /** The picture is not live, or the car is not heard. */
  readonly frozen: boolean;
}

export const emptyHud: Hud = {
  carName: "",
  phase: "waiting-host",
  host: "connecting",
  banner: null,
  state: null,
  reason: "none",
  silent: false,
  lastStop: null,
  armWanted: false,
  source: "none",
  device: { source: "none", name: null },
  ageMs: null,
  rttMs: null,
  bitrateKbps: null,
  fps: null,
  path: null,
  rungs: rungsOf("connecting", "waiting-host", null),
  steering: 0,
  throttle: 0,
  wantedSteering: 0,
  wantedThrottle: 0,
  braking: false,
  speedKmh: null,
  battery: null,
  switches: { lights: null, horn: null },
  limit: null,
  vitals: [],
  frozen: true,
};

/** Whether two displays look the same, so that nothing has to be drawn. */
export function sameHud(a: Hud, b: Hud): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export type Alarm = "calm" | "warn" | "bad";

/**
 * Amber beyond 150 ms, where drivers begin to weave; red beyond 250 ms, where they should crawl
 * (arXiv 2603.06850).
 */
export function ageAlarm(ms: number | null): Alarm {
  return ms === null || ms <= 150 ? "calm" : ms <= 250 ? "warn" : "bad";
}

/**
 * Half of a round trip is the way to the car: 75 and 150 ms, about half of the picture's limits.
 */
export function rttAlarm(ms: number | null): Alarm {
  return ms === null || ms <= 150 ? "calm" : ms <= 300 ? "warn" : "bad";
}

/** The battery in a few words, and how strongly the display marks it. */
export function batteryParts({ volts, level }: BatteryFigure): { text: string; alarm: Alarm } {
  const known = level === null || isKnown(BATTERY_LEVELS, level);
  const { battery, batteryAlone } = t().drive;
  const words = known ? battery[level ?? "good"] : plain(level);
  const first = volts === null ? batteryAlone : `${figure(volts, 1)} V`;
  const both = volts === null ? `${first} ${words}` : `${first} · ${words}`;
  return {
    text: words === "" ? first : both,
    alarm: known ? BATTERY_ALARMS[level ?? "good"] : "warn",
  };
}

const BATTERY_ALARMS: Readonly<Record<BatteryLevel, Alarm>> = {
  unknown: "warn",
  good: "calm",
  low: "warn",
  limited: "bad",
  empty: "bad",
};

/** The drive's state in a few words, and why the wheels do not, or did not, follow. */
export function stateParts({
  state,
  reason,
  phase,
  armWanted,
  silent,
  lastStop,
  limit,
}: Hud): [state: string, why?: string] {
  const before: [] | [string] = lastStop === null ? [] : [t().drive.lastStop(lastStop)];
  if (silent) return [t().drive.noAnswer, ...before];
  if (state === null)
    return [phase === "connected" ? t().drive.waitingForCar : t().drive.notConnected, ...before];
  if (state === "armed" && limit !== null) return [stateWords(state), limitWords(limit)];
  if (state === "armed" || state === "arming") return [stateWords(state)];
  if (state === "disarmed" && armWanted) return [t().drive.state.arming];
  if (state === "disarmed" && lastStop !== null) return [t().drive.state.disarmed, ...before];
  const now = state === "disarmed" && OF_THE_PAGE.has(reason) ? "" : reasonWords(reason);
  const why = state === "tripped" ? (lastStop ?? now) : now;
  return why === "" ? [stateWords(state)] : [stateWords(state), why];
}

/**
 * Reasons that a car at rest has from what this page sends. The page knows better, and its banner
 * says what to do: before a drive nobody has lost anything yet.
 */
const OF_THE_PAGE: ReadonlySet<Open<StopReason>> = new Set<StopReason>([
  "driver-disarmed",
  "driver-left",
  "no-device",
  "silent",
  "hidden",
  "unfocused",
  "stale-input",
]);

function limitWords({ percent, cause }: LimitFigure): string {
  const { limit, slowed } = t().drive;
  return slowed(percent, isKnown(LIMIT_CAUSES, cause) ? limit[cause] : plain(cause));
}

/** How strongly the display marks the state. */
export function stateTone({ state, silent, limit }: Hud): "idle" | "ready" | "live" | Alarm {
  if (silent) return "bad";
  if (state === null) return "idle";
  // In a state that this page does not know, the wheels may turn without the driver.
  if (!isKnown(DRIVE_STATES, state)) return "warn";
  switch (state) {
    case "disarmed":
      return "calm";
    case "arming":
      return "ready";
    case "armed":
      return limit === null ? "live" : "warn";
    case "holding":
    case "jogging":
      return "warn";
    case "braking":
    case "tripped":
      return "bad";
  }
}

export function pathWords(path: Path | null): { kind: string; detail: string } {
  if (path === null) return { kind: "–", detail: "" };
  return {
    kind: path.relayed ? t().figures.relayed : t().figures.direct,
    detail: [path.protocol, path.family].filter((part) => part !== null && part !== "").join(" · "),
  };
}

/** What drives, in a word or by its name. */
export function deviceWords({ source, name }: Device): string {
  return name ?? t().figures.devices[source];
}
