/** Another device takes over from the one that drives. */

import type { InputSource } from "../../protocol/state";

/** Another device than the one that armed steers now. */
export type TakeOver =
  "keyboard-took-over" | "gamepad-took-over" | "other-gamepad-took-over" | "touch-took-over";

export const TAKE_OVERS: Readonly<Record<InputSource, TakeOver | null>> = {
  none: null,
  keyboard: "keyboard-took-over",
  gamepad: "gamepad-took-over",
  touch: "touch-took-over",
};
