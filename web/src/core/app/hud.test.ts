import { describe, expect, it } from "vitest";
import { BATTERY_LEVELS, DRIVE_STATES, mayMove } from "../../protocol/state";
import type { OtherWord } from "../../protocol/words";
import {
  ageAlarm,
  batteryParts,
  emptyHud,
  pathWords,
  rttAlarm,
  stateParts,
  stateTone,
  type Hud,
} from "./hud";

const stateText = (hud: Hud) => stateParts(hud).join(" · ");

describe("the display", () => {
  it("warns of an old picture", () => {
    expect([null, 0, 150, 151, 250, 251].map(ageAlarm)).toEqual([
      "calm",
      "calm",
      "calm",
      "warn",
      "warn",
      "bad",
    ]);
    expect([150, 151, 301].map(rttAlarm)).toEqual(["calm", "warn", "bad"]);
  });

  it("marks a battery that is low, and says what the car does about it", () => {
    const parts = (volts: number | null) =>
      BATTERY_LEVELS.map((level) => Object.values(batteryParts({ volts, level })).join(", "));
    expect(parts(7.04)).toEqual([
      "7.0 V · not guarded, warn",
      "7.0 V, calm",
      "7.0 V · low, warn",
      "7.0 V · slower, bad",
      "7.0 V · empty, bad",
    ]);
    expect(parts(null)).toEqual([
      "battery not guarded, warn",
      "battery, calm",
      "battery low, warn",
      "battery slower, bad",
      "battery empty, bad",
    ]);
    expect(batteryParts({ volts: 7.4, level: null })).toEqual({ text: "7.4 V", alarm: "calm" });
    const later = "being-charged" as OtherWord;
    expect(batteryParts({ volts: 8, level: later })).toEqual({
      text: "8.0 V · being charged",
      alarm: "warn",
    });
  });

  it("names the path", () => {
    const path = {
      relayed: true,
      protocol: "UDP",
      family: "IPv6",
      local: "relay",
      remote: "host",
    } as const;
    expect(pathWords(path)).toEqual({ kind: "Relayed", detail: "UDP · IPv6" });
    expect(pathWords({ ...path, relayed: false, family: null })).toEqual({
      kind: "Direct",
      detail: "UDP",
    });
    expect(pathWords(null).kind).toBe("–");
  });

  it("names the state and why the wheels do not follow", () => {
    expect(stateText(emptyHud)).toBe("Not connected");
    expect(stateText({ ...emptyHud, phase: "connected" })).toBe("Waiting for the car");
    expect(stateText({ ...emptyHud, state: "disarmed" })).toBe("Disarmed");
    expect(stateText({ ...emptyHud, state: "disarmed", armWanted: true })).toBe("Arming");
    expect(stateText({ ...emptyHud, state: "armed", reason: "hidden" })).toBe("Armed");
    expect(stateText({ ...emptyHud, state: "armed", silent: true })).toBe("No answer");
    expect(stateText({ ...emptyHud, state: "tripped", reason: "hidden" })).toBe(
      "Stopped · The page was hidden",
    );
  });

  it("keeps the reason of the last stop in sight until the car is armed", () => {
    const stopped = { ...emptyHud, state: "disarmed", lastStop: "The picture stopped" } as const;
    expect(stateText(stopped)).toBe("Disarmed · Last stop: The picture stopped");
    expect(stateText({ ...stopped, reason: "no-device" })).toBe(
      "Disarmed · Last stop: The picture stopped",
    );
    expect(stateText({ ...stopped, state: "tripped", reason: "no-device" })).toBe(
      "Stopped · The picture stopped",
    );
    expect(stateText({ ...stopped, silent: true })).toBe(
      "No answer · Last stop: The picture stopped",
    );
    expect(stateText({ ...stopped, state: null })).toBe(
      "Not connected · Last stop: The picture stopped",
    );
    expect(stateText({ ...stopped, armWanted: true })).toBe("Arming");
    expect(stateText({ ...stopped, state: "armed" })).toBe("Armed");
  });

  it("says what keeps the car slow, while it follows the driver", () => {
    const limit = { percent: 60, cause: "picture" } as const;
    const slow = { ...emptyHud, state: "armed", limit } as const;
    expect(stateText(slow)).toBe("Armed · Slowed to 60 %: the picture is old");
    expect(stateTone(slow)).toBe("warn");
    expect(stateText({ ...slow, limit: { percent: 0, cause: "moon-phase" as OtherWord } })).toBe(
      "Armed · Slowed to 0 %: moon phase",
    );
    expect(stateText({ ...slow, state: "disarmed" })).toBe("Disarmed");
  });

  it("shows a state of a later version as it is, and neither as armed nor as at rest", () => {
    const state = "other-6" as OtherWord;
    expect(stateText({ ...emptyHud, state, reason: "other-99" as OtherWord })).toBe(
      "Other 6 · The car's reason: other 99",
    );
    expect(stateTone({ ...emptyHud, state })).toBe("warn");
    expect(mayMove(state)).toBe(true);
  });

  it("is alive only while the wheels follow", () => {
    expect(DRIVE_STATES.filter((state) => stateTone({ ...emptyHud, state }) === "live")).toEqual([
      "armed",
    ]);
    expect(DRIVE_STATES.map((state) => stateTone({ ...emptyHud, state, silent: true }))).toEqual(
      DRIVE_STATES.map(() => "bad"),
    );
  });
});
