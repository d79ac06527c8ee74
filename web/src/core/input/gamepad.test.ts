import { beforeEach, describe, expect, it } from "vitest";
import { effectsOf } from "../effects";
import { Gamepads, type Effect, type PadLike } from "./gamepad";
import { axis, STANDARD, STICK, type Mapping } from "./mapping";

/** What a driver has said about a device without the standard mapping. */
const JOYSTICK: Mapping = {
  ...STANDARD,
  forward: axis(1, 0, -1),
  backward: axis(1, 0, 1),
  throttle: STICK,
};
const SAVED = new Map([["joystick", JOYSTICK]]);

let pads: Gamepads;

beforeEach(() => {
  pads = new Gamepads();
  pads.handleMappings(SAVED);
});

describe("a pad that is taken into the hand", () => {
  it("takes over once a stick moves, not merely because it is there", () => {
    expect(look(0, pad({}))).toBeNull();
    expect(pads.sample(0)).toBeNull();
    expect(look(16, pad({ axes: [0.8, 0, 0, 0] }))).not.toBeNull();
    expect(pads.sample(20)).toMatchObject({ ageMs: 4, stale: false });
  });

  it.each<[string, Values, Values]>([
    ["a worn stick's noise", { axes: [0.02, 0, 0, 0] }, { axes: [0.05, 0, 0, 0] }],
    ["a pedal's at its end", { axes: [0, -1], mapping: "" }, { axes: [0, -0.99997], mapping: "" }],
    ["a stick's that leans on something", { axes: [0.6, 0, 0, 0] }, { axes: [0.59, 0, 0, 0] }],
    ["a trigger's that is stuck", { triggers: [0, 0.7] }, { triggers: [0, 0.71] }],
  ])("does not take over by the noise of nobody: %s", (_, first, then) => {
    look(0, pad(first));
    expect(look(16, pad(then))).toBeNull();
    expect(look(32, pad(first))).toBeNull();
  });

  it("does not take over by noise, wherever its controls rest", () => {
    for (const mapping of ["", "standard"]) {
      for (let rest = -1; rest <= 1.001; rest += 0.01) {
        pads = new Gamepads();
        pads.handleMappings(SAVED);
        for (let now = 0; now < 160; now += 16) {
          const at = rest + (now % 32 === 0 ? 0.005 : -0.005);
          expect(look(now, pad({ axes: [at, at], triggers: [at, at], mapping }))).toBeNull();
        }
      }
    }
  });

  it("takes over by a quarter of the way from rest to the end that it moves to, and by no less", () => {
    look(0, pad({ axes: [0.2, 0, 0, 0] }));
    expect(look(16, pad({ axes: [0.39, 0, 0, 0] }))).toBeNull();
    expect(look(32, pad({ axes: [-0.09, 0, 0, 0] }))).toBeNull();
    expect(look(48, pad({ axes: [-0.1, 0, 0, 0] }))).not.toBeNull();
  });

  it("takes over by a movement of many small steps", () => {
    const taken = Array.from({ length: 14 }, (_, step) =>
      look(step * 16, pad({ axes: [step / 50, 0, 0, 0] })),
    );
    expect(taken.findIndex((key) => key !== null)).toBe(13);
  });

  it.each<[string, Values]>([
    ["a trigger", { triggers: [0, 0.3] }],
    ["an ordinary button", { pressed: [3] }],
  ])("takes over by %s", (_, values) => {
    look(0, pad({}));
    expect(look(16, pad(values))).not.toBeNull();
  });

  it("does not take over by the brake or the arm button alone", () => {
    look(0, pad({}));
    expect(look(16, pad({ pressed: [0, 1] }))).toBeNull();
  });

  it("that another device took over from comes back by moving on, not by what it holds", () => {
    use({ axes: [0.8, 0, 0, 0] });
    pads.handleLetGo();
    expect(look(32, pad({ axes: [0.81, 0, 0, 0] }))).toBeNull();
    expect(look(48, pad({}))).toBeNull();
    expect(look(64, pad({ axes: [0.8, 0, 0, 0] }))).not.toBeNull();
  });
});

