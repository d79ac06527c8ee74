/**
 * Makes one gamepad of all: which of them steers, and the signs that it is gone. A wheel and pedals
 * that are two devices make one together: what the one lacks comes from the other.
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

import { nthOf, type Mapping } from "./mapping";
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
export const TWIN_MS = 100;

/** Browsers list at most 4 or 16; a page must not choke on a list that somebody invents. */
const MAX_PADS = 32;

export class Gamepads {
  #pads = new Map<string, Pad>();
  #saved: ReadonlyMap<string, Mapping> = new Map();
  #inUse: string | null = null;
  /** Key of the pad that has what the one in use lacks. */
  #partner: string | null = null;
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

  /** Keys of the pad that steers, and of its partner. */
  get teamKeys(): readonly string[] {
    return this.#team.map(({ key }) => key);
  }

  /** Name of the pad that steers, and of its partner; `null` without one. */
  get name(): string | null {
    const names = this.#team.map(({ name }) => name);
    return names.length === 0 ? null : [...new Set(names)].join(" + ");
  }

  /** Name of a device without a mapping that somebody has touched; `null` if there is none. */
  get stranger(): string | null {
    const pads = [...this.#pads.values()];
    return pads.find((pad) => pad.mapping === null && pad.touched)?.name ?? null;
  }

  /** Every pad can brake, not only the one that steers. */
  get brake(): boolean {
    return [...this.#pads.values()].some((pad) => pad.brake);
  }

  /**
   * What the driver says about the controls of devices, by their id. All devices are then seen for
   * the first time.
   */
  handleMappings(saved: ReadonlyMap<string, Mapping>): void {
    this.#saved = saved;
    this.#pads.clear();
    this.#missUser();
  }

  /** Takes the result of `navigator.getGamepads()`. */
  handlePads(pads: readonly (PadLike | null | undefined)[], now: number): void {
    const before = this.#pads;
    this.#pads = new Map();
    for (const seen of pads) {
      if (!seen?.connected || this.#pads.size >= MAX_PADS) continue;
      const key = keyOf(seen);
      if (this.#pads.has(key)) continue;
      // The first look only shows where the controls are. A pad that comes back with frozen values
      // has not been touched.
      const pad = before.get(key);
      pad?.handleLook(seen, now);
      this.#pads.set(key, pad ?? new Pad(seen, this.#saved, now, nthOf(seen, pads)));
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
    return this.#team.some((pad) => pad.isHeld(now, TWIN_MS));
  }

  /**
   * Returns the key of a pad that somebody has taken in hand since the one in use was put down;
   * `null` if there is none.
   */
  handleTakeOver(now: number): string | null {
    const team = this.#team;
    const held = this.isHeld(now);
    for (const pad of this.#pads.values()) {
      if (team.includes(pad)) continue;
      // While the pad in use is held, this may be its twin, which comes to rest soon after it.
      if (held) pad.handleLetBe();
      else if (!pad.moved) pad.asksSince = null;
      else if (team.length === 0 || now - (pad.asksSince ??= now) >= TWIN_MS) return pad.key;
    }
    return null;
  }

  /** This pad steers from now on. */
  handleUse(key: string): void {
    this.#inUse = key;
    this.handleTeam();
    for (const pad of this.#pads.values()) pad.handleLetBe();
  }

  /** Looks for a partner. Not to be called while armed: an armed car gets no more devices. */
  handleTeam(): void {
    const user = this.#user;
    this.#partner = null;
    if (!user || (user.steers && user.drives)) return;
    for (const pad of this.#pads.values()) {
      if (pad === user || pad.steers === user.steers || pad.drives === user.drives) continue;
      this.#partner ??= pad.key;
    }
  }

  /** Another device steers from now on. */
  handleLetGo(): void {
    this.#inUse = this.#partner = null;
    for (const pad of this.#pads.values()) pad.handleLetBe();
  }

  /** The pad in use; `null` if there is none. */
  sample(now: number): PadSample | null {
    const team = this.#team;
    if (team.length === 0) return null;
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    return {
      steering: sum(team.map(({ steering }) => steering)),
      throttle: sum(team.map(({ throttle }) => throttle)),
      ageMs: Math.max(...team.map((pad) => pad.ageMs(now))),
      stale: team.some((pad) => pad.isStale(now)),
    };
  }

  get #user(): Pad | undefined {
    return this.#inUse === null ? undefined : this.#pads.get(this.#inUse);
  }

  /** The pad in use and its partner. One of them lacks what the other has, so their values add. */
  get #team(): Pad[] {
    const user = this.#user;
    const partner = this.#partner === null ? undefined : this.#pads.get(this.#partner);
    return user ? (partner ? [user, partner] : [user]) : [];
  }

  #missUser(): void {
    const gone = (key: string | null) => key !== null && !this.#pads.has(key);
    if (!gone(this.#inUse) && !gone(this.#partner)) return;
    this.#inUse = this.#partner = null;
    this.#effects.push({ kind: "vanished" });
  }
}
