import { describe, expect, it } from "vitest";
import { BYE_REASONS, ERROR_CODES } from "../../protocol/common";
import { DRIVE_STATES, STOP_REASONS } from "../../protocol/state";
import type { OtherWord } from "../../protocol/words";
import type { InputNotice } from "../input/mixer";
import { bannerFor, ROWS, spokenWords, type Situation } from "./banner";
import { t } from "../../words/words";

const calm: Situation = {
  now: 10_000,
  phase: { name: "connected" },
  attempt: 0,
  signaling: { phase: "ready", user: "Ada", software: "rccar-host/1" },
  carName: "Blitz",
  driver: null,
  mayTake: false,
  question: null,
  relayOnly: false,
  silentSince: null,
  state: "armed",
  reason: "none",
  visible: true,
  focused: true,
  notice: null,
  device: { source: "keyboard", name: null },
  stranger: null,
  pictureAgeMs: 40,
  lastStop: null,
  throttleHeld: false,
  armWanted: true,
  armFailed: false,
  carNotice: null,
  computer: null,
};

function banner(change: Partial<Situation>) {
  return bannerFor({ ...calm, ...change });
}

describe("the banner", () => {
  it("is absent while all is well", () => {
    expect(banner({})).toBeNull();
  });

  it("tells that the car does not answer after half a second", () => {
    expect(banner({ silentSince: 9_500 })).toBeNull();
    expect(banner({ silentSince: 9_499 })).toMatchObject({
      level: "bad",
      title: "The car does not answer",
    });
  });

  it("counts down to the next attempt while the host is gone", () => {
    const signaling = { phase: "waiting", why: "lost", retryAt: 12_100 } as const;
    const waiting = banner({ phase: { name: "waiting-host" }, signaling });
    expect(waiting).toMatchObject({ blocking: true, text: "Trying again in 3 s." });
  });

  it("does not alarm a driver who goes on without the host", () => {
    const signaling = { phase: "waiting", why: "lost", retryAt: 12_100 } as const;
    expect(banner({ signaling })).toMatchObject({ level: "info", blocking: false });
    expect(banner({ signaling })?.text).toContain("go on driving");
  });

  it("names who drives a car that is busy", () => {
    const phase = { name: "ended", cause: { kind: "error", code: "car-busy", text: "" } } as const;
    expect(banner({ phase, driver: "Grace" })?.title).toBe("Grace drives this car");
    expect(banner({ phase })?.title).toBe("Somebody else drives this car");
  });

  it("lets an owner take a busy car back, and nobody else", () => {
    for (const cause of [
      { kind: "error", code: "car-busy", text: "" },
      { kind: "bye", reason: "car-busy" },
    ] as const) {
      const phase = { name: "ended", cause } as const;
      expect(banner({ phase, mayTake: true })?.actions).toContain("take");
      expect(banner({ phase })?.actions).not.toContain("take");
    }
  });

  it("says who took the car back", () => {
    const cause = { kind: "bye", reason: "taken-back", by: "Ada" } as const;
    expect(banner({ phase: { name: "ended", cause } })?.title).toBe("Ada took the car back");
  });

  it("asks a driver who does nothing, and counts down", () => {
    const question = { by: "Bob", update: false, until: 40_000 };
    expect(banner({ question })).toMatchObject({ actions: ["stay"], blocking: false });
    expect(banner({ question })?.text).toContain("Bob waits for");
  });

  it("offers the relay when no path was found, unless that was the relay", () => {
    const phase = { name: "ended", cause: { kind: "bye", reason: "ice-failed" } } as const;
    expect(banner({ phase })?.actions).toContain("relay");
    expect(banner({ phase })?.text).toContain("UDP");
    expect(banner({ phase, relayOnly: true })?.actions).not.toContain("relay");
  });

  it("says apart that a path was found, and not secured", () => {
    const phase = { name: "ended", cause: { kind: "unsecured" } } as const;
    expect(banner({ phase })?.title).toBe("The connection could not be secured");
    expect(banner({ phase })?.actions).toEqual(["connect", "back"]);
  });

  it("tells what to do with devices", () => {
    expect(banner({ focused: false })?.title).toBe("Click here to drive");
    expect(banner({ notice: "gamepad-gone" })?.title).toBe("Gamepad gone");
    expect(banner({ state: "arming", throttleHeld: true })?.title).toBe("Let go of the throttle");
  });

  it("says that the link is too slow before anything that the driver could do", () => {
    expect(banner({ notice: "link-slow", focused: false })).toMatchObject({
      level: "bad",
      blocking: false,
    });
    expect(banner({ notice: "link-slow" })?.title).toMatch(/^The link is too slow: /);
  });

  it("says how old a picture is that is too old, and that one has stopped or is still to come", () => {
    expect(banner({ notice: "picture-old", pictureAgeMs: 2_140 })).toMatchObject({
      level: "bad",
      title: "The picture is 2.1 s old: you cannot drive",
      blocking: false,
    });
    for (const pictureAgeMs of [null, 120, 500]) {
      expect(banner({ notice: "picture-old", pictureAgeMs })?.title).toBe(
        "The picture is too old: you cannot drive",
      );
    }
    expect(banner({ notice: "picture-stopped", focused: false })?.title).toMatch(
      /^The picture has stopped: /,
    );
    expect(banner({ notice: "no-picture" })).toMatchObject({
      level: "info",
      title: "Waiting for the picture",
    });
  });

  it.each([
    ["keyboard-took-over", "The keyboard steers now"],
    ["gamepad-took-over", "The gamepad steers now"],
    ["other-gamepad-took-over", "The other gamepad steers now"],
    ["touch-took-over", "The touch sticks steer now"],
  ] as const)("says which device steers and to arm again after %s", (notice, title) => {
    expect(banner({ notice, state: "disarmed" })).toMatchObject({ level: "warn", title });
    expect(banner({ notice })?.text).toContain("Arm again");
  });

  it.each(["offline", "car-left", "car-gone", "shutdown"] as const)(
    "promises to connect by itself after %s",
    (why) => {
      const waiting = banner({ phase: { name: "waiting-car", why, askAt: 0 } });
      expect(waiting?.text).toMatch(/[.?] This page connects by itself/);
      expect(waiting?.blocking).toBe(true);
    },
  );

  it("tells why the car stopped", () => {
    expect(banner({ state: "tripped", reason: "hidden" })?.text).toBe(
      "The page was hidden. Arm to go on.",
    );
    expect(banner({ state: "tripped" })?.text).toBe("Input was lost. Arm to go on.");
    expect(
      banner({ state: "tripped", reason: "no-device", lastStop: "The gamepad was gone" })?.text,
    ).toBe("The gamepad was gone. Arm to go on.");
    expect(banner({ state: "disarmed", reason: "drive-service-lost" })).toMatchObject({
      level: "bad",
    });
  });

  it("says that an empty battery lets nobody arm, and what to do", () => {
    expect(banner({ state: "disarmed", reason: "battery-empty" })).toMatchObject({
      level: "bad",
      title: "The battery is empty",
      text: "The car cannot be armed. Charge the battery or put in another one.",
      blocking: false,
    });
  });

  it("passes on the car's notices", () => {
    expect(banner({ carNotice: { level: "warning", text: "Battery low" } })).toMatchObject({
      level: "warn",
      title: "Blitz",
      text: "Battery low",
    });
  });

  it("asks for a reload when the page is outdated and for a sign-in when it is signed out", () => {
    expect(banner({ signaling: { phase: "outdated" } })?.actions).toEqual(["reload"]);
    expect(
      banner({ signaling: { phase: "signed-out" }, phase: { name: "waiting-host" } })?.actions,
    ).toEqual(["sign-in"]);
  });

  it.each(BYE_REASONS)("offers a way on after %s", (reason) => {
    expect(
      banner({ phase: { name: "ended", cause: { kind: "bye", reason } } })?.actions,
    ).not.toEqual([]);
  });

  it("has words and a way on for reasons, codes and levels of a later version", () => {
    const later = "cycle-moon" as OtherWord;
    const bye = banner({ phase: { name: "ended", cause: { kind: "bye", reason: later } } });
    expect(bye).toMatchObject({ title: "The drive has ended", actions: ["connect", "back"] });
    const error = banner({
      phase: { name: "ended", cause: { kind: "error", code: later, text: "Not on Sundays" } },
    });
    expect(error).toMatchObject({ text: "Not on Sundays.", actions: ["connect", "back"] });
    const notice = banner({
      phase: { name: "connected" },
      carNotice: { level: later, text: "Hot" },
    });
    expect(notice).toMatchObject({ level: "warn", text: "Hot" });
  });

  it.each(ERROR_CODES)("offers a way on after the error %s", (code) => {
    expect(
      banner({ phase: { name: "ended", cause: { kind: "error", code, text: "" } } })?.actions,
    ).not.toEqual([]);
  });

  it.each([
    { name: "waiting-host" },
    { name: "waiting-car", why: "offline", askAt: 0 },
    { name: "asking", since: 0 },
    { name: "negotiating", since: 0 },
    { name: "interrupted", since: 0 },
    { name: "restarting", since: 0 },
    { name: "retrying", at: 12_000 },
  ] as const)("has words while the session is $name", (phase) => {
    expect(banner({ phase })?.title).not.toBe("");
    expect(banner({ phase })?.text).not.toBe("");
  });
});