describe("what a pad gives", () => {
  it("is the left stick for the steering and the triggers for the throttle", () => {
    use({ axes: [-1, 0, 0, 0], triggers: [0.25, 0.75] });
    expect(pads.sample(16)).toMatchObject({ steering: -1, throttle: 0.5 });
  });

  it("is what its driver has said about it, without the standard mapping", () => {
    use({ axes: [0.54, -1], mapping: "" });
    expect(pads.sample(16)).toMatchObject({ steering: expect.closeTo(0.5) as number, throttle: 1 });
  });

  it("counts from where a worn stick rests, to both ends", () => {
    const steer = (position: number) => {
      look(16, pad({ axes: [position, 0, 0, 0] }));
      return pads.sample(16)?.steering;
    };
    use({ axes: [0.14, 0, 0, 0], pressed: [3] }, { axes: [0.14, 0, 0, 0] });
    expect([0.14, 0.2, 0.08, 1, -1].map(steer)).toEqual([0, 0, 0, 1, -1]);
  });

  it("is nothing of a trigger that rests a little pulled, and all of it at its end", () => {
    use({ triggers: [0, 0.1], pressed: [3] }, { triggers: [0, 0.1] });
    expect(pads.sample(16)?.throttle).toBe(0);
    look(32, pad({ triggers: [0, 1] }));
    expect(pads.sample(32)?.throttle).toBe(1);
  });

  it("is nothing of a trigger that was pulled when first seen, until it was let go", () => {
    use({ triggers: [0, 0.9], pressed: [3] }, { triggers: [0, 0.9] });
    expect(pads.sample(16)?.throttle).toBe(0);
    look(32, pad({ triggers: [0, 0.2] }));
    stay(48, 560, { triggers: [0, 0.1] });
    look(576, pad({ triggers: [0, 0.6] }));
    expect(pads.sample(576)?.throttle).toBeCloseTo(5 / 9);
  });

  it("is nothing of a pedal for a trigger that rests pulled and passes 0", () => {
    const pedal = (pull: number) => ({ triggers: [0, pull] as [number, number] });
    look(0, pad(pedal(1)));
    [0.5, 0, 0.5, 1].forEach((pull, i) => stay(100 * (i + 1), 100 * (i + 1) + 96, pedal(pull)));
    stay(500, 2_000, { ...pedal(1), pressed: [3] });
    expect(pads.sample(2_000)).toMatchObject({ steering: 0, throttle: 0 });
  });

  it("is nothing of a trigger that was near 0 at two looks of a page that stood still between them", () => {
    look(0, pad({ triggers: [0, 1] }));
    look(16, pad({ triggers: [0, 0], pressed: [3] }));
    look(1_000, pad({ triggers: [0, 0] }));
    look(1_016, pad({ triggers: [0, 1] }));
    stay(1_032, 1_100, { triggers: [0, 1], pressed: [3] });
    expect(pads.sample(1_100)?.throttle).toBe(0);
  });

  it("is nothing of a stick that was held when first seen, until it has stayed near the middle", () => {
    use({ axes: [0.9, 0, 0, 0], pressed: [3] }, { axes: [0.9, 0, 0, 0] });
    expect(pads.sample(16)).toMatchObject({ steering: 0, stale: false });
    stay(32, 560, { axes: [0.1, 0, 0, 0] });
    look(576, pad({ axes: [1, 0, 0, 0] }));
    expect(pads.sample(576)?.steering).toBe(1);
  });

  it("is nothing of a standard axis that rests at its end and passes the middle", () => {
    use({ axes: [-1, 0, 0, 0], pressed: [3] }, { axes: [-1, 0, 0, 0] });
    [-0.5, 0, 0.5, 0, -1].forEach((at, i) =>
      stay(100 * (i + 1), 100 * (i + 1) + 96, { axes: [at, 0, 0, 0] }),
    );
    expect(pads.sample(596)?.steering).toBe(0);
  });

  it("is nothing of an axis that was exactly 0 until its first word is that it is at an end", () => {
    const pedals = (throttle: number, pressed: number[] = []) =>
      pad({ axes: [0, throttle, 0], mapping: "", pressed });
    look(0, pedals(0));
    look(16, pedals(0, [3]));
    look(32, pedals(0));
    expect(look(48, pedals(-1))).toBeNull();
    expect(pads.sample(48)?.throttle).toBe(0);
    [-0.5, 0, 1].forEach((at, i) => look(64 + i, pedals(at)));
    expect(pads.sample(67)?.throttle).toBe(0);
  });

  it("is a stick that was exactly 0 and is pushed through values in between", () => {
    use({ axes: [0, -0.6], mapping: "" }, { axes: [0, 0], mapping: "" });
    look(32, pad({ axes: [0, -1], mapping: "" }));
    expect(pads.sample(32)?.throttle).toBe(1);
  });

  it("stays what it was while a control reports what is no number, which is no sign of life", () => {
    use({ axes: [0.54, 0, 0, 0], triggers: [0, 0.5] });
    for (const now of [500, 1_000])
      look(now, pad({ axes: [Number.NaN, 0, 0, 0], triggers: [0, Number.NaN] }));
    expect(pads.sample(1_000)).toMatchObject({ steering: 0.5, throttle: 0.5, stale: false });
    look(1_050, pad({ axes: [0.54, 0, 0, 0], triggers: [0, 0.5] }));
    expect(pads.sample(1_050)?.stale).toBe(true);
  });

  it("has its first look at a control when that first reports a number", () => {
    const silent: Values = { axes: [Number.NaN, Number.NaN], mapping: "" };
    use({ ...silent, pressed: [3] }, silent);
    look(32, pad({ axes: [0.2, -1], mapping: "" }));
    expect(pads.sample(32)).toMatchObject({ steering: 0, throttle: 0 });
    look(48, pad({ axes: [1, 0.5], mapping: "" }));
    expect(pads.sample(48)).toMatchObject({ steering: 1, throttle: 0 });
  });

  it("is nothing of a trigger whose first number is that it is pulled", () => {
    use({ triggers: [0, Number.NaN], pressed: [3] }, { triggers: [0, Number.NaN] });
    look(32, pad({ triggers: [0, 1] }));
    expect(pads.sample(32)?.throttle).toBe(0);
  });

  it("is nothing of a pedal for good, also after it passed the middle, until it is plugged in again", () => {
    const pedals = (throttle: number): PadLike =>
      pad({ axes: [0, throttle], mapping: "", pressed: [3] });
    use({ axes: [0, 1], mapping: "", pressed: [3] }, { axes: [0, 1], mapping: "" });
    for (const position of [0.5, 0, -0.5, -1, 0, 1]) {
      look(32, pedals(position));
      expect(pads.sample(32)).toMatchObject({ throttle: 0, stale: false });
    }
    look(48, null);
    use({ axes: [0, -1], mapping: "" });
    expect(pads.sample(16)?.throttle).toBe(1);
  });

  it("is nothing of what is no number or beyond the ends, and a dead pad that reports such is stale", () => {
    use(
      { axes: [Number.NaN, -0.5, Infinity], mapping: "" },
      { axes: [Number.NaN, 0, 0], mapping: "" },
    );
    expect(pads.sample(16)).toMatchObject({
      steering: 0,
      throttle: expect.closeTo(0.457, 2) as number,
    });
    look(1_100, pad({ axes: [Number.NaN, -0.5, Infinity], mapping: "" }));
    expect(pads.sample(1_100)?.stale).toBe(true);
  });

  it("is nothing of a hat that rests beyond the end", () => {
    use(
      { axes: [1.2857, 1.2857], mapping: "", pressed: [3] },
      { axes: [1.2857, 1.2857], mapping: "" },
    );
    look(32, pad({ axes: [-1, -1], mapping: "", pressed: [3] }));
    expect(pads.sample(32)).toMatchObject({ steering: 0, throttle: 0 });
  });

  it("is nothing of an axis that appears later at an end", () => {
    use({ axes: [0.5], mapping: "" }, { axes: [0], mapping: "" });
    look(32, pad({ axes: [0.5, -1], mapping: "" }));
    look(48, pad({ axes: [0.5, -0.9], mapping: "" }));
    expect(pads.sample(48)?.throttle).toBe(0);
    look(64, pad({ axes: [], mapping: "" }));
    expect(pads.sample(64)).toMatchObject({ steering: 0, throttle: 0 });
  });

  it("is the brake of any pad, but not of a button that was down when first seen", () => {
    pads.handlePads([pad({}), { ...pad({ pressed: [1] }), index: 1 }], 0);
    expect(pads.brake).toBe(false);
    pads.handlePads([pad({ pressed: [1] }), { ...pad({ pressed: [1] }), index: 1 }], 16);
    expect(pads.brake).toBe(true);
    pads.handlePads([pad({}), { ...pad({}), index: 1 }], 32);
    expect(pads.brake).toBe(false);
    pads.handlePads([pad({}), { ...pad({ pressed: [1] }), index: 1 }], 48);
    expect(pads.brake).toBe(true);
  });

  it("is the arm button once for each press, and not one that was down when first seen", () => {
    const armed = (now: number, pressed: number[]) =>
      looked([pad({ pressed })], now).filter(({ kind }) => kind === "arm").length;
    expect([[0], [0], [], [0], [0], [], [0]].map((pressed, i) => armed(i * 16, pressed))).toEqual([
      0, 0, 0, 1, 0, 0, 1,
    ]);
  });
});

