/** How old the picture on the screen is, from the time stamps of its frames. */

import type { FrameClock } from "../link/sight";

/** The age shown is the median of this many frames: half a second at 30 Hz, so it can be read. */
const FRAMES = 15;
/** After this time without a frame, the last frame's growing age replaces the median. */
const FROZEN_MS = 250;

/** One frame as the browser presented it. */
export interface PresentedFrame {
  /** On this page's clock, in ms. */
  readonly presentedAt: number;
  /** `null` in browsers that do not report it. */
  readonly rtpTimestamp: number | null;
  readonly width: number;
  readonly height: number;
  /** Frames presented so far, including those that no callback saw. */
  readonly count: number;
}

export class Picture {
  #ages: number[] = [];
  #last: PresentedFrame | null = null;

  get last(): PresentedFrame | null {
    return this.#last;
  }

  handleFrame(frame: PresentedFrame, clock: FrameClock): void {
    this.#last = frame;
    if (frame.rtpTimestamp === null) return;
    const age = clock.pictureAgeMs(frame.rtpTimestamp, frame.presentedAt);
    if (age === null || !Number.isFinite(age)) this.#ages = [];
    else this.#ages = [...this.#ages.slice(1 - FRAMES), age];
  }

  /**
   * Age at `now` in ms; `null` while unknown. A frozen picture is at least as old as the time that
   * it has been on the screen.
   */
  ageMs(now: number): number | null {
    if (this.#last === null) return null;
    const newest = this.#ages.at(-1);
    const sinceLast = now - this.#last.presentedAt;
    if (sinceLast > FROZEN_MS) return (newest ?? 0) + sinceLast;
    if (newest === undefined) return null;
    return [...this.#ages].sort((a, b) => a - b)[this.#ages.length >> 1] ?? null;
  }
}
