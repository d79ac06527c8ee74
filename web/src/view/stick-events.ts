/** What the pointers on a stick's area mean. */

import type { Tell } from "../core/input/mixer";
import type { Stick } from "../core/input/touch";

/** Way of the thumb to full deflection, in CSS pixels: about 1.5 cm on a phone. */
const REACH = 72;

/** What is read of a `PointerEvent`. */
interface PointerLike {
  readonly pointerId: number;
  readonly clientX: number;
  readonly clientY: number;
  readonly currentTarget: Pick<Element, "setPointerCapture" | "hasPointerCapture">;
}

/** The handlers of one stick's area; each ends with `draw`. */
export function stickEvents(tell: Tell, stick: Stick, draw: () => void) {
  const along = (event: PointerLike) => (stick === "steering" ? event.clientX : -event.clientY);
  const cancel = ({ pointerId }: PointerLike) => {
    tell((mixer) => mixer.handleStickCancel(pointerId));
    draw();
  };
  return {
    onPointerDown(event: PointerLike) {
      event.currentTarget.setPointerCapture(event.pointerId);
      tell((mixer) => mixer.handleStickDown(event.pointerId, stick, along(event), REACH));
      draw();
    },
    onPointerMove(event: PointerLike) {
      if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
      tell((mixer) => mixer.handleStickMove(event.pointerId, along(event)));
      draw();
    },
    onPointerUp({ pointerId }: PointerLike) {
      tell((mixer) => mixer.handleStickUp(pointerId));
      draw();
    },
    onPointerCancel: cancel,
    // Comes after every release, too, and then changes nothing. Without a release before it, nobody
    // knows where the finger is.
    onLostPointerCapture: cancel,
  };
}
