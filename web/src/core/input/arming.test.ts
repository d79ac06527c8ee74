import { describe, expect, it } from "vitest";
import type { DriveState } from "../../protocol/state";
import type { OtherWord } from "../../protocol/words";
import { ArmLatch } from "./arming";

/** A latch that the driver has set at 0, with its first clear frame echoed. */
function set(): ArmLatch {
  const latch = new ArmLatch();
  latch.handleArm(0);
  latch.handleSent(1, true);
  latch.handleEcho(1, 0);
  expect(latch.flag).toBe(true);
  return latch;
}

describe("the arm latch", () => {
  it.each<[DriveState]>([["armed"], ["holding"], ["braking"], ["arming"]])(
    "has been followed once the drive is %s, and a stop then clears it",
    (state) => {
      const latch = set();
      latch.handleState(state, 100);
      expect(latch.wanted).toBe(true);
      latch.handleState("tripped", 200);
      expect(latch.wanted).toBe(false);
    },
  );

  it("waits for a drive that has not followed yet, but not for ever", () => {
    const latch = set();
    latch.handleState("disarmed", 100);
    latch.handleState("tripped", 3_000);
    expect(latch.wanted).toBe(true);
    latch.handleState("disarmed", 3_001);
    expect(latch.wanted).toBe(false);
  });

  it("takes a state of a later drive for one that is not armed", () => {
    const later = "other-6" as OtherWord;
    const early = set();
    early.handleState(later, 100);
    early.handleState("disarmed", 200);
    expect(early.wanted, "the drive had not followed").toBe(true);
    const followed = set();
    followed.handleState("armed", 100);
    followed.handleState(later, 200);
    expect(followed.wanted).toBe(false);
  });
});

describe("a wish on a link that stutters", () => {
  /** One control frame every 20 ms, each read 20 ms later, and telemetry of this drive. */
  function drive(latch: ArmLatch, from: number, to: number, state: DriveState): boolean[] {
    const flags: boolean[] = [];
    for (let now = from; now < to; now += 20) {
      const seq = 10 + now / 20;
      latch.handleSent(seq, true);
      flags.push(latch.flag);
      latch.handleEcho(seq - 1, now);
      latch.handleState(state, now);
    }
    return flags;
  }

  it("asks again with arm clear in between after a gap has ended arming", () => {
    const latch = set();
    expect(drive(latch, 20, 200, "arming")).not.toContain(false);
    latch.handleState("disarmed", 200);
    expect([latch.wanted, latch.flag]).toEqual([true, false]);
    const flags = drive(latch, 220, 320, "disarmed");
    expect(flags[0]).toBe(false);
    expect(flags.at(-1)).toBe(true);
    drive(latch, 320, 700, "arming");
    latch.handleState("armed", 700);
    expect([latch.wanted, latch.failed]).toEqual([true, false]);
  });

  it("asks again when the drive has had arm for a while and does not take it", () => {
    const latch = set();
    const flags = drive(latch, 20, 1_000, "disarmed");
    const times = flags.filter((flag, i) => flag && flags[i - 1] === false).length;
    expect(times).toBeGreaterThanOrEqual(2);
  });

  it("gives up after three seconds, says so, and says no more once the driver acts", () => {
    const latch = set();
    drive(latch, 20, 3_000, "disarmed");
    expect([latch.wanted, latch.failed]).toEqual([true, false]);
    drive(latch, 3_000, 3_100, "disarmed");
    expect([latch.wanted, latch.flag, latch.failed]).toEqual([false, false, true]);
    expect(drive(latch, 3_100, 9_000, "disarmed")).not.toContain(true);
    latch.handleArm(9_000);
    expect(latch.failed).toBe(false);
  });

  it("never asks again after a trip, also if the page did not hear that the car was armed", () => {
    const latch = set();
    drive(latch, 20, 100, "disarmed");
    // Telemetry is lost meanwhile: armed, then tripped.
    expect(drive(latch, 900, 5_000, "tripped").slice(1)).not.toContain(true);
    expect(latch.wanted).toBe(false);
  });

  it("never asks again by itself once the car was armed, whatever comes then", () => {
    for (const stop of ["disarmed", "tripped", "jogging"] as const) {
      const latch = set();
      drive(latch, 20, 300, "arming");
      latch.handleState("armed", 300);
      latch.handleState(stop, 320);
      expect(drive(latch, 340, 5_000, "disarmed")).not.toContain(true);
      expect([latch.wanted, latch.failed]).toEqual([false, false]);
    }
  });
});
