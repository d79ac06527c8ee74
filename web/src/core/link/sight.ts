/**
 * Whether the driver sees where the car is.
 *
 * **A picture that has stopped, or shows the car where it was half a second ago, is none to drive
 * by**, however quick the answers of the car are. What counts is the newest frame on the screen:
 * how old it was when it came there, and how long that is ago. Only where the browser gives frames
 * no time stamp is the second all that is known.
 *
 * Blind at once, as a moment of it is a moment too long. Seeing again takes a while, so that a
 * picture that stutters at the limit does not arm and disarm with each frame.
 */

import { MAX_RTT_MS } from "./watch";

/**
 * Oldest picture to drive by. The round trip may be as long, for the same reason: at 3 m/s the car
 * is 1.5 m from where it is seen. A picture that has stopped reaches it, too: frames come every 33
 * ms.
 */
export const MAX_PICTURE_AGE_MS = MAX_RTT_MS;
/** So long must every look find the picture young: longer than one frame alone can be. */
const CONVINCING_MS = MAX_PICTURE_AGE_MS;
/**
 * A page that did not look for so long, 50 Hz being its pace, stood still itself: what it saw
 * before says nothing of now.
 */
export const STOOD_STILL_MS = 250;

/** Why the driver does not see where the car is. */
export type Blindness = "no-picture" | "picture-stopped" | "picture-old";

/** The car's clock, as far as it is needed here. */
export interface FrameClock {
  /**
   * How old the picture with this time stamp is at `now`; `null` while the clock is not known,
   * `Infinity` if out of all range.
   */
  pictureAgeMs(rtpTimestamp: number, now: number): number | null;
}

/** One for each peer connection. */
export class Sight {
  #presentedAt: number | null = null;
  /** `null` in browsers that do not tell. */
  #rtpTimestamp: number | null = null;
  #blind: Blindness | null = "no-picture";
  #goodSince: number | null = null;
  #lookedAt = -Infinity;

  /** A frame came onto the screen. */
  handleFrame(presentedAt: number, rtpTimestamp: number | null): void {
    this.#presentedAt = presentedAt;
    this.#rtpTimestamp = rtpTimestamp;
  }

  /** Why the driver does not see; `null` if he does. As of the last look. */
  get blind(): Blindness | null {
    return this.#blind;
  }

  /** A control frame is due: to be called for each. */
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
    const flows = since <= MAX_PICTURE_AGE_MS && age - since > MAX_PICTURE_AGE_MS;
    return flows ? "picture-old" : "picture-stopped";
  }
}