describe("the table of states", () => {
  const ready = { ...calm, state: "disarmed", armWanted: false } as const;

  it("says what to do when somebody gives throttle to a car that is not armed", () => {
    expect(bannerFor({ ...ready, throttleHeld: true })).toMatchObject({
      level: "info",
      text: "Let go of the throttle, then press Arm.",
    });
    expect(
      bannerFor({ ...ready, throttleHeld: true, lastStop: "The picture stopped" })?.text,
    ).toMatch(/^The picture stopped\. Let go/u);
    expect(bannerFor({ ...ready, throttleHeld: true, armWanted: true })).toBeNull();
  });

  it("says why a car could not be armed, and nothing before the first drive", () => {
    expect(bannerFor({ ...ready, armFailed: true })?.title).toBe("The car could not be armed");
    expect(bannerFor({ ...ready, armFailed: true })?.text).toContain("stutters");
    expect(bannerFor({ ...ready, armFailed: true, reason: "old-picture" })?.text).toBe(
      "Your picture was too old. Press Arm again.",
    );
    expect(bannerFor({ ...ready, reason: "no-device" })).toBeNull();
  });

  it("has a name and a situation of its own for each row", () => {
    const situations = everything();
    const shown = new Set(
      situations.map((situation) => ROWS.find(({ when }) => when(situation))?.name),
    );
    expect(ROWS.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual([]);
    expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
  });

  it("has words for what happened and what to do in every state, link and input", () => {
    for (const situation of everything()) {
      const shown = bannerFor(situation);
      if (shown === null) continue;
      expect(shown.title).not.toBe("");
      expect(shown.text).toMatch(/[.?]$/u);
      expect(shown.blocking ? shown.actions.length : 1).toBeGreaterThan(0);
    }
  });

  it("covers the picture only while there is none", () => {
    for (const situation of everything()) {
      const shown = bannerFor(situation);
      const connected = situation.phase.name === "connected";
      if (shown?.blocking === true && situation.signaling.phase === "ready")
        expect(connected).toBe(false);
    }
  });

  it("is read aloud with its state, and without seconds that count down", () => {
    const lost = bannerFor({ ...calm, phase: { name: "retrying", at: 12_000 } });
    expect(lost?.text).toContain("in 2 s");
    expect(spokenWords("Not connected", lost)).toBe(
      "Not connected. The link to the car is lost. Connecting again. The car has stopped by itself.",
    );
    expect(spokenWords("Armed", null)).toBe("Armed.");
  });

  /** State × link × input, a few thousand. */
  function everything(): Situation[] {
    const phases: Situation["phase"][] = [
      { name: "connected" },
      { name: "waiting-host" },
      { name: "waiting-car", why: "offline", askAt: 0 },
      { name: "asking", since: 0 },
      { name: "negotiating", since: 0 },
      { name: "interrupted", since: 0 },
      { name: "restarting", since: 0 },
      { name: "retrying", at: 12_000 },
      { name: "ended", cause: { kind: "left" } },
    ];
    const hosts: Situation["signaling"][] = [
      calm.signaling,
      { phase: "waiting", why: "lost", retryAt: 12_000 },
      { phase: "outdated" },
      { phase: "signed-out" },
    ];
    const states = [...DRIVE_STATES, null];
    const hot = {
      temperature: 900,
      heat: "hot",
      supply: "good",
      wear: null,
      load: null,
      uptime_s: 1,
    } as const;
    const inputs: Partial<Situation>[] = [
      {},
      { throttleHeld: true },
      { armWanted: false },
      { armWanted: false, throttleHeld: true },
      { armWanted: false, armFailed: true },
      { armWanted: false, stranger: "Pedals" },
      { focused: false },
      ...Object.keys(t().drive.notice).map((notice) => ({ notice: notice as InputNotice })),
      ...STOP_REASONS.map((reason) => ({ reason })),
      { silentSince: 9_000 },
      { question: { by: "Bob", update: false, until: 40_000 } },
      { carNotice: { level: "info", text: "Hello." } },
      { computer: hot },
      { computer: { ...hot, supply: "sags" } },
    ];
    return phases.flatMap((phase) =>
      hosts.flatMap((signaling) =>
        states.flatMap((state) =>
          inputs.map((input) => ({ ...calm, phase, signaling, state, ...input })),
        ),
      ),
    );
  }
});
