import { describe, expect, it } from "vitest";
import type { DriveState } from "../../protocol/state";
import type { OtherWord } from "../../protocol/words";
import { ArmLatch } from "./arming";

/** A latch that the driver has set at 0, with its first clear frame echoed. */
function set(): ArmLatch {
  const latch = new ArmLatch();
  latch.handleArm(0);
  latch.handleSent(1, true);
  latch.handleEcho(1);
  expect(latch.flag).toBe(true);
  return latch;
}

describe("the arm latch", () => {
  it.each<[DriveState]>([["arming"], ["armed"], ["holding"], ["braking"]])(
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
