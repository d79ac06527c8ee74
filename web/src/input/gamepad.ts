/**
 * Gamepads to steering and throttle, and the signs that one is gone.
 *
 * A pad that loses its radio may keep its last values for ever. **Values that do not change at all while a stick is held half way, or
 * for longer while the pad gives throttle, are no input**: a hand is never that still.
 *
 * With a hand on it, a whole pad is bit-still for that long only if its sticks know nothing but on and off. Its driver lets go and arms
 * again, which is better than a car that a dead radio drives for ever.
 */

/** What is read of a W3C `Gamepad`. */
export interface PadLike {
  readonly id: string;
  readonly index: number;
  readonly connected: boolean;
  readonly mapping: string;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean; readonly value: number }[];
}

export type PadEvent = "used" | "vanished" | "arm";

export interface PadSample {
  readonly steering: number;
  readonly throttle: number;
  readonly brake: boolean;
  readonly ageMs: number;
  readonly stale: boolean;
}

/** Buttons of the standard mapping (W3C Gamepad, section 11). */
const BUTTON_ARM = 0;
const BUTTON_BRAKE = 1;
const LEFT_TRIGGER = 6;
const RIGHT_TRIGGER = 7;

/** Rest position of worn sticks. */
const DEAD_ZONE = 0.08;
/** A stick or button beyond this is meant. */
const DELIBERATE = 0.25;
/** Between rest and stop, in which no hand holds a stick or trigger still. */
const HALF_WAY = [0.2, 0.98] as const;
/** So long may nothing change with a stick half way. */
const STICK_STILL_MS = 1_000;
/** Triggers have 8 bits and a spring behind a finger: they rest longer on one value. */
const TRIGGER_STILL_MS = 3_000;
/** So long may nothing at all change while there is throttle, full throttle included: longer than a straight is driven without a correction. */
const DRIVING_STILL_MS = 5_000;
/** Throttle beyond this drives; the drive's own dead band is of this size. */
const NEUTRAL = 0.05;

interface Track {
  readonly pad: PadLike;
  readonly seenAt: number;
  readonly changedAt: number;
}

export class Gamepads {
  #tracks = new Map<number, Track>();
  #inUse: number | null = null;

  /** Whether any pad is there. */
  get present(): boolean {
    return this.#tracks.size > 0;
  }

  /** Takes the result of `navigator.getGamepads()`. */
  handlePads(pads: readonly (PadLike | null)[], now: number): PadEvent[] {
    const events: PadEvent[] = [];
    const before = this.#tracks;
    this.#tracks = new Map();
    for (const pad of pads) {
      if (!pad?.connected) continue;
      const old = before.get(pad.index);
      const known = old?.pad.id === pad.id ? old : null;
      // The first look only tells where the sticks are: a pad that comes back with frozen values has not been touched.
      const changed = known === null || !sameValues(known.pad, pad);
      this.#tracks.set(pad.index, { pad: copy(pad), seenAt: now, changedAt: changed ? now : known.changedAt });
      if (known === null || !changed) continue;
      if (isDeliberate(known.pad, pad)) {
        this.#inUse = pad.index;
        events.push("used");
      }
      if (pressed(pad, BUTTON_ARM) && !pressed(known.pad, BUTTON_ARM)) events.push("arm");
    }
    const last = this.#inUse === null ? undefined : before.get(this.#inUse);
    if (last && this.#tracks.get(last.pad.index)?.pad.id !== last.pad.id) {
      this.#inUse = null;
      events.push("vanished");
    }
    return events;
  }

  /** The pad in use; `null` if there is none. */
  sample(now: number): PadSample | null {
    const track = this.#inUse === null ? undefined : this.#tracks.get(this.#inUse);
    if (!track) return null;
    const { pad, seenAt, changedAt } = track;
    const throttle = throttleOf(pad);
    const still = now - changedAt;
    const stale =
      (still > STICK_STILL_MS && sticks(pad).some(isHalfWay)) ||
      (still > TRIGGER_STILL_MS && [LEFT_TRIGGER, RIGHT_TRIGGER].some((button) => isHalfWay(value(pad, button)))) ||
      (still > DRIVING_STILL_MS && Math.abs(throttle) > NEUTRAL);
    return {
      steering: withoutDeadZone(pad.axes[0] ?? 0),
      throttle,
      brake: pressed(pad, BUTTON_BRAKE),
      ageMs: stale ? still : now - seenAt,
      stale,
    };
  }
}

function throttleOf(pad: PadLike): number {
  if (pad.mapping === "standard") return value(pad, RIGHT_TRIGGER) - value(pad, LEFT_TRIGGER);
  return withoutDeadZone(-(pad.axes[1] ?? 0));
}

/** Axes that spring back: a throttle slider of a joystick rests anywhere. */
function sticks(pad: PadLike): readonly number[] {
  return pad.axes.slice(0, pad.mapping === "standard" ? 4 : 2);
}

function isHalfWay(position: number): boolean {
  return Math.abs(position) > HALF_WAY[0] && Math.abs(position) < HALF_WAY[1];
}

function withoutDeadZone(position: number): number {
  const size = Math.min(1, Math.abs(position));
  return size <= DEAD_ZONE ? 0 : (Math.sign(position) * (size - DEAD_ZONE)) / (1 - DEAD_ZONE);
}

function pressed(pad: PadLike, button: number): boolean {
  return pad.buttons[button]?.pressed ?? false;
}

function value(pad: PadLike, button: number): number {
  return pad.buttons[button]?.value ?? 0;
}

function sameValues(a: PadLike, b: PadLike): boolean {
  return (
    a.axes.length === b.axes.length &&
    a.axes.every((position, axis) => position === b.axes[axis]) &&
    a.buttons.every(
      ({ value: of, pressed: is }, button) => of === b.buttons[button]?.value && is === pressed(b, button),
    )
  );
}

/** Whether something that moved since the last look is now clearly away from rest. */
function isDeliberate(before: PadLike, after: PadLike): boolean {
  return (
    sticks(after).some((position, axis) => position !== before.axes[axis] && Math.abs(position) > DELIBERATE) ||
    after.buttons.some(
      (_, button) => value(after, button) > DELIBERATE && value(after, button) !== value(before, button),
    )
  );
}

/** Browsers may update the objects that they returned before. */
function copy({ id, index, connected, mapping, axes, buttons }: PadLike): PadLike {
  return {
    id,
    index,
    connected,
    mapping,
    axes: [...axes],
    buttons: buttons.map((button) => ({ pressed: button.pressed, value: button.value })),
  };
}
