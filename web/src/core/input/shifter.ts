/** Shoulder buttons of pads: one gear down, one gear up. */

import { mappingOf, PARTS, type Mapping } from "./mapping";
import { keyOf, type PadLike } from "./pad";

/** W3C Gamepad, section 11: left and right shoulder button. */
const DOWN = 4;
const UP = 5;
/** As in `Gamepads`. */
const MAX_PADS = 32;

export class Shifter {
  /** Of each pad, whether down and up were pressed at the last look. */
  #seen = new Map<string, readonly [down: boolean, up: boolean]>();

  /**
   * Returns by how many gears somebody shifts: −1, 0 or 1. The first look only shows what is
   * pressed, and only the standard mapping says where shoulders are.
   */
  handlePads(
    pads: readonly (PadLike | null | undefined)[],
    saved: ReadonlyMap<string, Mapping>,
  ): -1 | 0 | 1 {
    const before = this.#seen;
    this.#seen = new Map();
    let by: -1 | 0 | 1 = 0;
    for (const pad of pads) {
      if (!pad?.connected || pad.mapping !== "standard" || this.#seen.size >= MAX_PADS) continue;
      const mapping = mappingOf(pad, saved);
      const free = (index: number) =>
        !PARTS.some((part) => {
          const source = mapping?.[part];
          return source?.kind === "button" && source.index === index;
        });
      const now = [DOWN, UP].map((i) => pad.buttons[i]?.pressed === true) as [boolean, boolean];
      const last = before.get(keyOf(pad));
      this.#seen.set(keyOf(pad), now);
      if (!last) continue;
      if (now[0] && !last[0] && free(DOWN)) by = -1;
      else if (now[1] && !last[1] && free(UP) && by === 0) by = 1;
    }
    return by;
  }
}
