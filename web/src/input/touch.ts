/** Two sticks under two thumbs. Each begins where the thumb lands, so that nobody has to look at it. */

export type Stick = "steering" | "throttle";

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
    for (const [other, finger] of this.#fingers) if (finger.stick === stick) this.#fingers.delete(other);
    this.#fingers.set(pointer, { stick, start: position, reach, at: position });
  }

  handleMove(pointer: number, position: number): void {
    const finger = this.#fingers.get(pointer);
    if (finger) finger.at = position;
  }

  handleUp(pointer: number): void {
    this.#fingers.delete(pointer);
  }

  /**
   * The system took the finger, for a gesture of its own or a call: what it does now is unknown. Tells whether it was on a stick; one
   * that was lifted before is not.
   */
  handleCancel(pointer: number): boolean {
    return this.#fingers.delete(pointer);
  }

  handleBrake(down: boolean): void {
    this.brake = down;
  }

  releaseAll(): void {
    this.#fingers.clear();
    this.brake = false;
  }

  /** −1…1. */
  position(stick: Stick): number {
    for (const finger of this.#fingers.values()) {
      if (finger.stick === stick) return Math.max(-1, Math.min(1, (finger.at - finger.start) / finger.reach));
    }
    return 0;
  }
}
