/**
 * Finds out what the controls of a device mean: asks for one movement or press after the other, and
 * watches what changes.
 *
 * ```text
 *  still ──1 s without a change──► left ──► right ──► forward ──► backward ──► arm ──► brake ──► done
 *                                   └── each: moved far ──► let go again (or held still) ──► next
 * ```
 *
 * **Where a control rests is where it comes back to**, not what the browser said before: some list
 * an axis as 0 until its first event. A control that stays where it was put is a wheel or a slider;
 * its rest is where it was.
 */

import { MIN_WAY } from "./controls";
import { axis, button, LEVER, STICK, type Mapping, type Part, type Source } from "./mapping";
import type { PadLike } from "./pad";

export type Step = "still" | Part | "done";

/** What is asked for, in this order. */
const ASKED: readonly Part[] = ["left", "right", "forward", "backward", "arm", "brake"];
/** These may be left out; a device without the others cannot drive alone. */
const PRESSES: ReadonlySet<Part> = new Set(["arm", "brake"]);

/** Nothing has moved for this long: nobody holds the device. */
const STILL_MS = 1_000;
/** A control is back at its rest when it has not moved for this long. */
const BACK_MS = 400;
/** One that does not come back for this long stays where it was put. */
const STAYS_MS = 2_500;
/** Changes up to this are noise. */
const NOISE = 0.03;
/** A movement must be this far: half of the way of a stick. */
const FAR = 0.5;
/** Beyond this the end of the way is the end of the axis. */
const NEARLY = 0.85;
/** A middle or an end is taken for exactly that within this. */
const ROUND = 0.08;

interface Candidate {
  readonly index: number;
  /** The value when the step began. */
  readonly before: number;
  readonly peak: number;
  /** Since when it has been at `at`. */
  readonly at: number;
  readonly since: number;
}

export class Wizard {
  readonly #index: number;
  readonly #id: string;
  #step: Step = "still";
  #parts: Record<Part, Source | null> = { ...NOTHING };
  #stays = false;
  #base: readonly number[] | null = null;
  #pressed: readonly boolean[] = [];
  /** Axes that have said where they are: browsers list one as exactly 0 until its first event. */
  #heard = new Set<number>();
  #stillSince: number | null = null;
  #candidate: Candidate | null = null;
  /** A button that went down, and may belong to an axis. */
  #held: number | null = null;

  /** For the device with this index and id. */
  constructor(index: number, id: string) {
    this.#index = index;
    this.#id = id;
  }

  get step(): Step {
    return this.#step;
  }

  /** What was found so far. */
  get parts(): Readonly<Record<Part, Source | null>> {
    return this.#parts;
  }

  /** The control was moved, and has to be let go now. */
  get letGo(): boolean {
    return this.#candidate !== null;
  }

