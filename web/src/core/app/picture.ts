/** How old the picture on the screen is, from the time stamps of its frames. */

import type { CarClock } from "../link/clock";

/** Frames whose median is shown: half a second at 30 Hz, long enough to be read. */
const FRAMES = 15;
/** After this time without a frame, the age of the last one is what counts. */
const FROZEN_MS = 250;
/** Times of presentation that are further from now are of another clock, or of a page that stood still. */
const OTHER_CLOCK_MS = 100;

/** One frame as the browser presented it. */
export interface PresentedFrame {
  /** On this page's clock, in ms. */
  readonly presentedAt: number;
  /** Absent in browsers that do not tell. */
  readonly rtpTimestamp: number | null;
  readonly width: number;
  readonly height: number;
  /** Frames presented so far, those that no callback saw included. */
  readonly count: number;
}

export class Picture {
  #ages: number[] = [];
  #last: PresentedFrame | null = null;

  get last(): PresentedFrame | null {
    return this.#last;
  }

  handleFrame(frame: PresentedFrame, clock: CarClock): void {
    this.#last = frame;
    if (frame.rtpTimestamp === null) return;
    const age = clock.pictureAgeMs(frame.rtpTimestamp, frame.presentedAt);
    if (age === null || !Number.isFinite(age)) this.#ages = [];
    else this.#ages = [...this.#ages.slice(1 - FRAMES), age];
  }

  /** Age at `now` in ms; `null` while it is not known. A frozen picture is at least as old as its place on the screen. */
  ageMs(now: number): number | null {
    if (this.#last === null) return null;
    const newest = this.#ages.at(-1);
    const sinceLast = now - this.#last.presentedAt;
    if (sinceLast > FROZEN_MS) return (newest ?? 0) + sinceLast;
    if (newest === undefined) return null;
    return [...this.#ages].sort((a, b) => a - b)[this.#ages.length >> 1] ?? null;
  }
}

/** Calls back for every presented frame of the element until it is told to stop. */
export function watchFrames(video: HTMLVideoElement, onFrame: (frame: PresentedFrame) => void): () => void {
  // Firefox before 132 has no such callback. The type says otherwise.
  if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype)) return pollFrames(video, onFrame);
  let handle = 0;
  const next = (_: number, metadata: VideoFrameCallbackMetadata) => {
    handle = video.requestVideoFrameCallback(next);
    onFrame({
      presentedAt: nearNow(metadata.presentationTime),
      rtpTimestamp: metadata.rtpTimestamp ?? null,
      width: metadata.width,
      height: metadata.height,
      count: metadata.presentedFrames,
    });
  };
  handle = video.requestVideoFrameCallback(next);
  return () => video.cancelVideoFrameCallback(handle);
}

/** A time of this page's clock, not after now. One that is far off must neither keep a picture from being seen nor keep it young. */
function nearNow(presented: number): number {
  const now = performance.now();
  return Math.abs(now - presented) <= OTHER_CLOCK_MS ? Math.min(now, presented) : now;
}

/** The same with what older browsers tell: how many frames the element has shown, asked for whenever the page is drawn. */
function pollFrames(video: HTMLVideoElement, onFrame: (frame: PresentedFrame) => void): () => void {
  let handle = 0;
  let shown = framesShown(video);
  let count = 0;
  const look = () => {
    handle = requestAnimationFrame(look);
    const now = framesShown(video);
    if (now === shown) return;
    shown = now;
    count += 1;
    const { videoWidth: width, videoHeight: height } = video;
    onFrame({ presentedAt: performance.now(), rtpTimestamp: null, width, height, count });
  };
  handle = requestAnimationFrame(look);
  return () => cancelAnimationFrame(handle);
}

/** A number that changes with each frame. */
function framesShown(video: HTMLVideoElement & { readonly mozPaintedFrames?: number }): number {
  const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
  // Firefox counts no frames of a stream there. Its time is the last resort: it goes on for a while when frames do not.
  return totalVideoFrames - droppedVideoFrames || (video.mozPaintedFrames ?? 0) || video.currentTime;
}
