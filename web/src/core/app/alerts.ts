/**
 * When the driver should hear or feel something: the link is lost, the car has stopped by itself,
 * the battery runs down. Pure.
 *
 * ```text
 *  what is shown, before and now ──► table ──► an alert, or none
 *                                       │
 *              one of a lower rank shortly after another waits, or is dropped
 * ```
 */

import { BATTERY_LEVELS, type BatteryLevel } from "../../protocol/state";
import { isKnown, type Open } from "../../protocol/words";
import type { Hud } from "./hud";

/** The most urgent first. */
export const ALERTS = ["link", "stop", "battery"] as const;
export type Alert = (typeof ALERTS)[number];

export interface Effect {
  readonly kind: "alert";
  readonly alert: Alert;
}

/**
 * A lost link also stops the picture and the car, within a second or so: that is one event, and one
 * alert.
 */
const QUIET_MS = 1_500;

/** What each alert looks at. It comes when this becomes true. */
const TABLE: Readonly<Record<Alert, (hud: Hud, before: Hud) => boolean>> = {
  // A driver who left, or who never got through, lost nothing.
  link: (hud, before) => isLost(hud) && !isLost(before) && before.phase === "connected",
  stop: (hud, before) => hud.lastStop !== null && before.lastStop === null,
  battery: (hud, before) => wornOf(hud) > wornOf(before),
};

export class Alerts {
  #before: Hud | null = null;
  #last: { readonly alert: Alert; readonly at: number } | null = null;
  /** The battery does not get better by itself: its alert waits until it can be heard. */
  #battery = false;
  #effects: Effect[] = [];

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  handleHud(hud: Hud, now: number): void {
    const before = this.#before;
    this.#before = hud;
    if (before === null) return;
    const due = ALERTS.filter((alert) => TABLE[alert](hud, before));
    if (due.includes("battery")) this.#battery = true;
    const wanted = due.find((alert) => alert !== "battery") ?? (this.#battery ? "battery" : null);
    if (wanted === null) return;
    if (this.#last !== null && now - this.#last.at < QUIET_MS) {
      const higher = ALERTS.indexOf(wanted) < ALERTS.indexOf(this.#last.alert);
      if (!higher) return;
    }
    if (wanted === "battery") this.#battery = false;
    this.#last = { alert: wanted, at: now };
    this.#effects.push({ kind: "alert", alert: wanted });
  }
}

function isLost({ silent, phase }: Hud): boolean {
  return silent || phase === "restarting" || phase === "retrying";
}

const WORN: Readonly<Record<BatteryLevel, number>> = {
  unknown: 0,
  good: 0,
  low: 1,
  limited: 2,
  empty: 3,
};

/** How far the battery has run down; 0 where nobody knows. */
function wornOf({ battery }: Hud): number {
  const level: Open<BatteryLevel> | null = battery?.level ?? null;
  return level !== null && isKnown(BATTERY_LEVELS, level) ? WORN[level] : 0;
}
