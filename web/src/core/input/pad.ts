/**
 * One gamepad, wheel or set of pedals: what it gives, and whether somebody moves it.
 *
 * A mapping says what its controls mean. **Only controls that steer or drive count** for a
 * take-over and as a sign of a hand: an unused stick may be worn, or lean on something. Values that
 * are no number, or far out of range, are ignored.
 */

import { DELIBERATE, Lever, Stick, type AxisSource, type Control } from "./control";
import {
  mappingOf,
  nameOf,
  NOISE,
  shaped,
  STANDARD,
  type DeviceLike,
  type Mapping,
  type Part,
  type Source,
} from "./mapping";

/** What is read of a W3C `Gamepad`. */
export interface PadLike extends DeviceLike {
  readonly index: number;
  readonly connected: boolean;
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[];
}

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
/** Time to read that a device has to be set up, and to follow. */
const TOUCHED_MS = 15_000;
/** Throttle beyond this drives. Same size as the drive's dead band. */
export const NEUTRAL = 0.05;
/** An axis, a trigger or a pedal used as a button is pressed from here on. */
const PRESSED = 0.5;
/** Drivers of devices round a little beyond the ends. What is farther away is no position. */
const BEYOND = 1.05;

/**
 * Names a pad as long as it is plugged in. The mapping is part of it, as it changes what the axes
 * mean.
 */
export function keyOf({ id, index, mapping }: PadLike): string {
  return `${index} ${mapping} ${id}`;
}

export class Pad {
  readonly key: string;
  readonly name: string;
  /** `null`: nobody has said what its controls mean, so it is no input. */
  readonly mapping: Mapping | null;
  /** The arm button went down at the last look. */
  armPressed = false;
  /** Since when it moves as if to take over from another pad. */
  asksSince: number | null = null;

  #values: Values;
  /** The axes that steer or drive, each once. */
  readonly #sticks: { readonly stick: Stick; readonly index: number }[] = [];
  readonly #pedals: { readonly pedal: Lever; readonly source: AxisSource }[] = [];
  #buttons: Control[];
  /** Buttons that were seen released: a button that is down at the first look may be stuck. */
  #works: boolean[];
  readonly #steering: Way;
  readonly #throttle: Way;
  #seenAt: number;
  #changedAt: number;
  #movedAt = -Infinity;
  #touchedAt = -Infinity;
  /** Its axes when it was last touched, or first seen. */
  #touchedFrom: readonly number[];
  #pressed = new Set<Part>();
  #released = new Set<Part>();

  /** `nth`: how many devices of this id the browser lists up to this one. */
  constructor(seen: PadLike, saved: ReadonlyMap<string, Mapping>, now: number, nth = 1) {
    this.key = keyOf(seen);
    this.name = nameOf(seen.id);
    this.mapping = mappingOf(seen, saved, nth);
    this.#values = read(seen);
    this.#touchedFrom = this.#values.axes;
    this.#seenAt = now;
    this.#changedAt = now;
    this.#works = this.#values.pressed.map((down) => !down);
    this.#buttons = [];
    const { left = null, right = null, forward = null, backward = null } = this.mapping ?? {};
    this.#steering = this.#way(left, right, this.mapping?.wheel ?? false);
    this.#throttle = this.#way(backward, forward, false);
    for (const part of PRESSES) {
      const source = this.mapping?.[part];
      if (source?.kind === "axis") this.#pedal(source);
    }
    this.#measure(now);
    this.#press();
    this.handleLetBe();
  }

  /** Whether it has a part that steers. */
  get steers(): boolean {
    return this.#steering !== NO_WAY;
  }

  /** Whether it has a part that drives. */
  get drives(): boolean {
    return this.#throttle !== NO_WAY;
  }

