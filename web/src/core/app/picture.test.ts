import { describe, expect, it } from "vitest";
import type { CarClock } from "../link/clock";
import { Picture } from "./picture";

describe("Picture", () => {
  it("shows the median age while frames flow", () => {
    const picture = new Picture();
    [40, 42, 300, 41, 43].forEach((age, i) => present(picture, i * 33, age));
    expect(picture.ageMs(140)).toBe(42);
  });

  it("ages with the clock once it is frozen", () => {
    const picture = new Picture();
    present(picture, 1_000, 40);
    expect(picture.ageMs(1_250)).toBe(40);
    expect(picture.ageMs(3_000)).toBe(2_040);
  });

  it("is at least as old as it has been frozen, where frames tell no time", () => {
    const picture = new Picture();
    picture.handleFrame(
      { presentedAt: 0, rtpTimestamp: null, width: 1, height: 1, count: 1 },
      aged(40),
    );
    expect(picture.ageMs(3_000)).toBe(3_000);
  });

  it("is not known without time stamps", () => {
    const picture = new Picture();
    picture.handleFrame(
      { presentedAt: 0, rtpTimestamp: null, width: 1, height: 1, count: 1 },
      aged(40),
    );
    expect(picture.ageMs(0)).toBeNull();
  });

  it("is forgotten when the clock no longer fits", () => {
    const picture = new Picture();
    present(picture, 0, 40);
    present(picture, 33, null);
    expect(picture.ageMs(34)).toBeNull();
    present(picture, 66, 40);
    present(picture, 99, Infinity);
    expect(picture.ageMs(100)).toBeNull();
  });
});

function present(picture: Picture, presentedAt: number, age: number | null): void {
  picture.handleFrame(
    { presentedAt, rtpTimestamp: 1, width: 640, height: 360, count: 1 },
    aged(age),
  );
}

function aged(age: number | null): CarClock {
  return { pictureAgeMs: () => age } as unknown as CarClock;
}
