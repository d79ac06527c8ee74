/**
 * Presses of *arm*, or of a shoulder, each counted once.
 *
 * If a pad is listed twice, or its button is also the Enter key (Steam Input), one press of a thumb
 * arrives from several devices. **A report from another device a moment later is the same press**;
 * the same device reports each press once.
 */

/**
 * Length of that moment. Reports of one press come up to 50 ms apart, and a busy page sees them
 * late. A hand that changes from one device to another needs longer.
 */
const SAME_PRESS_MS = 200;

export class Presses {
  readonly #samePressMs: number;
  #at = -Infinity;
  #devices = new Set<string>();

  constructor(samePressMs = SAME_PRESS_MS) {
    this.#samePressMs = samePressMs;
  }

  /** A device reports a press; returns whether it is a new one. */
  handlePress(device: string, now: number): boolean {
    if (now - this.#at <= this.#samePressMs && !this.#devices.has(device)) {
      this.#devices.add(device);
      return false;
    }
    this.#at = now;
    this.#devices = new Set([device]);
    return true;
  }
}
