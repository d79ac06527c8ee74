/**
 * One control of a pad, measured from where it rests.
 *
 * **The first look learns where a control rests.** A control that is then far from where such a
 * control can rest counts as zero: it may be a pedal that rests at its end, with nobody's foot on
 * it. It counts once it has stayed near its rest for a while.
 */

import { STOOD_STILL_MS } from "../link/sight";
import type { Source } from "./mapping";

/**
 * A control at rest is at most this far from where it should rest: worn sticks were seen at 0.14.
 */
const NEAR = 0.25;
/**
 * A movement by this part of the way to an end is deliberate: noise, a worn spring or a knocked
 * table moves less.
 */
export const DELIBERATE = 0.25;
/** Smaller changes are not worth a control frame of their own. */
const STIR = 0.04;
/** From here on a control is at its end. */
const AT_END = 0.98;
/**
 * The range between rest and end in which no hand holds a stick or trigger still. A worn stick
 * rests up to 0.14 to either side, so it may be twice that from the learned rest; the lower limit
 * is a little more.
 */
const HALF_WAY = [0.35, AT_END] as const;
/**
 * A control that was first seen elsewhere must stay near its rest for this long: springs need a
 * tenth of it, and a hand passes by in less.
 */
const SETTLING_MS = 500;

/** A stick or lever, measured from its rest: 0 there, ±1 at its ends. */
export abstract class Control {
  at = 0;
  /** It moved more than noise at the last look. */
  stirred = false;
  #noticedAt = 0;
  /** Place at the last `handleLetBe`, or nearer to rest if it has been there since. */
  #heldAt = 0;

  /** NaN is no value: the last one stays. */
  handleValue(value: number, now: number): void {
    this.stirred = false;
    if (Number.isNaN(value)) return;
    this.at = this.measure(value, now);
    this.stirred = Math.abs(this.at - this.#noticedAt) > STIR;
    if (this.stirred) this.#noticedAt = this.at;
    if (this.at * this.#heldAt <= 0) this.#heldAt = 0;
    else if (Math.abs(this.at) < Math.abs(this.#heldAt)) this.#heldAt = this.at;
  }

  /** The device has no such control any more. */
  handleGone(): void {
    this.at = this.#noticedAt = this.#heldAt = 0;
    this.stirred = false;
    this.forget();
  }

  get moved(): boolean {
    return Math.abs(this.at - this.#heldAt) >= DELIBERATE;
  }

  get halfWay(): boolean {
    return Math.abs(this.at) > HALF_WAY[0] && Math.abs(this.at) < HALF_WAY[1];
  }

  handleLetBe(): void {
    this.#heldAt = this.at;
  }

  protected abstract measure(value: number, now: number): number;

  /** What was learned no longer holds. */
  protected abstract forget(): void;
}

/** Finds the rest of a control that was first seen elsewhere. Passing by does not count. */
class Settling {
  #nearSince: number | null = null;
  #lookedAt = -Infinity;

  /** Returns whether the control has stayed near its rest for long enough. */
  handlePlace(near: boolean, now: number): boolean {
    if (!near || now - this.#lookedAt > STOOD_STILL_MS) this.#nearSince = null;
    this.#lookedAt = now;
    if (!near) return false;
    this.#nearSince ??= now;
    return now - this.#nearSince >= SETTLING_MS;
  }
}

export type AxisSource = Extract<Source, { kind: "axis" }>;

export interface StickOptions {
  /** Its value at rest, as far as it is known beforehand. */
  readonly middle: number;
  /** Its values at full deflection to the minus and to the plus side. */
  readonly minus: number;
  readonly plus: number;
  /** Its rest is `middle` itself, and nothing is learned: a steering wheel. */
  readonly fixed: boolean;
  /** Exactly 0 may mean that the browser has not heard of the axis yet. */
  readonly doubtful: boolean;
}

/** An axis with two directions. */
export class Stick extends Control {
  readonly #options: StickOptions;
  readonly #settling = new Settling();
  #seen = false;
  #rest: number | null = null;
  /** Exactly 0 since the first look: browsers report an axis so before its first event. */
  #silent = false;

  constructor(options: StickOptions) {
    super();
    this.#options = options;
  }

  protected override forget(): void {
    this.#seen = true;
    this.#rest = null;
  }

  protected override measure(position: number, now: number): number {
    const { middle, minus, plus, fixed, doubtful } = this.#options;
    const near = Math.abs(position - middle) <= NEAR;
    if (fixed) {
      this.#rest = middle;
    } else if (!this.#seen) {
      this.#silent = doubtful && position === 0;
      if (near) this.#rest = position;
    } else if (this.#silent && position !== 0) {
      this.#silent = false;
      // The first event says that it is at an end: a pedal that rests there. A stick that is pushed
      // passes values in between.
      if (Math.abs(position) >= AT_END) this.#rest = null;
    }
    this.#seen = true;
    if (this.#rest === null && this.#settling.handlePlace(near, now)) this.#rest = position;
    if (this.#rest === null) return 0;
    // Each side has its own scale: both ends are ±1 wherever the stick rests.
    const way = position - this.#rest;
    const end = way * (plus - middle) > 0 ? plus : minus;
    const along = Math.abs(way / (end - this.#rest));
    return Math.min(1, along) * (end === plus ? 1 : -1);
  }
}

/** A control with one direction: a button, a trigger, a pedal. */
export class Lever extends Control {
  readonly #settling = new Settling();
  readonly #from: number;
  readonly #to: number;
  #seen = false;
  /** The lowest value that was seen; `null` until it is known. */
  #rest: number | null = null;

  /** Its values at rest and at the end. */
  constructor(from = 0, to = 1) {
    super();
    this.#from = from;
    this.#to = to;
  }

  protected override forget(): void {
    this.#seen = true;
    this.#rest = null;
  }

  protected override measure(value: number, now: number): number {
    const level = Math.min(1, Math.max(0, (value - this.#from) / (this.#to - this.#from)));
    const near = level <= NEAR;
    const known = this.#rest !== null || !this.#seen || this.#settling.handlePlace(near, now);
    this.#seen = true;
    if (near && known) this.#rest = Math.min(this.#rest ?? 1, level);
    return this.#rest === null ? 0 : Math.max(0, (level - this.#rest) / (1 - this.#rest));
  }
}
