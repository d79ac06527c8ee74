/**
 * How a person drives, whatever the device: the gear, and how soft the controls are around rest.
 *
 * **It only ever takes away.** The car's own limits come after it, and hold for whatever is asked.
 */

import { shaped } from "./mapping";

export const GEARS = ["crawl", "normal", "full"] as const;
export type Gear = (typeof GEARS)[number];

/** Share of the throttle that each gear leaves. */
export const GEAR_SHARES: Readonly<Record<Gear, number>> = { crawl: 0.25, normal: 0.6, full: 1 };

export interface Feel {
  readonly gear: Gear;
  /** Softness around the middle, 0…1 (`Curve.expo`), of all devices. */
  readonly steering: number;
  readonly throttle: number;
}

export const DIRECT: Feel = { gear: "full", steering: 0, throttle: 0 };

interface Asked {
  readonly jog: boolean;
  readonly steering: number;
  readonly throttle: number;
}

/** What the car is asked for. A button of the calibration means what it says. */
export function felt<T extends Asked>(asked: T, { gear, steering, throttle }: Feel): T {
  if (asked.jog) return asked;
  return {
    ...asked,
    steering: soft(asked.steering, steering, 1),
    throttle: soft(asked.throttle, throttle, GEAR_SHARES[gear]),
  };
}

/**
 * What a car at rest is asked for. It waits for neutral before it arms, and a gear or softness
 * would make a lever that is held look neutral. No more than the gear's share: the car may have
 * armed since it last said that it rests.
 */
export function atRest<T extends Asked>(asked: T, feel: Feel): T {
  if (asked.jog) return asked;
  const share = GEAR_SHARES[feel.gear];
  const throttle = Math.max(-share, Math.min(share, asked.throttle));
  return { ...felt(asked, feel), throttle };
}

/** The next gear up or down; at the end it stays. */
export function shifted(gear: Gear, by: 1 | -1): Gear {
  return GEARS[GEARS.indexOf(gear) + by] ?? gear;
}

/** For a button alone: one gear up, and from the last to the first. */
export function cycled(gear: Gear): Gear {
  return gear === GEARS.at(-1) ? GEARS[0] : shifted(gear, 1);
}

/** For what is stored and cannot be read: somebody may have wanted a slow car. */
export const UNREADABLE: Feel = { ...DIRECT, gear: "crawl" };

/** `undefined`: nothing is stored. */
export function feelFrom(value: unknown): Feel {
  if (value === undefined) return DIRECT;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return UNREADABLE;
  const of = value as Readonly<Record<string, unknown>>;
  const part = (name: string) => {
    const share = of[name];
    return typeof share === "number" && share >= 0 && share <= 1 ? share : 0;
  };
  return {
    gear: gearFrom(of["gear"]),
    steering: part("steering"),
    throttle: part("throttle"),
  };
}

function gearFrom(value: unknown): Gear {
  if (value === undefined) return DIRECT.gear;
  return GEARS.find((known) => known === value) ?? UNREADABLE.gear;
}

/** A ramp of the keyboard and a brushed stick stay what they are: nothing is cut off at rest. */
function soft(at: number, expo: number, range: number): number {
  return at === 0 ? 0 : expo === 0 ? at * range : shaped(at, { deadZone: 0, expo, range });
}
