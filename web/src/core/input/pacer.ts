/**
 * When the next control frame is due: evenly, whether or not anything changed, and sooner after a change.
 *
 * A late timer does not shift those that follow, and what was missed is not made up for: an old frame is worth nothing.
 */

export class Pacer {
  readonly #interval: number;
  readonly #spacing: number;
  #due = 0;
  #lastSent = -Infinity;

  /** Frames every `interval` ms, never closer than `spacing` ms. */
  constructor(interval: number, spacing: number) {
    this.#interval = interval;
    this.#spacing = spacing;
  }

  /** Time at which the next frame is due. */
  get due(): number {
    return this.#due;
  }

  /** Something changed: the next frame is due as soon as the spacing allows. */
  hurry(now: number): void {
    this.#due = Math.min(this.#due, Math.max(now, this.#lastSent + this.#spacing));
  }

  /** A frame was sent. */
  sent(now: number): void {
    const late = now - this.#due;
    this.#lastSent = now;
    this.#due = late >= 0 && late < this.#interval ? this.#due + this.#interval : now + this.#interval;
    this.#due = Math.max(this.#due, now + this.#spacing);
  }
}