describe("a pad that is gone", () => {
  it("vanishes when the browser no longer lists it", () => {
    use({ axes: [1, 0, 0, 0] });
    expect(looked([null], 32)).toEqual([{ kind: "vanished" }]);
    expect(looked([null], 48)).toEqual([]);
    expect(pads.sample(48)).toBeNull();
  });

  it.each([
    ["is listed as not connected", { connected: false }],
    ["has another one in its place", { id: "another" }],
    ["means something else by its axes", { mapping: "" }],
  ])("vanishes when it %s", (_, change) => {
    use({ axes: [1, 0, 0, 0] });
    const seen = { ...pad({ axes: [1, 0, 0, 0] }), ...change };
    expect(looked([seen], 32)).toContainEqual({ kind: "vanished" });
    expect(pads.handleTakeOver(32)).toBeNull();
  });

  it("vanishes when it was unplugged, also if it is back before the next look", () => {
    use({ axes: [1, 0, 0, 0] });
    pads.handleUnplugged(1);
    expect(effects()).toEqual([]);
    pads.handleUnplugged(0);
    expect(effects()).toEqual([{ kind: "vanished" }]);
    expect(look(32, pad({ axes: [0.9, 0, 0, 0] }))).toBeNull();
    expect(look(48, pad({ axes: [0.8, 0, 0, 0] }))).toBeNull();
  });

  it("that comes back with frozen values is not in use", () => {
    use({ axes: [0.7, 0, 0, 0] });
    look(32, null);
    expect([48, 64, 5_000].map((now) => look(now, pad({ axes: [0.7, 0, 0, 0] })))).toEqual([
      null,
      null,
      null,
    ]);
    expect(pads.sample(5_000)).toBeNull();
  });

  it("is found by its index, wherever the browser lists it", () => {
    use({ axes: [0.7, 0, 0, 0] });
    const other = { ...pad({}), index: 1 };
    expect(looked([other, null, pad({ axes: [0.7, 0, 0, 0] })], 32)).toEqual([]);
    expect(pads.sample(32)?.steering).toBeGreaterThan(0.5);
  });
});

