import { beforeEach, describe, expect, it } from "vitest";
import type { CarInfo } from "../../protocol/common";
import { DRIVE_STATES, type DriveState, type StopReason } from "../../protocol/state";
import type { TelemetryFrame } from "../../protocol/telemetry";
import { effectsOf } from "../effects";
import type { Phase } from "../link/session";
import { stateParts, stateTone, type Hud } from "./hud";
import { Instruments, type Surroundings } from "./instruments";
import type { DriverFacts } from "./send-path";

const CAR: CarInfo = {
  id: "eh7ddx5bksrgcytl7bkai36se4",
  name: "Blitz",
  presence: "busy",
  driver: "Grace",
  software: null,
  owner: null,
  role: null,
  update: null,
};

const DRIVER: DriverFacts = {
  sample: {
    visible: true,
    focused: true,
    arm: false,
    brake: false,
    jog: false,
    lights: false,
    horn: false,
    source: "keyboard",
    ageMs: 0,
    steering: -0.25,
    throttle: 0,
  },
  armWanted: false,
  notice: null,
  device: { source: "keyboard", name: null },
  stranger: null,
  pageStop: null,
  armFailed: false,
  blind: null,
  linkSlow: false,
  rttMs: 20,
};

/** A picture that is 40 ms old whenever it comes. */
const CLOCK = { pictureAgeMs: () => 40 };

let instruments: Instruments;
let around: Surroundings;
let shown: Hud | null;
let readings: number;
let shows: number;

beforeEach(() => {
  instruments = new Instruments(false, 0);
  around = {
    phase: { name: "connected" },
    question: null,
    attempt: 0,
    signaling: { phase: "ready", user: "Ada", software: "rccar-host/1" },
    car: CAR,
    driver: DRIVER,
  };
  shown = null;
  readings = 0;
  shows = 0;
});

describe("the pace of the display", () => {
  it("is ten a second, and statistics are wanted with every fifth", () => {
    const times: number[] = [];
    for (let at = instruments.pollTimeout(); at <= 1_000; at = instruments.pollTimeout()) {
      times.push(at);
      wake(at);
    }
    expect(times).toEqual([100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000]);
    expect(readings).toBe(2);
  });

  it("is no effect while nothing looks different", () => {
    for (let at = 100; at <= 1_000; at += 100) wake(at);
    expect(shows).toBe(1);
  });

  it("comes no sooner than it is wanted", () => {
    wake(99);
    expect(shows).toBe(0);
    wake(100);
    expect(shows).toBe(1);
  });

  it("is broken by a state of the car's that is new, not by another frame", () => {
    hear("disarmed", 10);
    expect(shown?.state).toBe("disarmed");
    hear("disarmed", 20, { steering: 5_000 });
    expect(shown?.steering).toBe(0);
    hear("armed", 30, { steering: 5_000 });
    expect(shown).toMatchObject({ state: "armed", steering: 0.5 });
    wake(100);
    expect(shows).toBe(2);
  });

  it("is broken by another phase of the session", () => {
    for (const name of ["connected", "interrupted"] as const) {
      be(name === "connected" ? { name } : { name, since: 10 });
      instruments.handlePhase(10, around);
      look();
      expect(shown?.phase).toBe(name);
    }
    around = { ...around, driver: { ...DRIVER, rttMs: 90 } };
    instruments.handlePhase(20, around);
    look();
    expect(shows).toBe(2);
  });
});

describe("what is shown of the car", () => {
  it.each(DRIVE_STATES)("is its state: %s", (state) => {
    hear(state, 50, { throttle: 2_500, battery_mv: 7_900, braking: state === "braking" });
    expect(shown).toMatchObject({
      state,
      silent: false,
      throttle: 0.25,
      battery: { volts: 7.9, level: null },
      wantedSteering: -0.25,
    });
    expect(shown?.braking).toBe(state === "braking");
    expect(shown && stateTone(shown)).toBe(
      {
        disarmed: "calm",
        arming: "ready",
        armed: "live",
        holding: "warn",
        braking: "bad",
        tripped: "bad",
        jogging: "warn",
      }[state],
    );
  });

  it.each(DRIVE_STATES)(
    "is its silence after half a second, and no state any more: %s",
    (state) => {
      hear(state, 100);
      wake(600);
      expect(shown?.silent).toBe(false);
      wake(700);
      expect(shown).toMatchObject({
        silent: true,
        frozen: true,
        banner: { title: "The car does not answer" },
      });
      expect(words()[0]).toBe("No answer");
      hear(state, 750);
      wake(800);
      expect(shown).toMatchObject({ silent: false, state });
    },
  );

  it("is no silence in the first two seconds of a path, when there was no word yet", () => {
    instruments.handleUp(1_000);
    instruments.handleUp(2_400);
    wake(3_500);
    expect(shown?.silent).toBe(false);
    expect(words()[0]).toBe("Waiting for the car");
    wake(3_600);
    expect(shown?.silent).toBe(true);
  });

  it("is its name: by its own word, else by the host's, else none", () => {
    around = { ...around, car: null };
    wake(100);
    expect(shown?.carName).toBe("the car");
    around = { ...around, car: CAR };
    wake(200);
    expect(shown?.carName).toBe("Blitz");
    const video = { width: 640, height: 360, fps: 30 };
    instruments.handleCarEvent(
      { type: "hello", v: 1, car: CAR.id, name: "Thunder", software: "x", video, frames: null },
      250,
    );
    wake(300);
    expect(shown?.carName).toBe("Thunder");
  });

  it("is a notice of its own for six seconds", () => {
    instruments.handleCarEvent({ type: "notice", level: "warning", text: "Hot" }, 100);
    hear("disarmed", 6_050);
    wake(6_090);
    expect(shown?.banner).toMatchObject({ level: "warn", text: "Hot" });
    wake(6_190);
    expect(shown?.banner).toBeNull();
  });

  it("is how it is connected", () => {
    const link = {
      host: "up",
      uplink: "wifi",
      interface: "wlan0",
      standby: 1,
      modem: null,
    } as const;
    instruments.handleCarEvent({ type: "link", ...link }, 50);
    hear("disarmed", 60);
    expect(shown?.rungs.map(({ text }) => text)).toEqual(["Server", "Link", "Wi-Fi +1"]);
  });
});

