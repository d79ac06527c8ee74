import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DEFAULTS } from "../core/input/controls";
import { ControlChannel } from "../link/channels";
import { decodeControl, type ControlFrame } from "../protocol/control";
import { FakeChannel, fakeBrowser, pressKey, type FakeBrowser } from "./browser.fake";
import { Sender } from "./sender";

let browser: FakeBrowser;
let channel: FakeChannel;
let sender: Sender;

beforeEach(() => {
  browser = fakeBrowser();
  channel = new FakeChannel("control");
  sender = new Sender(
    () => undefined,
    () => DEFAULTS,
  );
  sender.channel = new ControlChannel(channel.real, vi.fn());
});

afterEach(() => {
  sender.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("Sender", () => {
  it("sends fifty frames a second, one more after a change, and one at once for what must not wait", () => {
    vi.advanceTimersByTime(1_000);
    expect(frames()).toHaveLength(50);
    vi.advanceTimersByTime(3);
    pressKey(browser, "KeyW");
    expect(frames()).toHaveLength(0);
    vi.advanceTimersByTime(7);
    expect(frames()).toHaveLength(1);
    sender.tell((mixer) => mixer.handleBrake(true));
    expect(frames()).toMatchObject([{ brake: true }]);
  });

  it("tells the car in the very event that hides the page", () => {
    vi.advanceTimersByTime(105);
    frames();
    browser.document.visibilityState = "hidden";
    browser.document.dispatchEvent(new Event("visibilitychange"));
    expect(frames()).toMatchObject([{ visible: false, arm: false }]);
  });

  it("looks at the page for every frame, also when no event came", () => {
    vi.advanceTimersByTime(100);
    frames();
    browser.document.focused = false;
    vi.advanceTimersByTime(20);
    expect(frames()).toMatchObject([{ focused: false }]);
  });

  it("drops frames while the channel's buffer is full, and numbers on without a gap", () => {
    vi.advanceTimersByTime(100);
    const before = frames().at(-1)?.seq ?? NaN;
    channel.bufferedAmount = 37;
    vi.advanceTimersByTime(100);
    expect(frames()).toEqual([]);
    expect(sender.channel?.skipped).toBe(5);
    channel.bufferedAmount = 36;
    vi.advanceTimersByTime(20);
    expect(frames().map(({ seq }) => seq)).toEqual([before + 1]);
  });

  it("makes no frames for a channel that is not open, and counts none as lost", () => {
    channel.readyState = "connecting";
    vi.advanceTimersByTime(200);
    expect([frames(), sender.channel?.skipped]).toEqual([[], 0]);
  });

  it("goes on counting in the next cockpit", () => {
    vi.advanceTimersByTime(100);
    const { sent } = sender;
    expect(frames().at(-1)?.seq).toBe(sent);
    sender.stop();
    const next = new Sender(
      () => undefined,
      () => DEFAULTS,
    );
    next.channel = new ControlChannel(channel.real, vi.fn());
    vi.advanceTimersByTime(20);
    expect(frames().map(({ seq }) => seq)).toEqual([sent + 1]);
    next.stop();
  });

  it("sends and hears nothing any more once it was stopped", () => {
    vi.advanceTimersByTime(100);
    frames();
    sender.stop();
    sender.tell((mixer) => mixer.handleBrake(true));
    pressKey(browser, "KeyW");
    vi.advanceTimersByTime(1_000);
    expect(frames()).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** Frames that were sent since the last call. */
function frames(): ControlFrame[] {
  return channel.sent.splice(0).map((bytes) => decodeControl(bytes as ArrayBuffer));
}