describe("a pad whose values stand still", () => {
  it("is stale when a stick is held half way without the least change for a second", () => {
    use({ axes: [0.5, 0, 0, 0] });
    look(1_000, pad({ axes: [0.5, 0, 0, 0] }));
    expect(pads.sample(1_000)).toMatchObject({ stale: false, ageMs: 0 });
    look(1_050, pad({ axes: [0.5, 0, 0, 0] }));
    expect(pads.sample(1_050)).toMatchObject({ stale: true, ageMs: 1_034 });
    look(1_066, pad({ axes: [0.51, 0, 0, 0] }));
    expect(pads.sample(1_066)).toMatchObject({ stale: false, ageMs: 0 });
  });

  it.each([
    ["at rest", [0, 0, 0, 0]],
    ["at rest, worn", [0.1, -0.15, 0, 0]],
    ["at its stop", [1, -0.99, 0, 0]],
  ])("is not stale with its sticks %s", (_, axes) => {
    use({ axes: [0.9, 0, 0, 0] });
    look(32, pad({ axes }));
    look(9_000, pad({ axes }));
    expect(pads.sample(9_000)).toMatchObject({ stale: false, ageMs: 0 });
  });

  it("is not stale with a stick at the rest that was seen first", () => {
    use({ axes: [0.24, -0.24, 0, 0], pressed: [3] }, { axes: [0.24, -0.24, 0, 0] });
    look(9_000, pad({ axes: [0.24, -0.24, 0, 0], pressed: [3] }));
    expect(pads.sample(9_000)?.stale).toBe(false);
  });

  it.each([
    ["the stick that steers", [0.14, 0, 0, 0], [-0.12, 0, 0, 0]],
    ["the unused stick", [0, 0, 0.14, 0.14], [0, 0, -0.2, -0.24]],
    ["the unused stick, leaning on something", [0, 0, 0, 0], [0, 0, 0.6, 0.6]],
  ])("is not stale by wear: %s", (_, first, rest) => {
    use({ axes: first, pressed: [3] }, { axes: first });
    stay(32, 1_500, { axes: rest });
    expect(pads.sample(1_500)?.stale).toBe(false);
  });

  it("is stale when a trigger is held half way without the least change for three seconds", () => {
    use({ triggers: [0, 0.5] });
    look(2_900, pad({ triggers: [0, 0.5] }));
    expect(pads.sample(2_900)?.stale).toBe(false);
    look(3_100, pad({ triggers: [0, 0.5] }));
    expect(pads.sample(3_100)?.stale).toBe(true);
  });

  it.each<[string, Values]>([
    ["a trigger pulled through", { triggers: [0, 1] }],
    ["a stick pushed to its stop", { axes: [0, -1], mapping: "" }],
    ["a trigger barely pulled", { triggers: [0.1, 0] }],
  ])("is stale after five seconds without the least change with %s", (_, values) => {
    use({ ...values, pressed: [3] }, values.mapping === undefined ? {} : heard(values.mapping));
    look(32, pad(values));
    look(5_032, pad(values));
    expect(pads.sample(5_032)).toMatchObject({ stale: false, ageMs: 0 });
    look(5_048, pad(values));
    expect(pads.sample(5_048)).toMatchObject({ stale: true, ageMs: 5_016 });
  });

  it("is alive at full throttle as long as anything on it moves", () => {
    use({ triggers: [0, 1] });
    for (let now = 4_000; now <= 40_000; now += 4_000) {
      look(now, pad({ triggers: [0, 1], axes: [now % 8_000 === 0 ? 0.01 : 0, 0, 0, 0] }));
      expect(pads.sample(now)?.stale).toBe(false);
    }
  });

  it("ages while nobody looks", () => {
    use({ axes: [1, 0, 0, 0] });
    expect(pads.sample(216)?.ageMs).toBe(200);
  });
});

