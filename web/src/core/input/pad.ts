/**
 * One gamepad: where its controls rest, how far they are from there, and whether somebody moves
 * them.
 *
 * Only the standard mapping says what an axis is. **The first look learns where a control rests.**
 * A control that is then far from the middle counts as zero: it may be a pedal that rests at its
 * end, with nobody's foot on it. Values that are no number are ignored.
 */

import { STOOD_STILL_MS } from "../link/sight";

/** What is read of a W3C `Gamepad`. */
export interface PadLike {
  readonly id: string;
  readonly index: number;
  readonly connected: boolean;
  readonly mapping: string;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[];
}

/** Buttons of the standard mapping (W3C Gamepad, section 11). */
const BUTTON_ARM = 0;
const BUTTON_BRAKE = 1;
const LEFT_TRIGGER = 6;
const RIGHT_TRIGGER = 7;

/**
 * An axis at rest is at most this far from the middle: worn sticks were seen at 0.14; pedals and
 * sliders rest at an end.
 */
const NEAR_MIDDLE = 0.25;
/**
 * A movement by this part of the way to an end is deliberate: noise, a worn spring or a knocked
 * table moves less.
 */
const DELIBERATE = 0.25;
/** Smaller changes are the noise of a control that nobody touches. */
const NOISE = 0.04;
/** A stick counts only beyond this: neither fingers nor springs find the middle better. */
const DEAD_ZONE = 0.08;
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
/** With a stick half way, no change for longer than this is stale. */
const STICK_STILL_MS = 1_000;
/**
 * The same for triggers. They have 8 bits and a spring behind a finger, so they rest longer on one
 * value.
 */
const TRIGGER_STILL_MS = 3_000;
/**
 * The same for the whole pad while there is throttle, also full throttle: nobody drives straight
 * for longer without a correction.
 */
const DRIVING_STILL_MS = 5_000;
/** Throttle beyond this drives. Same size as the drive's dead band. */
export const NEUTRAL = 0.05;

/**
 * Names a pad as long as it is plugged in. The mapping is part of it, as it changes what the axes
 * mean.
 */
export function keyOf({ id, index, mapping }: PadLike): string {
  return `${index} ${mapping} ${id}`;
}

export class Pad {
  readonly key: string;
  /** The arm button went down at the last look. */
  armPressed = false;
  /** Since when it moves as if to take over from another pad. */
  asksSince: number | null = null;

  readonly #standard: boolean;
  #values: Values;
  #sticks: Control[];
  #levers: Control[];
  /** Buttons that were seen released: a button that is down at the first look may be stuck. */
  #works: boolean[];
  #seenAt: number;
  #changedAt: number;
  #movedAt = -Infinity;

  constructor(seen: PadLike, now: number) {
    this.key = keyOf(seen);
    this.#standard = seen.mapping === "standard";
    this.#values = read(seen);
    this.#seenAt = now;
    this.#changedAt = now;
    this.#sticks = follow([], this.#axes(this.#values), now, () => new Stick(this.#standard));
    this.#levers = follow([], this.#values.levels, now, () => new Lever());
    this.#works = this.#values.pressed.map((down) => !down);
  }

