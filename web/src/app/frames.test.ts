import { afterEach, describe, expect, it, vi } from "vitest";
import type { PresentedFrame } from "../core/app/picture";
import { watchFrames } from "./frames";

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A browser that draws when the test says so, and does not call back for frames. */
function oldBrowser() {
  let drawing: (() => void) | null = null;
  vi.stubGlobal("HTMLVideoElement", { prototype: {} });
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => {
    drawing = callback;
    return 1;
  });
  vi.stubGlobal("cancelAnimationFrame", () => (drawing = null));
  return { draw: () => drawing?.() };
}

const still = { totalVideoFrames: 0, droppedVideoFrames: 0, painted: 0, currentTime: 0 };

function element(counts: typeof still): HTMLVideoElement {
  const video = {
    videoWidth: 640,
    videoHeight: 360,
    getVideoPlaybackQuality: () => counts,
    get mozPaintedFrames() {
      return counts.painted;
    },
    get currentTime() {
      return counts.currentTime;
    },
  };
  return video as unknown as HTMLVideoElement;
}

describe("frames in a browser that does not call back for them", () => {
  it.each<[string, Partial<typeof still>]>([
    ["that were shown", { totalVideoFrames: 7 }],
    ["that Firefox painted", { painted: 7 }],
    ["as time goes on, where nothing counts them", { currentTime: 0.2 }],
  ])("are seen by those %s, each once", (_, change) => {
    const browser = oldBrowser();
    const counts = { ...still };
    const seen: PresentedFrame[] = [];
    const stop = watchFrames(element(counts), (frame) => seen.push(frame));
    browser.draw();
    expect(seen).toEqual([]);
    Object.assign(counts, change);
    browser.draw();
    browser.draw();
    expect(seen).toMatchObject([{ rtpTimestamp: null, width: 640, height: 360, count: 1 }]);
    stop();
    Object.assign(counts, still);
    browser.draw();
    expect(seen).toHaveLength(1);
  });

  it("are none while time goes on and the counted frames do not", () => {
    const browser = oldBrowser();
    const counts = { ...still, totalVideoFrames: 7 };
    const seen: PresentedFrame[] = [];
    watchFrames(element(counts), (frame) => seen.push(frame));
    counts.currentTime = 1;
    counts.droppedVideoFrames = 0;
    browser.draw();
    expect(seen).toEqual([]);
  });
});

describe("a frame of which the browser tells when it was presented", () => {
  it.each([
    ["a moment ago", 9_960, 9_960],
    ["in a moment", 10_016, 10_000],
    ["seconds ago", 7_000, 10_000],
    ["in seconds", 13_000, 10_000],
  ])("came onto the screen now, or shortly before: %s", (_, presentationTime, presentedAt) => {
    let call: ((now: number, metadata: object) => void) | undefined;
    vi.stubGlobal("HTMLVideoElement", { prototype: { requestVideoFrameCallback: null } });
    vi.stubGlobal("performance", { now: () => 10_000 });
    const video = { requestVideoFrameCallback: (callback: typeof call) => (call = callback) };
    const seen: PresentedFrame[] = [];
    watchFrames(video as unknown as HTMLVideoElement, (frame) => seen.push(frame));
    call?.(0, { presentationTime, width: 640, height: 360, presentedFrames: 1 });
    expect(seen).toMatchObject([{ presentedAt, rtpTimestamp: null }]);
  });
});
