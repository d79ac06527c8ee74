/**
 * Shoulder buttons of pads: one gear down, one gear up. A pad that is listed twice shifts once for
 * each press.
 */

import { TWIN_MS } from "./gamepad";
import { mappingOf, nthOf, PARTS, type Mapping } from "./mapping";
import { keyOf, type PadLike } from "./pad";
import { Presses } from "./presses";

/** W3C Gamepad, section 11: left and right shoulder button. */
const DOWN = 4;
const UP = 5;
/** As in `Gamepads`. */
const MAX_PADS = 32;

export class Shifter {
  /** Of each pad, whether down and up were pressed at the last look. */
  #seen = new Map<string, readonly [down: boolean, up: boolean]>();
  readonly #presses = new Presses(TWIN_MS);

  /**
   * `shifting`: keys of the pads that may shift, as `Mixer.shifting` says. Returns
   * by how many gears somebody shifts: −1, 0 or 1. The first look only shows what is pressed, and
   * only the standard mapping says where shoulders are.
   */
  handlePads(
    pads: readonly (PadLike | null | undefined)[],
    saved: ReadonlyMap<string, Mapping>,
    shifting: readonly string[] | null,
    now: number,
  ): -1 | 0 | 1 {
    const before = this.#seen;
    this.#seen = new Map();
    // After a time in which nobody may shift, each look is a first one.
    if (shifting?.length === 0) return 0;
    let by: -1 | 0 | 1 = 0;
    for (const pad of pads) {
      if (!pad?.connected || pad.mapping !== "standard" || this.#seen.size >= MAX_PADS) continue;
      const mapping = mappingOf(pad, saved, nthOf(pad, pads));
      const free = (index: number) =>
        !PARTS.some((part) => {
          const source = mapping?.[part];
          return source?.kind === "button" && source.index === index;
        });
      const key = keyOf(pad);
      const pressed = [DOWN, UP].map((i) => pad.buttons[i]?.pressed === true) as [boolean, boolean];
      const last = before.get(key);
      this.#seen.set(key, pressed);
      if (!last || (shifting !== null && !shifting.includes(key))) continue;
      const down = pressed[0] && !last[0] && free(DOWN);
      const up = pressed[1] && !last[1] && free(UP);
      if ((down || up) && this.#presses.handlePress(key, now) && by === 0) by = down ? -1 : 1;
    }
    return by;
  }
}
