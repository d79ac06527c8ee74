/** Keeps in the browser what a person has set for keys and devices. */

import { formatControls, parseControls, type Controls } from "../core/input/controls";
import { keep, kept } from "../kept";

const PLACE = "rccar-controls";

export function loadControls(): Controls {
  return parseControls(kept(PLACE));
}

/** Returns whether the browser has kept it. */
export function saveControls(controls: Controls): boolean {
  return keep(PLACE, formatControls(controls));
}
