/** Keeps what the driver sees as a file. */

import { snapshotName } from "../core/app/snapshot";

/** Saves the frame on the screen as PNG, in its own size; nothing before the first one. */
export function saveSnapshot(video: HTMLVideoElement | null, carName: string): void {
  if (!video || video.videoWidth === 0) return;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  canvas.toBlob((blob) => {
    if (!blob) return;
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    const now = new Date();
    const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
    link.download = snapshotName(carName, local.toISOString());
    link.click();
    // The browser has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }, "image/png");
}
