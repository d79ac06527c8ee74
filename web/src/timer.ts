/** Calls a shell back at the time that its machine asks for. */

export class Timer {
  readonly #wake: () => void;
  #at: number | null = null;
  #running: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  /**
   * Takes a machine's `pollTimeout`, on the clock of `performance.now()`: wakes then and not
   * before; for `null` never.
   */
  set(at: number | null): void {
    if (at === this.#at || this.#stopped) return;
    clearTimeout(this.#running);
    this.#at = at;
    if (at === null) return;
    const wait = Math.max(0, Math.ceil(at - performance.now()));
    this.#running = setTimeout(() => {
      this.#at = null;
      this.#wake();
    }, wait);
  }

  /** For ever: later calls of `set` do nothing. */
  stop(): void {
    this.set(null);
    this.#stopped = true;
  }
}
