import { beforeEach, describe, expect, it } from "vitest";
import { decodeControl, encodeControl, type ControlFrame } from "../../protocol/control";
import type { DriveState } from "../../protocol/state";
import type { TelemetryFrame } from "../../protocol/telemetry";
import { micros32 } from "../../protocol/units";
import { effectsOf } from "../effects";
import { SendPath } from "./send-path";

/** The car's clock is ahead of the page's. */
const CAR_AHEAD_MS = 7_000;
/** Time of a frame to the car, and of the answer back. */
const ONE_WAY_MS = 10;

let path: SendPath;
/** Frames that went out, with the time of each. */
let sent: { readonly at: number; readonly frame: ControlFrame }[];
/** The channel's buffer is full. */
let full: boolean;
/** Age of each frame when it appears; `null` stops the picture. */
let pictureAgeMs: number | null;
/** The car answers. */
let answers: boolean;
let oneWayMs: number;
let carState: DriveState;
let now: number;
let telemetrySeq: number;

beforeEach(() => {
  path = new SendPath(41);
  sent = [];
  full = false;
  pictureAgeMs = 30;
  answers = true;
  oneWayMs = ONE_WAY_MS;
  carState = "disarmed";
  now = 0;
  telemetrySeq = 0;
  path.mixer.handlePage(true, true, 0);
  path.handleInput(0);
  path.handleChannel(true);
});

describe("the pace", () => {
  it("is exactly one frame in each 20 ms slot, changed or not, numbered one by one", () => {
    run(1_000);
    expect(slots(0, 1_000)).toEqual(Array.from({ length: 50 }, () => 1));
    expect(sent.map(({ frame }) => frame.seq)).toEqual(sent.map((_, index) => 42 + index));
  });

  it("stays so with timers that are late by up to half a slot", () => {
    run(1_000, (frame) => [0, 3, 7, 10, 9.5][frame % 5] ?? 0);
    expect(slots(0, 1_000)).toEqual(Array.from({ length: 50 }, () => 1));
  });

  it("makes nothing before the time that it asks for", () => {
    run(100);
    const due = path.pollTimeout();
    path.handleTimeout(due - 1);
    expect(path.pollEffect()).toBeNull();
  });

  it("does not make up for a time in which the page stood still", () => {
    run(100);
    now = 5_000;
    run(5_100);
    expect(sent.filter(({ at }) => at >= 5_000)).toHaveLength(5);
  });

  it("brings a frame forward for a change, but not nearer than 10 ms, and at once for what must not wait", () => {
    run(1_001);
    expect(path.pollTimeout()).toBe(1_020);
    path.mixer.handleKey("KeyW", true, 1_003);
    path.handleInput(1_003);
    expect(path.pollTimeout()).toBe(1_010);
    path.mixer.handleBrake(true);
    path.handleInput(1_004);
    expect(path.pollTimeout()).toBeLessThan(1_004);
    now = 1_004;
    fire();
    expect(last()).toMatchObject({ at: 1_004, frame: { brake: true, source: "keyboard" } });
    expect(path.pollTimeout()).toBe(1_024);
  });

  it("takes what changes while a frame is made into that frame, and sends no other for it", () => {
    run(100);
    now = 120;
    path.mixer.handleBrake(true);
    fire();
    expect(sent.at(-1)?.frame.brake).toBe(true);
    path.handleInput(121);
    expect(path.pollTimeout()).toBe(140);
  });

  it("makes no frame before there is a channel, and none after it has gone", () => {
    path.handleChannel(false);
    run(200);
    expect(sent).toEqual([]);
    path.handleChannel(true);
    run(300);
    expect(sent.length).toBeGreaterThan(0);
    sent = [];
    path.handleNewSession(now);
    run(400);
    expect(sent).toEqual([]);
  });
});

