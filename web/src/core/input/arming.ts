/**
 * Whether the driver wants the car armed, and when the car may be told.
 *
 * **Only an action of the driver's sets it; anything that stops the car clears it**, so that a car
 * that stopped moves again only when its driver says so.
 *
 * The drive arms only after input with `arm` clear (`crates/cores/drive-core/src/machine.rs`, arrow
 * 1). Frames get lost, so `arm` is not set before the car has echoed such a frame, or a later one.
 *
 * Frames come late or get lost, so a wish may come to nothing although nothing is wrong: a gap of
 * 80 ms ends *arming*, and after one of 250 ms the drive has to see `arm` clear once more. **As
 * long as the car has not been armed since the press, the page asks again by itself**, with `arm`
 * clear in between. It gives up after a while, and says so.
 */

import { DRIVE_STATES, type DriveState } from "../../protocol/state";
import { isNewer } from "../../protocol/units";
import { isKnown, type Open } from "../../protocol/words";

/**
 * Time for the drive to follow: two round trips on a poor link, and a driver's thumb finding
 * neutral.
 */
const REACTION_MS = 3_000;
/** A drive that has had `arm` for this long and says `disarmed` does not take it. */
const IGNORED_MS = 250;

export class ArmLatch {
  #wantedSince: number | null = null;
  /** First frame with input and `arm` clear since `arm` was last set or input was last lost. */
  #clearSeq: number | null = null;
  #clearSeen = false;
  /** First frame with `arm`, and when the car had read it. */
  #askedSeq: number | null = null;
  #askedAt: number | null = null;
  /** The drive has begun to arm since it was last asked. */
  #arming = false;
  /** It has been armed, so that a stop is news and not the state from before. */
  #armed = false;
  #failed = false;

  /** The driver's wish. */
  get wanted(): boolean {
    return this.#wantedSince !== null;
  }

  /** What to send. */
  get flag(): boolean {
    return this.wanted && this.#clearSeen;
  }

  /** The last wish came to nothing, although the page asked again and again. */
  get failed(): boolean {
    return this.#failed;
  }

  handleArm(now: number): void {
    this.#wantedSince ??= now;
    this.#failed = false;
  }

  handleDisarm(): void {
    if (this.flag) this.#forgetClear();
    this.#wantedSince = null;
    this.#armed = false;
    this.#failed = false;
    this.#forgetAsked();
  }

  /** Another session: the drive has seen nothing of it. */
  handleNewSession(): void {
    this.handleDisarm();
    this.#forgetClear();
  }

  /** A frame was sent; `input` tells whether it counts as input. */
  handleSent(seq: number, input: boolean): void {
    if (!input) this.#forgetClear();
    else if (!this.flag) this.#clearSeq ??= seq;
    else this.#askedSeq ??= seq;
  }

  /** The car has read this frame. */
  handleEcho(seq: number, now: number): void {
    if (this.#clearSeq !== null && !isNewer(this.#clearSeq, seq)) this.#clearSeen = true;
    if (this.#askedSeq !== null && !isNewer(this.#askedSeq, seq)) this.#askedAt ??= now;
  }

  /** Takes the state that the car reports. One that is not known counts as not armed. */
  handleState(state: Open<DriveState>, now: number): void {
    if (this.#wantedSince === null) return;
    if (isKnown(DRIVE_STATES, state) && FOLLOWS.has(state)) {
      if (state === "arming") this.#arming = true;
      else this.#armed = true;
      return;
    }
    // The drive leaves *tripped* with the last clear frame, so it tripped after this press: it was
    // armed in between, or has a fault.
    if (state === "tripped" && this.#askedAt !== null) return this.handleDisarm();
    // From *arming* only a fault leads to *tripped*.
    if (this.#armed || (this.#arming && state !== "disarmed")) return this.handleDisarm();
    if (now - this.#wantedSince > REACTION_MS) {
      this.handleDisarm();
      this.#failed = true;
      return;
    }
    const ignored = this.#askedAt !== null && now - this.#askedAt > IGNORED_MS;
    if (!this.#arming && !ignored) return;
    this.#forgetClear();
    this.#forgetAsked();
  }

  #forgetClear(): void {
    this.#clearSeq = null;
    this.#clearSeen = false;
  }

  #forgetAsked(): void {
    this.#askedSeq = null;
    this.#askedAt = null;
    this.#arming = false;
  }
}

const FOLLOWS: ReadonlySet<DriveState> = new Set(["arming", "armed", "holding", "braking"]);