  /** `null` before the end, and if nothing was found that steers or drives. */
  mapping(): Mapping | null {
    const { left, right, forward, backward } = this.#parts;
    if (this.#step !== "done" || (!left && !right && !forward && !backward)) return null;
    const oneStick =
      forward?.kind === "axis" && backward?.kind === "axis" && forward.index === backward.index;
    const throttle = oneStick ? STICK : LEVER;
    return { ...this.#parts, wheel: this.#stays, steering: STICK, throttle };
  }

  /** This device has no such part. */
  handleSkip(): void {
    if (this.#step !== "still" && this.#step !== "done") this.#next(this.#step);
  }

  /** Takes the result of `navigator.getGamepads()`. */
  handlePads(pads: readonly (PadLike | null | undefined)[], now: number): void {
    const seen = pads.find((pad) => pad?.index === this.#index && pad.id === this.#id);
    if (!seen?.connected || this.#step === "done") return;
    const axes = seen.axes.map((value, i) =>
      Number.isFinite(value) ? Math.min(1, Math.max(-1, value)) : (this.#base?.[i] ?? 0),
    );
    const pressed = seen.buttons.map((state) => state.pressed || state.value > FAR);
    if (this.#step === "still") return this.#wait(axes, pressed, now);
    this.#hear(axes);
    this.#watch(this.#step, axes, pressed, now);
  }

  #wait(axes: readonly number[], pressed: readonly boolean[], now: number): void {
    const moved = this.#base?.some((before, i) => Math.abs((axes[i] ?? 0) - before) > NOISE);
    if (moved !== false || this.#base?.length !== axes.length) {
      this.#base = axes;
      this.#stillSince = now;
    }
    this.#pressed = pressed;
    if (now - (this.#stillSince ?? now) < STILL_MS) return;
    axes.forEach((at, i) => at !== 0 && this.#heard.add(i));
    this.#next("still");
  }

  /**
   * The first event of an axis that was listed as 0 may say that it rests at an end, as pedals do:
   * a hand passes values in between. A hat does not; it is back at exactly 0 when it is let go.
   */
  #hear(axes: readonly number[]): void {
    this.#base = (this.#base ?? axes).map((before, i) => {
      const at = axes[i] ?? before;
      if (this.#heard.has(i) || at === before) return before;
      if (before === 0 && Math.abs(at) >= NEARLY) return at;
      if (before !== 0 && at !== 0 && Math.abs(at) >= NEARLY) return before;
      this.#heard.add(i);
      return at === 0 ? 0 : before;
    });
  }

  #watch(step: Part, axes: readonly number[], pressed: readonly boolean[], now: number): void {
    const down = pressed.findIndex((isDown, i) => isDown && this.#pressed[i] === false);
    this.#pressed = pressed;
    if (this.#candidate !== null) return this.#follow(step, this.#candidate, axes, now);
    if (down >= 0 && this.#isFree(button(down))) {
      if (PRESSES.has(step)) return this.#found(step, button(down));
      this.#held ??= down;
    }
    this.#candidate = this.#farthest(axes, now);
    // Some triggers are a button and an axis, and the axis says more.
    if (this.#candidate !== null) this.#held = null;
    else if (this.#held !== null && pressed[this.#held] !== true)
      this.#found(step, button(this.#held));
  }

  /** The axis that has moved farthest, if that is far. */
  #farthest(axes: readonly number[], now: number): Candidate | null {
    let best: Candidate | null = null;
    for (const [index, at] of axes.entries()) {
      const before = this.#base?.[index] ?? 0;
      const way = Math.abs(at - before);
      if (!this.#isFree(axis(index, before, at))) continue;
      if (way < FAR || way <= Math.abs((best?.peak ?? 0) - (best?.before ?? 0))) continue;
      best = { index, before, peak: at, at, since: now };
    }
    return best;
  }

  #follow(step: Part, candidate: Candidate, axes: readonly number[], now: number): void {
    const { index, before, peak, since } = candidate;
    const at = axes[index] ?? before;
    const farther = Math.abs(at - before) > Math.abs(peak - before);
    const still = Math.abs(at - candidate.at) <= NOISE;
    this.#candidate = {
      index,
      before,
      peak: farther ? at : peak,
      at: still ? candidate.at : at,
      since: still ? since : now,
    };
    const back = Math.abs(at - peak) >= MIN_WAY;
    if (!still || now - since < (back ? BACK_MS : STAYS_MS)) return;
    if (!back && (step === "left" || step === "right")) this.#stays = true;
    const rest = rounded(back ? at : before);
    const to = Math.abs(peak) >= NEARLY ? Math.sign(peak) : peak;
    if (Math.abs(to - rest) < MIN_WAY) return;
    const source = axis(index, rest, to);
    if (this.#isFree(source)) this.#found(step, source);
    else this.#candidate = null;
  }

  /** Nothing else is known to use it. */
  #isFree(source: Source): boolean {
    return Object.values(this.#parts).every(
      (used) =>
        used === null ||
        used.kind !== source.kind ||
        used.index !== source.index ||
        (used.kind === "axis" && source.kind === "axis" && !sameWay(used, source)),
    );
  }

  #found(step: Part, source: Source): void {
    this.#parts = { ...this.#parts, [step]: source };
    if (source.kind === "axis") {
      this.#base = this.#base?.map((at, i) => (i === source.index ? source.from : at)) ?? null;
      this.#pair(step, source);
    }
    this.#next(step);
  }

  /** Both directions of one axis have one rest. */
  #pair(step: Part, { index, from }: Extract<Source, { kind: "axis" }>): void {
    const other = OTHER[step];
    const source = other === undefined ? null : this.#parts[other];
    if (other === undefined || source?.kind !== "axis" || source.index !== index) return;
    this.#parts = { ...this.#parts, [other]: { ...source, from } };
  }

  #next(step: Step): void {
    this.#candidate = this.#held = null;
    const at = step === "still" ? -1 : ASKED.indexOf(step as Part);
    this.#step = ASKED[at + 1] ?? "done";
  }
}

const NOTHING: Readonly<Record<Part, null>> = {
  left: null,
  right: null,
  forward: null,
  backward: null,
  arm: null,
  brake: null,
  reverse: null,
};

const OTHER: Readonly<Partial<Record<Part, Part>>> = {
  left: "right",
  right: "left",
  forward: "backward",
  backward: "forward",
};

/** Whether a step may be left out without a loss that matters much. */
export function isPress(step: Step): boolean {
  return step !== "still" && step !== "done" && PRESSES.has(step);
}

function sameWay(a: { from: number; to: number }, b: { from: number; to: number }): boolean {
  return Math.sign(a.to - a.from) === Math.sign(b.to - b.from);
}

function rounded(rest: number): number {
  for (const place of [-1, 0, 1]) if (Math.abs(rest - place) <= ROUND) return place;
  return rest;
}
