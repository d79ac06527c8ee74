import { describe, expect, it } from "vitest";
import { DEFAULTS, formatControls, parseControls } from "./controls";
import { cycled, DIRECT, feelFrom, felt, GEARS, shifted } from "./feel";
import { button, STANDARD } from "./mapping";
import type { PadLike } from "./pad";
import { Shifter } from "./shifter";

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

  it("are kept by the browser; what cannot be used is as if nothing were said", () => {
    const feel = { gear: "crawl", steering: 0.4, throttle: 1 } as const;
    expect(parseControls(formatControls({ ...DEFAULTS, feel })).feel).toEqual(feel);
    expect(feelFrom({ gear: "warp", steering: 7, throttle: NaN })).toEqual(DIRECT);
    expect(parseControls("{}").feel).toEqual(DIRECT);
  });
});

describe("the shoulders of a pad", () => {
  const pad = (down: boolean, up: boolean, change: Partial<PadLike> = {}): PadLike => ({
    id: "Pad",
    index: 0,
    connected: true,
    mapping: "standard",
    axes: [0, 0],
    buttons: Array.from({ length: 17 }, (_, index) => {
      const pressed = (index === 4 && down) || (index === 5 && up);
      return { pressed, value: Number(pressed) };
    }),
    ...change,
  });

  it("shift once for each press, and not for what is pressed at the first look", () => {
    const shifter = new Shifter();
    const look = (down: boolean, up: boolean) => shifter.handlePads([pad(down, up)], new Map());
    const looks = [look(false, true), look(false, true), look(false, false)];
    expect([...looks, look(true, false), look(true, false), look(true, true)]).toEqual([
      0, 0, 0, -1, 0, 1,
    ]);
  });

  it("do not shift where the driver has given them another meaning, or nobody a meaning", () => {
    const shifter = new Shifter();
    const saved = new Map([["standard Pad", { ...STANDARD, arm: button(5) }]]);
    for (const up of [false, true]) expect(shifter.handlePads([pad(false, up)], saved)).toBe(0);
    const raw = (up: boolean) => [pad(false, up, { mapping: "" })];
    for (const up of [false, true]) expect(shifter.handlePads(raw(up), new Map())).toBe(0);
  });
});
