/** Keeps in the browser what a person has set for keys and devices. */

import { formatControls, parseControls, withGear, type Controls } from "../core/input/controls";
import type { Gear } from "../core/input/feel";
import { keep, kept } from "../kept";

const PLACE = "rccar-controls";

export function loadControls(): Controls {
  return parseControls(kept(PLACE));
}

/** Returns whether the browser has kept it. */
export function saveControls(controls: Controls): boolean {
  return keep(PLACE, formatControls(controls));
}

/** Changes the gear alone: another page may have kept other keys and devices since. */
export function saveGear(gear: Gear): boolean {
  return saveControls(withGear(loadControls(), gear));
}
