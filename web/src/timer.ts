/** Wakes whoever owns a machine at the time that the machine asks for. */

export class Timer {
  readonly #wake: () => void;
  #running: ReturnType<typeof setTimeout> | undefined;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  /** Takes a machine's `pollTimeout`, on the clock of `performance.now()`: wakes then and not before, `null` never. */
  set(at: number | null): void {
    clearTimeout(this.#running);
    if (at === null) return;
    this.#running = setTimeout(this.#wake, Math.max(0, Math.ceil(at - performance.now())));
  }
}