describe("a frame", () => {
  it("says what the driver wants, in units of the wire", () => {
    run(1_000);
    press("KeyW");
    press("KeyA");
    run(2_000);
    const { at, frame } = last();
    expect(frame).toMatchObject({
      visible: true,
      focused: true,
      arm: false,
      source: "keyboard",
      sample_age_ms: 0,
    });
    expect(frame).toMatchObject({ steering: -10_000, throttle: 10_000, sent_us: micros32(at) });
    expect(decodeControl(encodeControl(frame, 2))).toEqual(frame);
    // The test's picture is new every few frames, and says when it was taken.
    expect(frame.shown?.for_ms).toBeLessThan(100);
  });

  it("has the throttle of the gear, from the next frame on, and stays armed", () => {
    run(1_000);
    path.mixer.handleKey("Enter", true, now);
    path.mixer.handleKey("KeyW", true, now);
    run(2_000);
    expect(sent.at(-1)?.frame.throttle).toBe(10_000);
    path.handleFeel({ gear: "crawl", steering: 0, throttle: 0 });
    run(2_040);
    expect(sent.at(-1)?.frame).toMatchObject({ throttle: 2_500, arm: true });
    expect(path.facts(now)).toMatchObject({ sample: { throttle: 0.25 }, armWanted: true });
  });

  it("shows a lever that is held to a car at rest, as the gear would hide it", () => {
    path.handleFeel({ gear: "crawl", steering: 0, throttle: 1 });
    run(1_000);
    path.mixer.handleStickDown(1, "throttle", 0, 100);
    const asked = (share: number, state: DriveState) => {
      carState = state;
      path.mixer.handleStickMove(1, share * 100);
      run(now + 200);
      return Math.abs(last().frame.throttle);
    };
    const resting = (share: number) =>
      (["disarmed", "arming", "tripped"] as const).map((state) => asked(share, state));
    expect(resting(0.16)).toEqual([1_600, 1_600, 1_600]);
    // The car may have armed since: never more than the gear gives.
    expect(resting(1)).toEqual([2_500, 2_500, 2_500]);
    expect(resting(-1)).toEqual([2_500, 2_500, 2_500]);
    for (const state of ["armed", "holding", "braking"] as const)
      expect(asked(0.16, state)).toBeLessThan(400);
  });

  it("asks to arm only after the car has read one that did not", () => {
    run(1_000);
    answers = false;
    press("KeyA");
    press("Enter");
    run(1_200);
    expect(path.facts(now).armWanted).toBe(true);
    expect(last().frame.arm).toBe(false);
    answers = true;
    run(1_300);
    expect(last().frame.arm).toBe(true);
  });
});

describe("a channel whose buffer is full", () => {
  it("loses frames and no numbers, and is asked again at every slot", () => {
    run(100);
    const { seq } = last().frame;
    const before = sent.length;
    full = true;
    run(200);
    expect(sent).toHaveLength(before);
    full = false;
    run(300);
    expect(sent[before]?.frame.seq).toBe(seq + 1);
    expect(slots(200, 300)).toEqual([1, 1, 1, 1, 1]);
  });

  it("is a slow link when it stays full for longer than an answer may take", () => {
    run(1_000);
    press("KeyW");
    full = true;
    run(1_900);
    expect(path.facts(now).linkSlow).toBe(false);
    run(2_100);
    expect(path.facts(now)).toMatchObject({
      linkSlow: true,
      notice: "link-slow",
      sample: { source: "none" },
    });
  });
});

