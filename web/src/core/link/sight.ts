/**
 * Whether the driver sees where the car is.
 *
 * **Nobody can drive by a picture that has stopped, or that shows where the car was half a second
 * ago**, however quick the car's answers are. What counts is the newest frame on the screen: how
 * old it was when it appeared, plus the time since then. In a browser that gives frames no time
 * stamp, only the time since then is known.
 *
 * The driver counts as blind at once, because a moment is too long already. Seeing again takes a
 * while, so that a picture that stutters at the limit does not change the state with each frame.
 */

import { MAX_RTT_MS } from "./watch";

/**
 * Oldest picture to drive by. The round trip has the same limit for the same reason: at 3 m/s the
 * car is 1.5 m from where it is seen. A stopped picture reaches this age soon, as frames come every
 * 33 ms.
 */
export const MAX_PICTURE_AGE_MS = MAX_RTT_MS;
/**
 * The picture must be young at every look for this long: longer than a single frame stays young.
 */
const CONVINCING_MS = MAX_PICTURE_AGE_MS;
/**
 * A page that looks at 50 Hz and did not look for this long stood still itself: what it saw before
 * says nothing about now.
 */
export const STOOD_STILL_MS = 250;

/** Why the driver does not see where the car is. */
export type Blindness = "no-picture" | "picture-stopped" | "picture-old";

/** The car's clock, as far as it is needed here. */
export interface FrameClock {
  /**
   * How old the picture with this time stamp is at `now`, in ms; `null` while the clock is unknown,
   * `Infinity` if the age is impossible.
   */
  pictureAgeMs(rtpTimestamp: number, now: number): number | null;
}

/** One for each peer connection. */
export class Sight {
  #presentedAt: number | null = null;
  /** `null` in browsers that give no time stamps. */
  #rtpTimestamp: number | null = null;
  #blind: Blindness | null = "no-picture";
  #goodSince: number | null = null;
  #lookedAt = -Infinity;

  handleFrame(presentedAt: number, rtpTimestamp: number | null): void {
    this.#presentedAt = presentedAt;
    this.#rtpTimestamp = rtpTimestamp;
  }

  /** Why the driver does not see; `null` if they do. As of the last look. */
  get blind(): Blindness | null {
    return this.#blind;
  }

  /** To be called for every control frame that is due. */
  handleLook(now: number, clock: FrameClock): void {
    const stoodStill = now - this.#lookedAt > STOOD_STILL_MS;
    this.#lookedAt = now;
    const why = this.#judge(now, clock);
    if (why !== null) {
      this.#blind = why;
      this.#goodSince = null;
    } else if (this.#blind !== null) {
      if (stoodStill) this.#goodSince = null;
      this.#goodSince ??= now;
      if (now - this.#goodSince > CONVINCING_MS) this.#blind = null;
    }
  }

  #judge(now: number, clock: FrameClock): Blindness | null {
    if (this.#presentedAt === null) return "no-picture";
    const since = Math.max(0, now - this.#presentedAt);
    const age = this.#rtpTimestamp === null ? since : clock.pictureAgeMs(this.#rtpTimestamp, now);
    if (age === null) return "no-picture";
    if (Math.max(since, age) <= MAX_PICTURE_AGE_MS) return null;
    // New frames still come, but each is old already when it appears.
    const flows = since <= MAX_PICTURE_AGE_MS && age - since > MAX_PICTURE_AGE_MS;
    return flows ? "picture-old" : "picture-stopped";
  }
}
