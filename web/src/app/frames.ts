/** Watches which frames of a video the browser presents, and when. */

import type { PresentedFrame } from "../core/app/picture";

/**
 * A presentation time further than this from now is from another clock, or the page stood still.
 */
const OTHER_CLOCK_MS = 100;

/** Calls back for every presented frame of the element; the result stops it. */
export function watchFrames(
  video: HTMLVideoElement,
  onFrame: (frame: PresentedFrame) => void,
): () => void {
  // Firefox before 132 has no such callback, although the type says so.
  if (!("requestVideoFrameCallback" in HTMLVideoElement.prototype))
    return pollFrames(video, onFrame);
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

/**
 * Returns a time on this page's clock, not after now. A time that is far off becomes now: otherwise
 * a live picture would count as old, or an old one as young.
 */
function nearNow(presented: number): number {
  const now = performance.now();
  return Math.abs(now - presented) <= OTHER_CLOCK_MS ? Math.min(now, presented) : now;
}

/**
 * The same for older browsers: whenever the page is drawn, asks how many frames the element has
 * shown.
 */
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
  // Firefox counts no frames of a stream there. `currentTime` is the last resort, because it goes
  // on for a while after the frames have stopped.
  return (
    totalVideoFrames - droppedVideoFrames || (video.mozPaintedFrames ?? 0) || video.currentTime
  );
}
