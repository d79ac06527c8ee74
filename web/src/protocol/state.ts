/**
 * States and reasons of the drive and levels of its battery, as in
 * `crates/words/protocol/src/state.rs`, and words of its sensors, as in `sensors.rs`. The index is
 * the value on the wire.
 */

import { isKnown, type Open } from "./words";

export const DRIVE_STATES = [
  "disarmed",
  "arming",
  "armed",
  "holding",
  "braking",
  "tripped",
  "jogging",
] as const;
/** What the drive does with the wheels. */
export type DriveState = (typeof DRIVE_STATES)[number];

export const STOP_REASONS = [
  "none",
  "silent",
  "hidden",
  "unfocused",
  "stale-input",
  "no-device",
  "driver-disarmed",
  "driver-left",
  "drive-service-lost",
  "actuator-fault",
  "shutdown",
  "battery-empty",
  "old-picture",
  "calibrating",
] as const;
/** Why the wheels are not following the driver. */
export type StopReason = (typeof STOP_REASONS)[number];

export const BATTERY_LEVELS = ["unknown", "good", "low", "limited", "empty"] as const;
/** What the drive makes of the battery's voltage. */
export type BatteryLevel = (typeof BATTERY_LEVELS)[number];

export const LIMIT_CAUSES = ["picture", "battery"] as const;
/** What keeps the car slow. */
export type LimitCause = (typeof LIMIT_CAUSES)[number];

export const HEAT_LEVELS = ["unknown", "good", "warm", "hot"] as const;
/** How warm the computer's processor is. */
export type HeatLevel = (typeof HEAT_LEVELS)[number];

export const SUPPLY_LEVELS = ["unknown", "good", "sagged", "sags"] as const;
/** The computer's supply of 5 V. */
export type SupplyLevel = (typeof SUPPLY_LEVELS)[number];

export const INPUT_SOURCES = ["none", "keyboard", "gamepad", "touch"] as const;
/** The kind of device that the driver steers with. */
export type InputSource = (typeof INPUT_SOURCES)[number];

/**
 * Whether the wheels may be away from neutral. In a state that is unknown here they may.
 */
export function mayMove(state: Open<DriveState>): boolean {
  return (
    state === "armed" ||
    state === "holding" ||
    state === "braking" ||
    state === "jogging" ||
    !isKnown(DRIVE_STATES, state)
  );
}
