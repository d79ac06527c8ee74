import { beforeEach, describe, expect, it } from "vitest";
import { Sight, type Blindness } from "./sight";

let sight: Sight;
/** Age of a frame when it comes onto the screen; its time stamp says when that is. */
let ageMs: number | null;

const clock = {
  pictureAgeMs: (stamp: number, now: number) => (ageMs === null ? null : now - stamp + ageMs),
};

beforeEach(() => {
  sight = new Sight();
  ageMs = 40;
});

describe("Sight", () => {
  it("is blind before the first frame, and sees once frames have come for a moment", () => {
    expect(look(0, 5_000)).toBe("no-picture");
    expect(flow(5_000, 5_400)).toBe("no-picture");
    expect(flow(5_400, 5_600)).toBeNull();
  });

  it("is blind half a second after the last frame, at the very next look", () => {
    flow(0, 1_000);
    expect(look(1_000, 1_460)).toBeNull();
    expect(look(1_480, 1_520)).toBe("picture-stopped");
  });

  it("counts what the last frame was old already", () => {
    ageMs = 300;
    flow(0, 1_000);
    expect(look(1_000, 1_180)).toBeNull();
    expect(look(1_200, 1_220)).toBe("picture-stopped");
  });

  it("is blind by a picture that flows but is old, from its first old frame on", () => {
    flow(0, 1_000);
    ageMs = 2_000;
    expect(flow(1_020, 1_040)).toBe("picture-old");
    expect(flow(1_060, 9_000)).toBe("picture-old");
    ageMs = 100;
    expect(flow(9_020, 9_600)).toBeNull();
  });

  it("judges by the newest frame alone, not by the median of some", () => {
    flow(0, 1_000);
    ageMs = 600;
    expect(flow(1_020, 1_020)).toBe("picture-old");
  });

  it("does not see by single frames, however young", () => {
    flow(0, 1_000);
    look(1_000, 2_000);
    for (let now = 2_000; now < 12_000; now += 600) {
      expect(flow(now, now)).toBe("picture-stopped");
      expect(look(now + 20, now + 580)).toBe("picture-stopped");
    }
  });

  it("does not flap with a picture that stutters at the limit", () => {
    flow(0, 1_000);
    let changes = 0;
    let before: Blindness | null = null;
    for (let now = 1_000; now < 31_000; now += 20) {
      if (now % 540 === 0) sight.handleFrame(now, now);
      const blind = see(now);
      if ((blind === null) !== (before === null)) changes += 1;
      before = blind;
    }
    expect(changes).toBe(1);
  });

  it("does not see by frames with time stamps until the car's clock is known", () => {
    ageMs = null;
    expect(flow(0, 1_000)).toBe("no-picture");
    ageMs = 40;
    expect(flow(1_020, 1_520)).toBe("no-picture");
    expect(flow(1_540, 1_560)).toBeNull();
  });

  it("is blind by frames whose age is out of all range", () => {
    flow(0, 1_000);
    ageMs = Infinity;
    expect(flow(1_020, 1_020)).toBe("picture-old");
    expect(flow(1_040, 3_000)).toBe("picture-old");
  });

  it("counts the gap alone where the browser tells no time stamps", () => {
    ageMs = 9_000;
    for (let now = 0; now <= 1_000; now += 20) {
      sight.handleFrame(now, null);
      see(now);
    }
    expect(see(1_020)).toBeNull();
    expect(look(1_040, 1_520)).toBe("picture-stopped");
  });

  it("is blind when the page comes back to a picture that went on without it, until that has been seen to flow", () => {
    flow(0, 1_000);
    expect(look(60_000, 60_000)).toBe("picture-stopped");
    expect(flow(60_020, 60_400)).toBe("picture-stopped");
    expect(flow(60_400, 60_700)).toBeNull();
  });

  it("takes no rest of the page for seeing", () => {
    flow(0, 1_000);
    look(1_000, 1_600);
    expect(flow(1_620, 1_700)).toBe("picture-stopped");
    expect(flow(2_400, 2_800)).toBe("picture-stopped");
    expect(flow(2_820, 3_000)).toBeNull();
  });
});

function see(now: number): Blindness | null {
  sight.handleLook(now, clock);
  return sight.blind;
}

/** Looks at 50 Hz without a new frame; returns what the last look finds. */
function look(from: number, to: number): Blindness | null {
  let blind: Blindness | null = null;
  for (let now = from; now <= to; now += 20) blind = see(now);
  return blind;
}

/** The same with a new frame before each look. */
function flow(from: number, to: number): Blindness | null {
  let blind: Blindness | null = null;
  for (let now = from; now <= to; now += 20) {
    sight.handleFrame(now, now);
    blind = see(now);
  }
  return blind;
}