describe("an armed driver", () => {
  beforeEach(() => {
    run(1_000);
    press("Enter");
    run(1_100);
    carState = "armed";
    press("KeyW");
    run(1_500);
    expect(last().frame).toMatchObject({ arm: true, source: "keyboard", throttle: 10_000 });
  });

  it("is told apart at once when the page is hidden: no throttle, no arm, and an age that grows", () => {
    path.mixer.handlePage(false, false, now);
    path.handleInput(now);
    expect(path.pollTimeout()).toBeLessThan(now);
    fire();
    expect(last()).toMatchObject({
      at: now,
      frame: { visible: false, focused: false, arm: false, throttle: 0 },
    });
    run(now + 200);
    expect(last().frame.sample_age_ms).toBeGreaterThan(150);
    expect(path.facts(now)).toMatchObject({ armWanted: false, pageStop: "hidden" });
  });

  it("gives no input half a second after the picture stopped, and arms again once it flows", () => {
    pictureAgeMs = null;
    const stopped = now;
    run(stopped + 440);
    expect(last().frame).toMatchObject({ arm: true, source: "keyboard" });
    run(stopped + 600);
    expect(last().frame).toMatchObject({
      arm: false,
      source: "none",
      throttle: 0,
      sample_age_ms: 65_535,
    });
    expect(path.facts(now)).toMatchObject({
      blind: "picture-stopped",
      pageStop: "picture-stopped",
      armWanted: false,
    });
    pictureAgeMs = 30;
    carState = "tripped";
    run(now + 700);
    expect(path.facts(now)).toMatchObject({ blind: null, armWanted: false });
    expect(last().frame).toMatchObject({ arm: false, source: "keyboard" });
  });

  it("gives no input by a picture that flows but is old", () => {
    pictureAgeMs = 900;
    run(now + 60);
    expect(last().frame).toMatchObject({ arm: false, source: "none", throttle: 0 });
    expect(path.facts(now)).toMatchObject({ blind: "picture-old", pageStop: "picture-old" });
  });

  it("gives no input over a link whose answers take longer than half a second, and frames go on", () => {
    oneWayMs = 300;
    const slowed = now;
    run(slowed + 1_000);
    expect(path.facts(now)).toMatchObject({ linkSlow: true, pageStop: "link-slow" });
    expect(last().frame).toMatchObject({ arm: false, source: "none", throttle: 0 });
    expect(slots(slowed + 800, slowed + 1_000)).toEqual(Array.from({ length: 10 }, () => 1));
  });

  it("is not armed in the next session, which counts its frames on", () => {
    const { seq } = last().frame;
    path.handleNewSession(now);
    path.handleChannel(true);
    expect(path.facts(now)).toMatchObject({
      armWanted: false,
      blind: "no-picture",
      linkSlow: false,
      rttMs: null,
    });
    fire();
    expect(last().frame).toMatchObject({ seq: seq + 1, arm: false, source: "none" });
  });
});

/**
 * Time goes on to `until`, in ms, with a picture every 20 ms and a car that answers each frame.
 * `late`: how late the nth timer is, in ms.
 */
function run(until: number, late: (frame: number) => number = () => 0): void {
  for (let frame = 0; ; frame += 1) {
    const due = Math.max(now, path.pollTimeout()) + late(frame);
    if (due >= until) break;
    now = due;
    see();
    fire();
  }
  now = Math.max(now, until);
}

/**
 * Does the shell's part: makes the frame that is due, sends it, and takes the answers that are back
 * by now.
 */
function fire(): void {
  path.handleTimeout(now);
  for (const { frame } of effectsOf(path)) {
    if (full) continue;
    sent.push({ at: now, frame });
    path.handleSent();
  }
  const read = sent.filter(({ at }) => at <= now - 2 * oneWayMs).at(-1);
  if (read && answers) path.handleTelemetry(answer(read), now);
}

function answer({ at, frame }: { at: number; frame: ControlFrame }): TelemetryFrame {
  telemetrySeq += 1;
  const held = now - at - 2 * oneWayMs;
  return {
    state: carState,
    reason: "none",
    seq: telemetrySeq,
    car_time: BigInt(Math.round((now - oneWayMs + CAR_AHEAD_MS) * 1_000)),
    echo: { seq: frame.seq, sent_us: frame.sent_us, held_us: Math.round(held * 1_000) },
    steering: 0,
    throttle: 0,
    braking: false,
    battery_mv: null,
    battery_level: null,
    switches: null,
    speed_limit: null,
    speed_mm_s: null,
    computer: null,
    position: null,
    odometry: null,
    dropped: 0,
  };
}

function see(): void {
  if (pictureAgeMs === null) return;
  path.handleFrame(now, ((now - pictureAgeMs + CAR_AHEAD_MS) * 90) >>> 0);
}

function press(code: string): void {
  path.mixer.handleKey(code, true, now);
  path.handleInput(now);
}

function last() {
  const newest = sent.at(-1);
  if (!newest) throw new Error("nothing was sent");
  return newest;
}

/** How many frames went out in each slot of 20 ms. */
function slots(from: number, to: number): number[] {
  const counts: number[] = [];
  for (let at = from; at < to; at += 20)
    counts.push(sent.filter((one) => one.at >= at && one.at < at + 20).length);
  return counts;
}