describe("what is shown of the driver", () => {
  it.each([
    [
      "a blind picture",
      { blind: "picture-stopped", notice: "picture-stopped" },
      "The picture has stopped",
      true,
    ],
    [
      "an old picture",
      { blind: "picture-old", notice: "picture-old" },
      "The picture is too old",
      true,
    ],
    ["a slow link", { linkSlow: true, notice: "link-slow" }, "The link is too slow", false],
    ["a gamepad that is gone", { notice: "gamepad-gone" }, "Gamepad gone", false],
    [
      "a page without focus",
      { sample: { ...DRIVER.sample, focused: false } },
      "Click here to drive",
      false,
    ],
  ] as const)("is %s", (_, change, title, frozen) => {
    around = { ...around, driver: { ...DRIVER, ...change } };
    hear("disarmed", 50);
    expect(shown?.banner?.title).toContain(title);
    expect(shown?.frozen).toBe(frozen);
  });

  it("is why the car last stopped, until it is armed again, also over another connection", () => {
    around = { ...around, driver: { ...DRIVER, armWanted: true } };
    hear("armed", 50);
    around = { ...around, driver: { ...DRIVER, pageStop: "gamepad-gone" } };
    hear("tripped", 100, { reason: "no-device" });
    expect(words()).toEqual(["Stopped", "The gamepad was gone"]);
    instruments.handleNewSession();
    wake(200);
    expect(words()).toEqual(["Waiting for the car", "Last stop: The gamepad was gone"]);
    around = { ...around, driver: { ...DRIVER, armWanted: true } };
    hear("armed", 300);
    expect(shown?.lastStop).toBeNull();
  });
});

describe("what is shown of the path", () => {
  it("is how old the picture is, and the rates of the statistics", () => {
    for (const [at, count] of [
      [0, 1],
      [20, 2],
      [40, 3],
    ] as const) {
      instruments.handleFrame(
        { presentedAt: at, rtpTimestamp: at * 90, width: 640, height: 360, count },
        CLOCK,
      );
    }
    instruments.handleStats([video(0, 0)], 0);
    instruments.handleStats([video(62_500, 15)], 500);
    hear("disarmed", 50);
    expect(shown).toMatchObject({ ageMs: 40, rttMs: 20, bitrateKbps: 1_000, fps: 30 });
    expect(instruments.diagnose(60)).toMatchObject({
      video: { frames: 3, width: 640, height: 360 },
      picture_age_ms: 40,
    });
  });

  it("is nothing of the connection before, once there is another one", () => {
    instruments.handleFrame(
      { presentedAt: 0, rtpTimestamp: 0, width: 640, height: 360, count: 1 },
      CLOCK,
    );
    instruments.handleStats([video(0, 0)], 0);
    instruments.handleStats([video(62_500, 15)], 500);
    instruments.handleUp(0);
    hear("armed", 550);
    instruments.handleNewSession();
    wake(9_000);
    expect(shown).toMatchObject({
      state: null,
      silent: false,
      ageMs: null,
      bitrateKbps: null,
      fps: null,
    });
    expect(instruments.diagnose(9_000)).toMatchObject({
      telemetry: null,
      stats: null,
      link: null,
      last_stop: null,
    });
  });

  it.each<[Phase, string]>([
    [{ name: "waiting-host" }, "Connecting to the server"],
    [{ name: "asking", since: 0 }, "Calling Blitz"],
    [{ name: "restarting", since: 0 }, "Looking for another link"],
    [{ name: "ended", cause: { kind: "bye", reason: "car-busy" } }, "Grace drives this car"],
  ])("is the phase of the session: $name", (phase, title) => {
    be(phase);
    if (phase.name === "waiting-host") around = { ...around, signaling: { phase: "connecting" } };
    wake(100);
    expect(shown?.banner?.title).toBe(title);
  });

  it("offers the relay after a path that failed, unless it was the relay", () => {
    be({ name: "ended", cause: { kind: "bye", reason: "ice-failed" } });
    wake(100);
    expect(shown?.banner?.actions).toContain("relay");
    instruments = new Instruments(true, 0);
    wake(100);
    expect(shown?.banner?.actions).toEqual(["connect", "back"]);
  });
});

function be(phase: Phase): void {
  around = { ...around, phase };
}

function wake(now: number): void {
  instruments.handleTimeout(now, around);
  look();
}

function hear(
  state: DriveState,
  now: number,
  change: Partial<TelemetryFrame> & { reason?: StopReason } = {},
): void {
  const frame: TelemetryFrame = {
    state,
    reason: "none",
    seq: now,
    car_time: 0n,
    echo: null,
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
    ...change,
  };
  instruments.handleTelemetry(frame, now, around);
  look();
}

function look(): void {
  for (const effect of effectsOf(instruments)) {
    if (effect.kind === "read-stats") {
      readings += 1;
    } else {
      shown = effect.hud;
      shows += 1;
    }
  }
}

function words(): readonly (string | undefined)[] {
  if (shown === null) throw new Error("nothing was shown");
  return stateParts(shown);
}

function video(bytesReceived: number, framesDecoded: number) {
  return { id: "video", type: "inbound-rtp", kind: "video", bytesReceived, framesDecoded };
}
