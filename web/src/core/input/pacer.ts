/**
 * When the next control frame is due: at an even pace, whether or not anything changed, and sooner
 * after a change.
 *
 * A late frame does not shift the next ones, and missed frames are not sent later: an old frame is
 * worth nothing.
 */

export class Pacer {
  readonly #interval: number;
  readonly #spacing: number;
  #due = 0;
  #lastSent = -Infinity;
  #urgent = false;

  /** Frames come every `interval` ms, never closer than `spacing` ms unless one is urgent. */
  constructor(interval: number, spacing: number) {
    this.#interval = interval;
    this.#spacing = spacing;
  }

  /** When the next frame is due; `-Infinity` for an urgent one. */
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

  handleSent(now: number): void {
    const late = now - this.#due;
    this.#lastSent = now;
    this.#urgent = false;
    // A little late keeps the pace; early or very late begins it again.
    this.#due =
      late >= 0 && late < this.#interval ? this.#due + this.#interval : now + this.#interval;
    this.#due = Math.max(this.#due, now + this.#spacing);
  }
}
