/** What the pointers on a stick's area mean. */

import type { Tell } from "../core/input/mixer";
import type { Stick } from "../core/input/touch";

/** Way of the thumb to full deflection, in CSS pixels: about a centimetre and a half on a phone. */
const REACH = 72;

/** What is read of a `PointerEvent`. */
interface PointerLike {
  readonly pointerId: number;
  readonly clientX: number;
  readonly clientY: number;
  readonly currentTarget: Pick<Element, "setPointerCapture" | "hasPointerCapture">;
}

/** The handlers of one stick's area; `draw` follows each of them. */
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
    // Follows every release too, when the finger is known no more. Without one before it, nobody
    // tells where the finger is.
    onLostPointerCapture: cancel,
  };
}