  handleLook(seen: PadLike, now: number): void {
    const before = this.#values;
    const values = (this.#values = read(seen, this.#values));
    this.#seenAt = now;
    this.#sticks = follow(this.#sticks, this.#axes(values), now, () => new Stick(this.#standard));
    this.#levers = follow(this.#levers, values.levels, now, () => new Lever());
    this.#works = values.pressed.map((down, button) => this.#works[button] === true || !down);
    this.armPressed = this.#down(BUTTON_ARM) && before.pressed[BUTTON_ARM] === false;
    if (same(before, values)) return;
    this.#changedAt = now;
    if (this.#movable().some((control) => control.stirred)) this.#movedAt = now;
  }

  /**
   * Somebody has moved a stick, a trigger or an ordinary button by a good part of its way since the
   * last `handleLetBe`.
   */
  get moved(): boolean {
    return this.#movable().some((control) => control.moved);
  }

  /** From now on only further movement counts as `moved`, not what is held already. */
  handleLetBe(): void {
    this.asksSince = null;
    for (const control of this.#movable()) control.handleLetBe();
  }

  /**
   * Whether it is in a hand: it moved within `lately` ms, or is held away from rest and not frozen.
   */
  isHeld(now: number, lately: number): boolean {
    if (now - this.#movedAt <= lately) return true;
    return (
      now - this.#changedAt <= STICK_STILL_MS &&
      this.#movable().some(({ at }) => Math.abs(at) >= DELIBERATE)
    );
  }

  /** Something moved or was pressed at the last look: the car should get it soon. */
  get stirred(): boolean {
    return [...this.#sticks, ...this.#levers].some((control) => control.stirred);
  }

  get brake(): boolean {
    return this.#down(BUTTON_BRAKE);
  }

  get steering(): number {
    return withoutDeadZone(this.#sticks[0]?.at ?? 0);
  }

  get throttle(): number {
    if (this.#standard) return this.#lever(RIGHT_TRIGGER) - this.#lever(LEFT_TRIGGER);
    return withoutDeadZone(-(this.#sticks[1]?.at ?? 0));
  }

  /** Its values stand still where a hand would move. */
  isStale(now: number): boolean {
    const still = now - this.#changedAt;
    return (
      (still > STICK_STILL_MS && this.#inUse.some(({ at }) => isHalfWay(at))) ||
      (still > TRIGGER_STILL_MS &&
        [LEFT_TRIGGER, RIGHT_TRIGGER].some((button) => isHalfWay(this.#lever(button)))) ||
      (still > DRIVING_STILL_MS && Math.abs(this.throttle) > NEUTRAL)
    );
  }

  ageMs(now: number): number {
    return now - (this.isStale(now) ? this.#changedAt : this.#seenAt);
  }

  /** Only the axes that spring back: a joystick's throttle slider rests anywhere. */
  #axes({ axes }: Values): readonly number[] {
    return axes.slice(0, this.#standard ? 4 : 2);
  }

  /** The sticks that steer or drive. The others, worn or not, do not move the car. */
  get #inUse(): Control[] {
    return this.#sticks.slice(0, this.#standard ? 1 : 2);
  }

  /** All controls except the arm and brake buttons, which work on every pad, in use or not. */
  #movable(): Control[] {
    return [
      ...this.#sticks,
      ...this.#levers.filter((_, button) => button !== BUTTON_ARM && button !== BUTTON_BRAKE),
    ];
  }

  #lever(button: number): number {
    return this.#levers[button]?.at ?? 0;
  }

  #down(button: number): boolean {
    return this.#works[button] === true && this.#values.pressed[button] === true;
  }
}

/** A stick or lever, measured from its rest: 0 there, ±1 at its ends. */
abstract class Control {
  at = 0;
  /** It moved more than noise at the last look. */
  stirred = false;
  #noticedAt = 0;
  /** Place at the last `handleLetBe`, or nearer to rest if it has been there since. */
  #heldAt = 0;

  handleValue(value: number, now: number): void {
    this.stirred = false;
    if (Number.isNaN(value)) return;
    this.at = this.measure(value, now);
    this.stirred = Math.abs(this.at - this.#noticedAt) > NOISE;
    if (this.stirred) this.#noticedAt = this.at;
    if (this.at * this.#heldAt <= 0) this.#heldAt = 0;
    else if (Math.abs(this.at) < Math.abs(this.#heldAt)) this.#heldAt = this.at;
  }

  get moved(): boolean {
    return Math.abs(this.at - this.#heldAt) >= DELIBERATE;
  }

  handleLetBe(): void {
    this.#heldAt = this.at;
  }

  protected abstract measure(value: number, now: number): number;
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

class Stick extends Control {
  /**
   * It is known to spring to the middle, so a stick far from there is held by a thumb. Of other
   * axes this is not known: a pedal passes the middle, too.
   */
  readonly #springs: boolean;
  readonly #settling = new Settling();
  #seen = false;
  #rest: number | null = null;
  /**
   * It has been exactly 0 since the first look: browsers report an axis so before its first event.
   */
  #silent = false;

  constructor(springs: boolean) {
    super();
    this.#springs = springs;
  }

  protected override measure(position: number, now: number): number {
    if (!this.#seen) {
      this.#seen = true;
      this.#silent = !this.#springs && position === 0;
      if (isNearMiddle(position)) this.#rest = position;
    } else if (this.#silent && position !== 0) {
      this.#silent = false;
      // The first event says that it is at an end: a pedal that rests there. A stick that is pushed
      // passes values in between. A stick that does not counts as zero until it is plugged in
      // again.
      if (Math.abs(position) >= AT_END) this.#rest = null;
    }
    if (
      this.#springs &&
      this.#rest === null &&
      this.#settling.handlePlace(isNearMiddle(position), now)
    )
      this.#rest = position;
    if (this.#rest === null) return 0;
    // Each side has its own scale: both ends are ±1 wherever the stick rests.
    const way = position - this.#rest;
    return way / (way > 0 ? 1 - this.#rest : 1 + this.#rest);
  }
}

/** A trigger or button. */
class Lever extends Control {
  readonly #settling = new Settling();
  #seen = false;
  /** The lowest value that was seen; `null` until it is known. */
  #rest: number | null = null;

  protected override measure(level: number, now: number): number {
    const near = isNearMiddle(level);
    const known = this.#rest !== null || !this.#seen || this.#settling.handlePlace(near, now);
    this.#seen = true;
    if (near && known) this.#rest = Math.min(this.#rest ?? 1, level);
    return this.#rest === null ? 0 : (level - this.#rest) / (1 - this.#rest);
  }
}

interface Values {
  readonly axes: readonly number[];
  readonly levels: readonly number[];
  readonly pressed: readonly boolean[];
}

/**
 * Copies, because browsers may update the objects that they returned before. Limits to the legal
 * range: hats rest at 1.29. Some device drivers report NaN; then the value of `before` stays, or
 * NaN without one.
 */
function read({ axes, buttons }: PadLike, before?: Values): Values {
  const within = (value: number, least: number, last = NaN) =>
    Number.isFinite(value) ? Math.min(1, Math.max(least, value)) : last;
  return {
    axes: axes.map((position, i) => within(position, -1, before?.axes[i])),
    levels: buttons.map(({ value }, i) => within(value, 0, before?.levels[i])),
    pressed: buttons.map(({ pressed }) => pressed),
  };
}

/** Gives the new values to the controls, and creates those that were not there before. */
function follow(
  controls: Control[],
  values: readonly number[],
  now: number,
  create: () => Control,
): Control[] {
  return values.map((value, i) => {
    const control = controls[i] ?? create();
    control.handleValue(value, now);
    return control;
  });
}

function same(a: Values, b: Values): boolean {
  const equal = <T>(left: readonly T[], right: readonly T[]) =>
    left.length === right.length && left.every((value, i) => Object.is(value, right[i]));
  return equal(a.axes, b.axes) && equal(a.levels, b.levels) && equal(a.pressed, b.pressed);
}

function isNearMiddle(position: number): boolean {
  return Math.abs(position) <= NEAR_MIDDLE;
}

function isHalfWay(position: number): boolean {
  return Math.abs(position) > HALF_WAY[0] && Math.abs(position) < HALF_WAY[1];
}

function withoutDeadZone(position: number): number {
  const size = Math.min(1, Math.abs(position));
  return size <= DEAD_ZONE ? 0 : (Math.sign(position) * (size - DEAD_ZONE)) / (1 - DEAD_ZONE);
}
