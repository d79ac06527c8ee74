/**
 * Presses of *arm*, each counted once.
 *
 * One pad that is listed twice, or whose button is the Enter key as well (Steam Input), reports one
 * press of one thumb by several devices. **What another device reports a moment later is the same
 * press**; the same device reports each press once.
 */

/**
 * The moment. Reports of one press come up to 50 ms apart, and a page that is busy sees them late;
 * a hand that changes from one device to another needs longer.
 */
const SAME_PRESS_MS = 200;

export class Presses {
  #at = -Infinity;
  #devices = new Set<string>();

  /** A device reports a press; tells whether it is another one than the last. */
  handlePress(device: string, now: number): boolean {
    if (now - this.#at <= SAME_PRESS_MS && !this.#devices.has(device)) {
      this.#devices.add(device);
      return false;
    }
    this.#at = now;
    this.#devices = new Set([device]);
    return true;
  }
}
