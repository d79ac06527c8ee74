import { describe, expect, it } from "vitest";
import { DEFAULTS, formatControls, parseControls } from "./controls";
import { cycled, DIRECT, feelFrom, felt, GEARS, shifted, UNREADABLE } from "./feel";

const asked = (steering: number, throttle: number, jog = false) => ({ steering, throttle, jog });

describe("gears and curves", () => {
  it("never ask for more than the driver does, nor for the other way", () => {
    for (const gear of GEARS)
      for (const expo of [0, 0.3, 1])
        for (let at = -1; at <= 1; at += 0.01) {
          const feel = { gear, steering: expo, throttle: expo };
          const { steering, throttle } = felt(asked(at, at), feel);
          for (const got of [steering, throttle]) {
            expect(Math.abs(got)).toBeLessThanOrEqual(Math.abs(at) + 1e-12);
            expect(got * at).toBeGreaterThanOrEqual(0);
          }
        }
  });

  it("leave neutral neutral, full lock full, and a whole gear its share", () => {
    const feel = { gear: "crawl", steering: 0.8, throttle: 0.8 } as const;
    expect(felt(asked(0, 0), feel)).toMatchObject({ steering: 0, throttle: 0 });
    expect(felt(asked(-1, 1), feel)).toMatchObject({ steering: -1, throttle: 0.25 });
    expect(felt(asked(0.5, -0.5), DIRECT)).toMatchObject({ steering: 0.5, throttle: -0.5 });
  });

  it("do not touch what somebody who calibrates the car holds a button for", () => {
    const feel = { gear: "crawl", steering: 1, throttle: 1 } as const;
    expect(felt(asked(0.5, 1, true), feel)).toEqual(asked(0.5, 1, true));
  });

  it("shift one by one, and stay at the ends", () => {
    expect(GEARS.map((gear) => shifted(gear, 1))).toEqual(["normal", "full", "full"]);
    expect(GEARS.map((gear) => shifted(gear, -1))).toEqual(["crawl", "crawl", "normal"]);
    expect(GEARS.map(cycled)).toEqual(["normal", "full", "crawl"]);
  });

  it("are kept by the browser; nothing stored is full, what cannot be read is crawl", () => {
    const feel = { gear: "crawl", steering: 0.4, throttle: 1 } as const;
    expect(parseControls(formatControls({ ...DEFAULTS, feel })).feel).toEqual(feel);
    expect(feelFrom({ gear: "warp", steering: 7, throttle: NaN })).toEqual(UNREADABLE);
    for (const nothing of [null, "{}", '{"feel":{}}'])
      expect(parseControls(nothing).feel).toEqual(DIRECT);
    expect(UNREADABLE.gear).toBe("crawl");
    const long = formatControls(DEFAULTS) + " ".repeat(70_000);
    for (const text of ["", "{", "7", "[]", '{"feel":null}', '{"feel":[]}', long])
      expect(parseControls(text).feel, text.slice(0, 20)).toEqual(UNREADABLE);
    for (const gear of [null, 2, "Crawl", "warp", ["full"]])
      expect(feelFrom({ gear, steering: 0.4 })).toEqual({ ...UNREADABLE, steering: 0.4 });
  });
});
