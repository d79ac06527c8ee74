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
  readonly #braking = new Set<number>();

  /**
   * A finger lands on a stick; `position` grows to the right, or upwards. Returns whether it holds
   * the stick: **the first finger does**, and a second one, or the ball of a thumb, changes
   * nothing.
   */
  handleDown(pointer: number, stick: Stick, position: number, reach: number): boolean {
    for (const [other, finger] of this.#fingers)
      if (finger.stick === stick && other !== pointer) return false;
    this.#fingers.set(pointer, { stick, start: position, reach, at: position });
    return true;
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

  /** Brakes as long as anybody is on the brake: `by` is a pointer, or a name of our own. */
  handleBrake(down: boolean, by: number): void {
    if (down) this.#braking.add(by);
    else this.#braking.delete(by);
  }

  isBraking(by: number): boolean {
    return this.#braking.has(by);
  }

  get brake(): boolean {
    return this.#braking.size > 0;
  }

  handleRelease(): void {
    this.#fingers.clear();
    this.#braking.clear();
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
