/**
 * Calibrating a car from its cockpit: what the person wants, what the car has, and what the car is
 * asked for.
 *
 * One request at a time, and sets at most every 250 ms: the car writes each of them to its card.
 * Values that are moved meanwhile wait, and only the newest are sent. Whatever the car refuses,
 * the values on the screen go back to what it has.
 */

import type {
  CalibrationAction,
  CalibrationRequest,
  CalibrationState,
  CalibrationValues,
  Refusal,
} from "../../protocol/calibration";

const SPACING_MS = 250;
/** A request without an answer for so long is lost: the drive's answers take some ms. */
const PATIENCE_MS = 3_000;

export interface Effect {
  readonly kind: "send";
  readonly request: CalibrationRequest;
}

/** What the panel shows. */
export interface CalibrationView {
  /** What the person wants, or what the car has. */
  readonly values: CalibrationValues;
  /** Values of its own stand over the car's configuration. */
  readonly own: boolean;
  /** The car lets this page calibrate it. */
  readonly open: boolean;
  /** The car has not yet taken what the person wants. */
  readonly waiting: boolean;
  readonly changed: boolean;
  readonly fault: string | null;
  readonly refused: Refusal | null;
  /** The car did not answer. */
  readonly silent: boolean;
}

export class Calibration {
  #car: CalibrationState | null = null;
  /** Values at the opening of the panel. */
  #before: CalibrationState | null = null;
  #wanted: CalibrationValues | null = null;
  #refused: Refusal | null = null;
  #silent = false;
  #next: CalibrationAction[] = [];
  #asked: { readonly id: number; readonly action: CalibrationAction; readonly at: number } | null =
    null;
  #setAt = -Infinity;
  #ids = 0;
  #effects: Effect[] = [];

  /** `null`: this car cannot be calibrated, or has not said that it can. */
  get view(): CalibrationView | null {
    if (this.#car === null) return null;
    const { own, open, fault } = this.#car;
    const waiting = this.#asked !== null || this.#wanted !== null || this.#next.length > 0;
    const values = this.#wanted ?? this.#car.values;
    const changed = this.#before !== null && !same(values, this.#before.values);
    const [refused, silent] = [this.#refused, this.#silent];
    return { values, own, open, waiting, changed, fault, refused, silent };
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  pollTimeout(): number | null {
    if (this.#asked !== null) return this.#asked.at + PATIENCE_MS;
    return this.#wanted === null ? null : this.#setAt + SPACING_MS;
  }

  handleTimeout(now: number): void {
    if (this.#asked !== null && now >= this.#asked.at + PATIENCE_MS) {
      this.#asked = null;
      this.#silent = true;
      this.#next = [];
      this.#wanted = null;
    }
    this.#go(now);
  }

  /** The panel opens. */
  handleOpen(now: number): void {
    this.#before = this.#car;
    this.#refused = null;
    this.#want("begin", now);
  }

  /** The panel closes. */
  handleClose(now: number): void {
    this.#before = null;
    this.#want("end", now);
  }

  handleChange(values: CalibrationValues, now: number): void {
    this.#wanted = values;
    this.#refused = null;
    this.#go(now);
  }

  /** Back to the values at the opening of the panel. */
  handleUndo(now: number): void {
    if (this.#before === null) return;
    if (this.#before.own) this.handleChange(this.#before.values, now);
    else this.handleForget(now);
  }

  /** Back to the car's configuration. */
  handleForget(now: number): void {
    this.#wanted = null;
    this.#refused = null;
    this.#want("forget", now);
  }

  handleState(state: CalibrationState, now: number): void {
    this.#car = state;
    this.#silent = false;
    if (state.id !== this.#asked?.id) return;
    const { action } = this.#asked;
    this.#asked = null;
    if (state.refused !== null) {
      this.#refused = state.refused;
      this.#wanted = null;
    }
    if (action === "begin") this.#before = state;
    this.#go(now);
  }

  /** Another session, or none. */
  handleNewSession(): void {
    this.#car = null;
    this.#before = null;
    this.#wanted = null;
    this.#refused = null;
    this.#silent = false;
    this.#asked = null;
    this.#next = [];
  }

  #want(action: CalibrationAction, now: number): void {
    this.#next = [...this.#next.filter((waiting) => waiting !== action), action];
    this.#go(now);
  }

  #go(now: number): void {
    if (this.#car === null || this.#asked !== null) return;
    const action = this.#next.shift();
    if (action !== undefined) return this.#ask(action, null, now);
    if (this.#wanted === null || now < this.#setAt + SPACING_MS) return;
    const values = this.#wanted;
    this.#wanted = null;
    this.#setAt = now;
    this.#ask("set", values, now);
  }

  #ask(action: CalibrationAction, values: CalibrationValues | null, now: number): void {
    this.#silent = false;
    this.#ids += 1;
    this.#asked = { id: this.#ids, action, at: now };
    // Shown until the answer comes.
    if (values !== null && this.#car !== null) this.#car = { ...this.#car, values };
    this.#effects.push({ kind: "send", request: { id: this.#ids, action, values } });
  }
}

function same(one: CalibrationValues, other: CalibrationValues): boolean {
  return (Object.keys(one) as (keyof CalibrationValues)[]).every((key) => one[key] === other[key]);
}
