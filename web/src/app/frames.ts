/** Watches which frames of a video the browser presents, and when. */

import type { PresentedFrame } from "../core/app/picture";

/**
 * Times of presentation that are further from now are of another clock, or of a page that stood
 * still.
 */
const OTHER_CLOCK_MS = 100;

/** Calls back for every presented frame of the element until it is told to stop. */
export function watchFrames(
  video: HTMLVideoElement,
  onFrame: (frame: PresentedFrame) => void,
): () => void {
  // Firefox before 132 has no such callback. The type says otherwise.
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
 * A time of this page's clock, not after now. One that is far off must neither keep a picture from
 * being seen nor keep it young.
 */
function nearNow(presented: number): number {
  const now = performance.now();
  return Math.abs(now - presented) <= OTHER_CLOCK_MS ? Math.min(now, presented) : now;
}

/**
 * The same with what older browsers tell: how many frames the element has shown, asked for whenever
 * the page is drawn.
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
  // Firefox counts no frames of a stream there. Its time is the last resort: it goes on for a while
  // when frames do not.
  return (
    totalVideoFrames - droppedVideoFrames || (video.mozPaintedFrames ?? 0) || video.currentTime
  );
}