describe("two pads", () => {
  const rest: Values = {};
  const left: Values = { axes: [-1, 0, 0, 0] };

  beforeEach(() => {
    play(-16, -16, rest, rest);
  });

  it("steer in turn: the other one once this one was put down", () => {
    play(0, 100, left, rest);
    play(116, 1_000, rest, rest);
    expect(play(1_016, 1_100, rest, left)).toBe("0");
    expect(play(1_116, 1_200, rest, left)).toBe("1");
  });

  it("do not rob each other while one is held", () => {
    play(0, 100, left, rest);
    for (let now = 116; now < 3_000; now += 16) {
      const trembling = { axes: [-1, now % 40 < 20 ? 0.001 : 0, 0, 0] };
      expect(play(now, now, trembling, now % 400 < 200 ? left : rest)).toBe("0");
    }
  });

  it("steer in turn also when the one in use has frozen in its last position", () => {
    play(0, 100, left, rest);
    expect(play(1_200, 1_400, left, left)).toBe("1");
  });

  it.each([8, 16, 50, -8, -16, -50])(
    "that are twins, %i ms apart, stay at the one that was first in use",
    (apart) => {
      const stick = (now: number) => {
        // Left and right in turn, with a rest now and then, at any speed.
        const phase = Math.floor(now / 130) % 7;
        return { axes: [[0, -1, 1, 0, 0, 0.4, 0][phase] ?? 0, 0, 0, 0] };
      };
      pads.handleUse(keyAt("0"));
      for (let now = 200; now < 20_000; now += 4) play(now, now, stick(now), stick(now - apart));
      expect(pads.inUse).toBe(keyAt("0"));
    },
  );

  it("that are twins of which one is the more sensitive do not rob each other", () => {
    const at = (position: number) => ({ axes: [position, 0, 0, 0] });
    play(0, 16, left, rest);
    play(32, 500, rest, rest);
    for (let now = 516; now < 6_000; now += 16) {
      const way = Math.abs(((now / 1_000) % 2) - 1) * 0.6;
      expect(play(now, now, at(way * 0.7), at(way))).toBe("0");
    }
  });

  /**
   * Both pads stay like this from `from` to `to`, with a look every 16 ms. Returns the index of the
   * pad that steers then.
   */
  function play(from: number, to: number, first: Values, second: Values): string | undefined {
    for (let now = from; now <= to; now += 16) {
      pads.handlePads([pad(first), { ...pad(second), index: 1 }], now);
      const taker = pads.handleTakeOver(now);
      if (taker !== null) pads.handleUse(taker);
    }
    return pads.inUse?.charAt(0);
  }

  function keyAt(index: string): string {
    return `${index} standard pad`;
  }
});

