import { describe, expect, it } from "vitest";
import { DRIVE_STATES, mayMove } from "../../protocol/state";
import type { OtherWord } from "../../protocol/words";
import { ageAlarm, emptyHud, pathWords, rttAlarm, stateParts, stateTone, type Hud } from "./hud";

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

  it("shows a state of a later version as it is, and neither as armed nor as at rest", () => {
    const state = "other-6" as OtherWord;
    expect(stateText({ ...emptyHud, state, reason: "other-11" as OtherWord })).toBe(
      "Other 6 · The car's reason: other 11",
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
