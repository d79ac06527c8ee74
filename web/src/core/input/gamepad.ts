/**
 * Makes one gamepad of all: which of them steers, and the signs that it is gone.
 *
 * A pad that loses its radio may keep its last values for ever. **Values that do not change at all
 * while a stick is held half way, or for longer while the pad gives throttle, are no input**: a
 * hand is never that still.
 *
 * An intact pad in a hand is bit-still for that long only if its sticks know just on and off. Then
 * the driver has to let go and arm again. That is better than a car that a dead radio drives for
 * ever.
 *
 * Browsers list some pads twice: the pad itself, and a twin that Steam or a device driver makes.
 * **Twins move together, so neither takes over from the other.**
 */

import { keyOf, Pad, type PadLike } from "./pad";

export type { PadLike } from "./pad";

export type Effect =
  /** The pad in use is gone. */
  | { readonly kind: "vanished" }
  /** A control of some pad moved. */
  | { readonly kind: "stirred" }
  /** The arm button of a pad went down. */
  | { readonly kind: "arm"; readonly pad: string };

export interface PadSample {
  readonly steering: number;
  readonly throttle: number;
  readonly ageMs: number;
  readonly stale: boolean;
}

/**
 * Twins report the same movement up to 50 ms apart. This is twice that, for a page that draws
 * slowly.
 */
const TWIN_MS = 100;

export class Gamepads {
  #pads = new Map<string, Pad>();
  #inUse: string | null = null;
  #effects: Effect[] = [];

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  get present(): boolean {
    return this.#pads.size > 0;
  }

  /** Key of the pad that steers. */
  get inUse(): string | null {
    return this.#inUse;
  }

  /** Every pad can brake, not only the one that steers. */
  get brake(): boolean {
    return [...this.#pads.values()].some((pad) => pad.brake);
  }

  /** Takes the result of `navigator.getGamepads()`. */
  handlePads(pads: readonly (PadLike | null | undefined)[], now: number): void {
    const before = this.#pads;
    this.#pads = new Map();
    for (const seen of pads) {
      if (!seen?.connected) continue;
      const key = keyOf(seen);
      if (this.#pads.has(key)) continue;
      // The first look only shows where the controls are. A pad that comes back with frozen values
      // has not been touched.
      const pad = before.get(key);
      pad?.handleLook(seen, now);
      this.#pads.set(key, pad ?? new Pad(seen, now));
    }
    this.#missUser();
    for (const pad of this.#pads.values())
      if (pad.armPressed) this.#effects.push({ kind: "arm", pad: pad.key });
    if ([...this.#pads.values()].some((pad) => pad.stirred))
      this.#effects.push({ kind: "stirred" });
  }

  /**
   * A pad was unplugged. It is removed at once, because another one may be plugged in before the
   * next look and must not count as the same.
   */
  handleUnplugged(index: number): void {
    for (const key of this.#pads.keys()) if (key.startsWith(`${index} `)) this.#pads.delete(key);
    this.#missUser();
  }

  /** The pad in use is in a hand. A pad that moves together with it may then be its twin. */
  isHeld(now: number): boolean {
    return this.#user?.isHeld(now, TWIN_MS) ?? false;
  }

  /**
   * Returns the key of a pad that somebody has taken in hand since the one in use was put down;
   * `null` if there is none.
   */
  handleTakeOver(now: number): string | null {
    const user = this.#user;
    const held = this.isHeld(now);
    for (const pad of this.#pads.values()) {
      if (pad === user) continue;
      // While the pad in use is held, this may be its twin, which comes to rest soon after it.
      if (held) pad.handleLetBe();
      else if (!pad.moved) pad.asksSince = null;
      else if (user === undefined || now - (pad.asksSince ??= now) >= TWIN_MS) return pad.key;
    }
    return null;
  }

  /** This pad steers from now on. */
  handleUse(key: string): void {
    this.#inUse = key;
    for (const pad of this.#pads.values()) pad.handleLetBe();
  }

  /** Another device steers from now on. */
  handleLetGo(): void {
    this.#inUse = null;
    for (const pad of this.#pads.values()) pad.handleLetBe();
  }

  /** The pad in use; `null` if there is none. */
  sample(now: number): PadSample | null {
    const pad = this.#user;
    if (!pad) return null;
    return {
      steering: pad.steering,
      throttle: pad.throttle,
      ageMs: pad.ageMs(now),
      stale: pad.isStale(now),
    };
  }

  get #user(): Pad | undefined {
    return this.#inUse === null ? undefined : this.#pads.get(this.#inUse);
  }

  #missUser(): void {
    if (this.#inUse === null || this.#pads.has(this.#inUse)) return;
    this.#inUse = null;
    this.#effects.push({ kind: "vanished" });
  }
}
