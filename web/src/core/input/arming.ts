/**
 * Whether the driver wants the car armed, and when the car may be told.
 *
 * **Only an action of the driver's sets it; anything that stops the car clears it**, so that a car
 * that stopped moves again only when its driver says so.
 *
 * The drive arms only after input with `arm` clear (`crates/cores/drive-core/src/machine.rs`, arrow
 * 1). Frames get lost, so `arm` is not set before the car has echoed such a frame, or a later one.
 */

import { DRIVE_STATES, type DriveState } from "../../protocol/state";
import { isNewer } from "../../protocol/units";
import { isKnown, type Open } from "../../protocol/words";

/**
 * Time for the drive to follow: two round trips on a poor link, and a driver's thumb finding
 * neutral.
 */
const REACTION_MS = 3_000;

export class ArmLatch {
  #wantedSince: number | null = null;
  /** First frame with input and `arm` clear since `arm` was last set or input was last lost. */
  #clearSeq: number | null = null;
  #clearSeen = false;
  /** The drive has begun to follow, so that a stop is news and not the state from before. */
  #followed = false;

  /** The driver's wish. */
  get wanted(): boolean {
    return this.#wantedSince !== null;
  }

  /** What to send. */
  get flag(): boolean {
    return this.wanted && this.#clearSeen;
  }

  handleArm(now: number): void {
    this.#wantedSince ??= now;
  }

  handleDisarm(): void {
    if (this.flag) this.#forgetClear();
    this.#wantedSince = null;
    this.#followed = false;
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
  }

  /** The car has read this frame. */
  handleEcho(seq: number): void {
    if (this.#clearSeq !== null && !isNewer(this.#clearSeq, seq)) this.#clearSeen = true;
  }

  /** Takes the state that the car reports. One that is not known counts as not armed. */
  handleState(state: Open<DriveState>, now: number): void {
    if (this.#wantedSince === null) return;
    const follows =
      !["disarmed", "tripped", "jogging"].includes(state) && isKnown(DRIVE_STATES, state);
    if (follows) this.#followed = true;
    else if (this.#followed || now - this.#wantedSince > REACTION_MS) this.handleDisarm();
  }

  #forgetClear(): void {
    this.#clearSeq = null;
    this.#clearSeen = false;
  }
}
