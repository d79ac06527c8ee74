/**
 * When the next control frame is due: evenly, whether or not anything changed, and sooner after a
 * change.
 *
 * A late timer does not shift those that follow, and what was missed is not made up for: an old
 * frame is worth nothing.
 */

export class Pacer {
  readonly #interval: number;
  readonly #spacing: number;
  #due = 0;
  #lastSent = -Infinity;
  #urgent = false;

  /** Frames every `interval` ms, never closer than `spacing` ms unless one is urgent. */
  constructor(interval: number, spacing: number) {
    this.#interval = interval;
    this.#spacing = spacing;
  }

  /** When the next frame is due; one that is urgent has been due for ever. */
  pollTimeout(): number {
    return this.#urgent ? -Infinity : this.#due;
  }

  /** Something changed: the next frame is due as soon as the spacing allows. */
  handleChange(now: number): void {
    this.#due = Math.min(this.#due, Math.max(now, this.#lastSent + this.#spacing));
  }

  /** Something changed that must not wait. */
  handleUrgent(): void {
    this.#urgent = true;
  }

  /** A frame was sent. */
  handleSent(now: number): void {
    const late = now - this.#due;
    this.#lastSent = now;
    this.#urgent = false;
    this.#due =
      late >= 0 && late < this.#interval ? this.#due + this.#interval : now + this.#interval;
    this.#due = Math.max(this.#due, now + this.#spacing);
  }
}