  handleLook(seen: PadLike, now: number): void {
    const before = this.#values;
    const values = (this.#values = read(seen, before));
    this.#seenAt = now;
    this.#works = values.pressed.map((down, index) => this.#works[index] === true || !down);
    this.#measure(now);
    const armed = this.#pressed.has("arm");
    this.#press();
    this.armPressed = this.#pressed.has("arm") && !armed;
    if (same(before, values)) return;
    if (this.#isTouched(before.pressed)) {
      this.#touchedAt = now;
      // A wheel that stays turned, or a lever that stays in gear, is touched once.
      this.#touchedFrom = values.axes;
    }
    this.#changedAt = now;
    if (this.#movable().some((control) => control.stirred)) this.#movedAt = now;
  }

  /**
   * Somebody has moved what steers or drives by a good part of its way, or pressed an ordinary
   * button, since the last `handleLetBe`.
   */
  get moved(): boolean {
    return this.#movable().some((control) => control.moved);
  }

  /** Without a mapping: somebody touched it not long ago. */
  get touched(): boolean {
    return this.#seenAt - this.#touchedAt <= TOUCHED_MS;
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
    return this.mapping !== null && this.#all().some((control) => control.stirred);
  }

  get brake(): boolean {
    return this.#pressed.has("brake");
  }

  get steering(): number {
    return this.mapping === null ? 0 : shaped(this.#steering.at(), this.mapping.steering);
  }

  get throttle(): number {
    if (this.mapping === null) return 0;
    const value = shaped(this.#throttle.at(), this.mapping.throttle);
    return this.#pressed.has("reverse") ? -value : value;
  }

  /** Its values stand still where a hand would move. */
  isStale(now: number): boolean {
    const still = now - this.#changedAt;
    const stands = (controls: readonly Control[]) => controls.some(({ halfWay }) => halfWay);
    // A wheel without a motor stays where it is put.
    const stays = this.mapping?.wheel === true ? this.#steering.controls() : [];
    const sticks = this.#sticks.map(({ stick }) => stick).filter((stick) => !stays.includes(stick));
    return (
      (still > STICK_STILL_MS && stands(sticks)) ||
      (still > TRIGGER_STILL_MS && stands(this.#levers())) ||
      (still > DRIVING_STILL_MS && Math.abs(this.throttle) > NEUTRAL)
    );
  }

  ageMs(now: number): number {
    return now - (this.isStale(now) ? this.#changedAt : this.#seenAt);
  }

  #isTouched(before: readonly boolean[]): boolean {
    const { axes, pressed } = this.#values;
    return (
      axes.some((at, index) => Math.abs(at - (this.#touchedFrom[index] ?? at)) >= 2 * DELIBERATE) ||
      pressed.some((down, index) => down && before[index] !== true && this.#works[index] === true)
    );
  }

  #measure(now: number): void {
    const { axes, levels } = this.#values;
    const all = [
      ...this.#sticks.map(({ stick, index }) => [stick, index] as const),
      ...this.#pedals.map(({ pedal, source }) => [pedal, source.index] as const),
    ];
    for (const [control, index] of all) {
      const value = axes[index];
      if (value === undefined) control.handleGone();
      else control.handleValue(value, now);
    }
    this.#buttons = levels.map((level, index) => {
      const control = this.#buttons[index] ?? new Lever();
      control.handleValue(level, now);
      return control;
    });
  }

  /** Presses of what is a button, or is used as one. */
  #press(): void {
    for (const part of PRESSES) {
      const down = this.#isDown(this.mapping?.[part] ?? null);
      if (!down) this.#released.add(part);
      if (down && this.#released.has(part)) this.#pressed.add(part);
      else this.#pressed.delete(part);
    }
  }

  #isDown(source: Source | null): boolean {
    if (source === null) return false;
    if (source.kind === "axis") return this.#pedal(source).at >= PRESSED;
    return this.#works[source.index] === true && this.#values.pressed[source.index] === true;
  }

  /** One axis with two directions, or two controls that count against each other. */
  #way(minus: Source | null, plus: Source | null, fixed: boolean): Way {
    if (minus === null && plus === null) return NO_WAY;
    if (
      minus?.kind === "axis" &&
      plus?.kind === "axis" &&
      minus.index === plus.index &&
      minus.from === plus.from
    ) {
      const { index, from: middle } = minus;
      const doubtful = this.mapping !== STANDARD && !fixed;
      const stick = new Stick({ middle, minus: minus.to, plus: plus.to, fixed, doubtful });
      this.#sticks.push({ stick, index });
      return { at: () => stick.at, controls: () => [stick] };
    }
    const [less, more] = [this.#lever(minus), this.#lever(plus)];
    const level = (lever: () => Control | null) => {
      const at = lever()?.at ?? 0;
      return at < NOISE ? 0 : at;
    };
    return {
      at: () => level(more) - level(less),
      controls: () => [less(), more()].filter((control) => control !== null),
    };
  }

  #lever(source: Source | null): () => Control | null {
    if (source === null) return () => null;
    if (source.kind === "button") return () => this.#buttons[source.index] ?? null;
    const pedal = this.#pedal(source);
    return () => pedal;
  }

  #pedal(source: AxisSource): Lever {
    const known = this.#pedals.find(({ source: other }) => other === source);
    if (known) return known.pedal;
    const pedal = new Lever(source.from, source.to);
    this.#pedals.push({ pedal, source });
    return pedal;
  }

  #levers(): readonly Control[] {
    const sticks = new Set<Control>(this.#sticks.map(({ stick }) => stick));
    const used = [...this.#steering.controls(), ...this.#throttle.controls()];
    return used.filter((control) => !sticks.has(control));
  }

  /**
   * What steers or drives, and the ordinary buttons. The arm and brake buttons work on every pad,
   * in use or not.
   */
  #movable(): readonly Control[] {
    if (this.mapping === null) return [];
    const special = new Set(
      PRESSES.map((part) => this.mapping?.[part]).map((source) =>
        source?.kind === "button" ? source.index : -1,
      ),
    );
    const ordinary = this.#buttons.filter((_, index) => !special.has(index));
    return [...new Set([...this.#steering.controls(), ...this.#throttle.controls(), ...ordinary])];
  }

  #all(): readonly Control[] {
    return [
      ...this.#sticks.map(({ stick }) => stick),
      ...this.#pedals.map(({ pedal }) => pedal),
      ...this.#buttons,
    ];
  }
}

/** Parts that are pressed or not. */
const PRESSES = ["arm", "brake", "reverse"] as const;

/** What steers, or what drives: −1…1, and the controls that it is made of. */
interface Way {
  readonly at: () => number;
  readonly controls: () => readonly Control[];
}

const NO_WAY: Way = { at: () => 0, controls: () => [] };

interface Values {
  readonly axes: readonly number[];
  readonly levels: readonly number[];
  readonly pressed: readonly boolean[];
}

/**
 * Copies, because browsers may update the objects that they returned before. What is no position
 * (NaN, infinite, a hat that rests at 1.29) is as `before`, or NaN without one.
 */
function read({ axes, buttons }: PadLike, before?: Values): Values {
  const within = (value: unknown, least: number, last = NaN) =>
    typeof value === "number" && value >= least - (BEYOND - 1) && value <= BEYOND
      ? Math.min(1, Math.max(least, value))
      : last;
  return {
    axes: [...axes].map((position, i) => within(position, -1, before?.axes[i])),
    levels: [...buttons].map(({ value }, i) => within(value, 0, before?.levels[i])),
    pressed: [...buttons].map(({ pressed }) => pressed),
  };
}

function same(a: Values, b: Values): boolean {
  const equal = <T>(left: readonly T[], right: readonly T[]) =>
    left.length === right.length && left.every((value, i) => Object.is(value, right[i]));
  return equal(a.axes, b.axes) && equal(a.levels, b.levels) && equal(a.pressed, b.pressed);
}