interface Values {
  axes?: number[];
  triggers?: [number, number];
  pressed?: number[];
  mapping?: string;
}

function pad({
  axes = [0, 0, 0, 0],
  triggers = [0, 0],
  pressed = [],
  mapping = "standard",
}: Values): PadLike {
  const buttons = Array.from({ length: 17 }, (_, button) => ({
    pressed: pressed.includes(button),
    value: pressed.includes(button)
      ? 1
      : button === 6
        ? triggers[0]
        : button === 7
          ? triggers[1]
          : 0,
  }));
  const id = mapping === "" ? "joystick" : "pad";
  return { id, index: 0, connected: true, mapping, axes, buttons };
}

function effects(): Effect[] {
  return [...effectsOf(pads)];
}

function looked(seen: (PadLike | null)[], now: number): Effect[] {
  pads.handlePads(seen, now);
  return effects();
}

/** One look; returns the pad that takes over. */
function look(now: number, seen: PadLike | null): string | null {
  looked([seen], now);
  const taker = pads.handleTakeOver(now);
  if (taker !== null) pads.handleUse(taker);
  return taker;
}

/** The same values at every look. */
function stay(from: number, to: number, values: Values): void {
  for (let now = from; now <= to; now += 16) look(now, pad(values));
}

/** At rest, after first events from its axes: 8 bits have no exact middle. */
function heard(mapping: string): Values {
  return { axes: [1 / 255, 1 / 255], mapping };
}

/** A pad that is first seen as `first` and moves to `values` at 16 ms. */
function use(
  values: Values,
  first: Values = values.mapping === undefined ? {} : heard(values.mapping),
): void {
  look(0, pad(first));
  look(16, pad(values));
}
