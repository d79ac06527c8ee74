/** Keeps in the browser what a person has set for keys and devices. */

import { formatControls, parseControls, type Controls } from "../core/input/controls";

const PLACE = "rccar-controls";

export function loadControls(): Controls {
  try {
    return parseControls(localStorage.getItem(PLACE));
  } catch {
    // Refused, for instance in a private window.
    return parseControls(null);
  }
}

/** Returns whether the browser has kept it. */
export function saveControls(controls: Controls): boolean {
  try {
    localStorage.setItem(PLACE, formatControls(controls));
    return true;
  } catch {
    return false;
  }
}
