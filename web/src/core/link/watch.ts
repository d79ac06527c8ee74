/**
 * Whether the link is quick enough to drive.
 *
 * **A driver who sees the car where it was half a second ago must not drive it**, even while every
 * frame arrives: fresh input about an old picture is not fresh. Two answers in a row decide either
 * way, so that one late frame changes nothing. Before the first answer there is nothing to judge.
 * That is safe, because the car is armed only after an answer (`core/input/arming.ts`).
 */

import { isNewer } from "../../protocol/units";

/**
 * Longest round trip to drive with. Control degrades from 150 to 225 ms one way (arXiv 2603.06850),
 * where the display turns amber and red. With half a second nobody can hold a curve (IEEE T-IV
 * 2024). At 3 m/s it means 1.5 m driven blind.
 */
export const MAX_RTT_MS = 500;
/**
 * Longest wait for an answer while frames are sent: twice the longest round trip, so that a slow
 * answer does not count as none.
 */
export const MAX_SILENCE_MS = 1_000;
/** Answers in a row that decide. */
const CONVINCING = 2;
/**
 * A page that sends at 50 Hz and sent nothing for this long stood still itself, and could not hear
 * an answer either.
 */
const STOOD_STILL_MS = 500;

export class LinkWatch {
  #slow = false;
  /** Answers in a row that speak against `#slow`. */
  #against = 0;
  #echoed: number | null = null;
  #lastFrameAt = -Infinity;
  /** First frame since the newest answer. */
  #waitingSince: number | null = null;

  get slow(): boolean {
    return this.#slow;
  }

  /**
   * A control frame is due. It counts even if it is not sent: a full channel is a slow link, too.
   */
  handleFrame(now: number): void {
    if (now - this.#lastFrameAt > STOOD_STILL_MS) this.#waitingSince = null;
    this.#lastFrameAt = now;
    this.#waitingSince ??= now;
    if (this.#echoed === null || now - this.#waitingSince <= MAX_SILENCE_MS) return;
    this.#slow = true;
    this.#against = 0;
  }

  /**
   * The car answered the frame `seq`, `rttMs` after it was sent. While the car hears nothing it
   * repeats its newest answer, which must not count twice.
   */
  handleEcho(seq: number, rttMs: number): void {
    if (this.#echoed !== null && !isNewer(seq, this.#echoed)) return;
    this.#echoed = seq;
    this.#waitingSince = null;
    this.#against = rttMs > MAX_RTT_MS === this.#slow ? 0 : this.#against + 1;
    if (this.#against < CONVINCING) return;
    this.#slow = !this.#slow;
    this.#against = 0;
  }
}
