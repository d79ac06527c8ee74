import { describe, expect, it } from "vitest";
import type { Sample } from "../input/mixer";
import type { Phase } from "../link/session";
import type { TelemetryFrame } from "../../protocol/telemetry";
import { hudOf, type Facts } from "./display";
import { stateParts, stateTone, type Hud } from "./hud";

const stateText = (hud: Hud) => stateParts(hud).join(" · ");

const sample: Sample = {
  visible: true,
  focused: true,
  arm: true,
  brake: false,
  jog: false,
  lights: false,
  horn: false,
  source: "keyboard",
  ageMs: 0,
  steering: 0,
  throttle: 0.5,
};

const frame: TelemetryFrame = {
  state: "armed",
  reason: "none",
  braking: false,
  seq: 1,
  car_time: 0n,
  echo: null,
  steering: 0,
  throttle: 5_000,
  odometry: null,
  battery_mv: 7_900,
  battery_level: "good",
  switches: null,
  speed_limit: null,
  speed_mm_s: null,
  computer: null,
  position: null,
  dropped: 0,
};

const driving: Facts = {
  now: 10_000,
  carName: "Blitz",
  driver: null,
  mayTake: false,
  question: null,
  relayOnly: false,
  phase: { name: "connected" },
  attempt: 0,
  signaling: { phase: "ready", user: "Ada", software: "rccar-host/1" },
  upSince: 1_000,
  telemetry: { frame, at: 9_990 },
  sample,
  armWanted: true,
  notice: null,
  device: { source: "keyboard", name: null },
  stranger: null,
  blind: null,
  linkSlow: false,
  armFailed: false,
  lastStop: null,
  ageMs: 40,
  rttMs: 20,
  stats: null,
  link: { host: "up", uplink: "wifi", interface: "wlan0", standby: 0, modem: null },
  carNotice: null,
};

const PATHS: Phase[] = [{ name: "connected" }, { name: "restarting", since: 9_600 }];

describe("the display", () => {
  it("is live while car and picture are", () => {
    const hud = hudOf(driving);
    expect(hud).toMatchObject({
      silent: false,
      frozen: false,
      banner: null,
      battery: { volts: 7.9, level: "good" },
      throttle: 0.5,
    });
    expect([stateText(hud), stateTone(hud)]).toEqual(["Armed", "live"]);
    expect(hud.rungs.map(({ tone }) => tone)).toEqual(["good", "good", "good"]);
  });

  it("says how much of the throttle is left, in steps of ten", () => {
    const limited = { ...frame, speed_limit: { share: 6_789, cause: "picture" } } as const;
    expect(hudOf({ ...driving, telemetry: { frame: limited, at: 9_990 } }).limit).toEqual({
      percent: 60,
      cause: "picture",
    });
    expect(hudOf(driving).limit).toBeNull();
  });

  it("has a battery if the car measures or watches it", () => {
    const battery = (battery_mv: number | null, battery_level: "low" | "unknown" | null) =>
      hudOf({
        ...driving,
        telemetry: { frame: { ...frame, battery_mv, battery_level }, at: 9_990 },
      }).battery;
    expect(battery(null, null)).toBeNull();
    expect(battery(6_900, "low")).toEqual({ volts: 6.9, level: "low" });
    expect(battery(null, "unknown")).toEqual({ volts: null, level: "unknown" });
  });

  it("takes the speed from a wheel before that of a simulator", () => {
    const odometry = { speed_mm_s: 500, heading: 0, x_mm: 0, y_mm: 0 };
    const speed = (fields: Partial<TelemetryFrame>) =>
      hudOf({ ...driving, telemetry: { frame: { ...frame, ...fields }, at: 9_990 } }).speedKmh;
    expect(speed({})).toBeNull();
    expect(speed({ odometry })).toBeCloseTo(1.8);
    expect(speed({ odometry, speed_mm_s: -1_000 })).toBeCloseTo(3.6);
  });

  it("warns of a supply that sags and of heat, unless there is something worse", () => {
    const banner = (heat: "good" | "hot", supply: "good" | "sags", more: Partial<Facts> = {}) => {
      const computer = { temperature: 600, heat, supply, wear: null, load: null, uptime_s: 1 };
      const telemetry = { frame: { ...frame, computer }, at: 9_990 };
      return hudOf({ ...driving, telemetry, ...more }).banner;
    };
    expect(banner("good", "good")).toBeNull();
    expect(banner("hot", "good")).toMatchObject({
      level: "warn",
      title: "The car's computer is hot",
      blocking: false,
    });
    expect(banner("hot", "sags")).toMatchObject({ level: "bad", title: "The 5 V supply sags" });
    const carNotice = { level: "error", text: "The camera is gone." } as const;
    expect(banner("hot", "sags", { carNotice })?.text).toBe("The camera is gone.");
  });

  it.each(PATHS)(
    "calls nothing live when the car was not heard for half a second, $name",
    (phase) => {
      expect(hudOf({ ...driving, phase, telemetry: { frame, at: 9_500 } }).silent).toBe(false);
      const hud = hudOf({ ...driving, phase, telemetry: { frame, at: 9_499 } });
      expect(hud).toMatchObject({ silent: true, frozen: true, banner: { level: "bad" } });
      expect([stateText(hud), stateTone(hud)]).toEqual(["No answer", "bad"]);
      expect(hud.rungs.map(({ tone }) => tone)).toEqual(["good", "bad", "idle"]);
    },
  );

  it("calls nothing live on a broken path, however short a time ago the car was heard", () => {
    const hud = hudOf({ ...driving, phase: { name: "interrupted", since: 9_995 } });
    expect(hud).toMatchObject({
      silent: true,
      frozen: true,
      banner: { title: "The link to the car is broken" },
    });
    expect([stateText(hud), stateTone(hud)]).toEqual(["No answer", "bad"]);
    expect(hud.rungs.map(({ tone }) => tone)).toEqual(["good", "bad", "idle"]);
  });

  it("waits two seconds longer for the first word", () => {
    const since = (upSince: number) => hudOf({ ...driving, telemetry: null, upSince });
    expect(since(7_500).silent).toBe(false);
    expect(since(7_499).silent).toBe(true);
    expect(stateText(since(7_500))).toBe("Waiting for the car");
  });

  it("does not call the picture live when it has stopped while the car is heard", () => {
    const hud = hudOf({
      ...driving,
      blind: "picture-stopped",
      notice: "picture-stopped",
      ageMs: 900,
    });
    expect(hud).toMatchObject({ silent: false, frozen: true, ageMs: 900 });
    expect(hud.rungs[1]).toMatchObject({ tone: "bad", text: "No picture" });
  });

  it("tells a slow link before what comes of it", () => {
    expect(hudOf({ ...driving, linkSlow: true, blind: "picture-old" }).rungs[1]?.text).toBe(
      "Link slow",
    );
    expect(
      hudOf({ ...driving, linkSlow: true, telemetry: { frame, at: 9_000 } }).rungs[1]?.text,
    ).toBe("Link silent");
  });

  it("has the reason of the last stop, in words", () => {
    const disarmed = { ...frame, state: "disarmed" } as const;
    const facts = { ...driving, armWanted: false, telemetry: { frame: disarmed, at: 9_990 } };
    expect(stateText(hudOf({ ...facts, lastStop: { by: "page", why: "gamepad-gone" } }))).toBe(
      "Disarmed · Last stop: The gamepad was gone",
    );
    expect(stateText(hudOf(facts))).toBe("Disarmed");
  });
});
