/**
 * Two sticks under two thumbs. Each begins where the thumb lands, so that nobody has to look at it.
 */

export type Stick = "steering" | "throttle";

/** A finger that only lies on the glass trembles less than this part of the reach. */
const DELIBERATE = 0.25;

interface Finger {
  readonly stick: Stick;
  readonly start: number;
  /** Way to full deflection, in the unit of the positions. */
  readonly reach: number;
  at: number;
}

export class TouchSticks {
  readonly #fingers = new Map<number, Finger>();
  brake = false;

  /** A finger lands on a stick; `position` grows to the right, or upwards. */
  handleDown(pointer: number, stick: Stick, position: number, reach: number): void {
    for (const [other, finger] of this.#fingers)
      if (finger.stick === stick) this.#fingers.delete(other);
    this.#fingers.set(pointer, { stick, start: position, reach, at: position });
  }

  /** A finger moves; returns whether it has just come far enough to be deliberate. */
  handleMove(pointer: number, position: number): boolean {
    const finger = this.#fingers.get(pointer);
    if (!finger) return false;
    const before = deflection(finger);
    finger.at = position;
    return Math.abs(before) < DELIBERATE && Math.abs(deflection(finger)) >= DELIBERATE;
  }

  handleUp(pointer: number): void {
    this.#fingers.delete(pointer);
  }

  /**
   * The system took the finger, for its own gesture or a call: what the finger does now is unknown.
   * Returns whether it was on a stick; a finger that was lifted before was not.
   */
  handleCancel(pointer: number): boolean {
    return this.#fingers.delete(pointer);
  }

  handleBrake(down: boolean): void {
    this.brake = down;
  }

  handleRelease(): void {
    this.#fingers.clear();
    this.brake = false;
  }

  /** −1…1. */
  position(stick: Stick): number {
    for (const finger of this.#fingers.values()) {
      if (finger.stick === stick) return deflection(finger);
    }
    return 0;
  }
}

function deflection({ at, start, reach }: Finger): number {
  return Math.max(-1, Math.min(1, (at - start) / reach));
}
