import { beforeEach, describe, expect, it } from "vitest";
import { Gamepads, type PadEvent, type PadLike } from "./gamepad";

let pads: Gamepads;

beforeEach(() => {
  pads = new Gamepads();
});

describe("Gamepads", () => {
  it("is in use once a stick moves, not merely because it is there", () => {
    expect(look(0, pad({ axes: [0.9, 0, 0, 0] }))).toEqual([]);
    expect(pads.sample(0)).toBeNull();
    expect(look(16, pad({ axes: [0.8, 0, 0, 0] }))).toEqual(["used"]);
    expect(pads.sample(20)).toMatchObject({ ageMs: 4, stale: false });
  });

  it("is not in use because of a worn stick's noise", () => {
    look(0, pad({ axes: [0.02, 0, 0, 0] }));
    expect(look(16, pad({ axes: [0.05, 0, 0, 0] }))).toEqual([]);
  });

  it("steers with the left stick and drives with the triggers", () => {
    use({ axes: [-1, 0, 0, 0], triggers: [0.25, 0.75] });
    expect(pads.sample(16)).toMatchObject({ steering: -1, throttle: 0.5 });
  });

  it("drives a pad without the standard mapping by its first two axes", () => {
    use({ axes: [0.54, -1], mapping: "" });
    expect(pads.sample(16)).toMatchObject({ steering: expect.closeTo(0.5) as number, throttle: 1 });
  });

  it("reports the arm button once for each press", () => {
    look(0, pad({}));
    expect(look(16, pad({ pressed: [0] }))).toEqual(["used", "arm"]);
    expect(look(32, pad({ pressed: [0] }))).toEqual([]);
    expect(look(48, pad({}))).toEqual([]);
    expect(look(64, pad({ pressed: [0] }))).toEqual(["used", "arm"]);
  });

  it("vanishes when the browser no longer lists it", () => {
    use({ axes: [1, 0, 0, 0] });
    expect(look(32, null)).toEqual(["vanished"]);
    expect(look(48, null)).toEqual([]);
    expect(pads.sample(48)).toBeNull();
  });

  it("vanishes when it is listed as not connected, or another one takes its place", () => {
    use({ axes: [1, 0, 0, 0] });
    expect(look(32, { ...pad({}), connected: false })).toEqual(["vanished"]);
    use({ axes: [1, 0, 0, 0] });
    expect(look(100, { ...pad({ axes: [1, 0, 0, 0] }), id: "another" })).toEqual(["vanished"]);
  });

  it("that comes back with frozen values is not in use", () => {
    use({ axes: [0.7, 0, 0, 0] });
    look(32, null);
    expect([48, 64, 5_000].flatMap((now) => look(now, pad({ axes: [0.7, 0, 0, 0] })))).toEqual([]);
    expect(pads.sample(5_000)).toBeNull();
  });

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
    use({ pressed: [0] });
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

  it("switches to the pad that was used last", () => {
    const second = { ...pad({}), index: 1, id: "second" };
    pads.handlePads([pad({}), second], 0);
    pads.handlePads([pad({ axes: [1, 0, 0, 0] }), second], 16);
    pads.handlePads([pad({ axes: [1, 0, 0, 0] }), { ...second, axes: [-1, 0, 0, 0] }], 32);
    expect(pads.sample(32)?.steering).toBe(-1);
    expect(pads.handlePads([null, { ...second, axes: [-1, 0, 0, 0] }], 48)).toEqual([]);
  });
});

interface Values {
  axes?: number[];
  triggers?: [number, number];
  pressed?: number[];
  mapping?: string;
}

function pad({ axes = [0, 0, 0, 0], triggers = [0, 0], pressed = [], mapping = "standard" }: Values): PadLike {
  const buttons = Array.from({ length: 17 }, (_, button) => ({
    pressed: pressed.includes(button),
    value: pressed.includes(button) ? 1 : button === 6 ? triggers[0] : button === 7 ? triggers[1] : 0,
  }));
  return { id: "pad", index: 0, connected: true, mapping, axes, buttons };
}

function look(now: number, seen: PadLike | null): PadEvent[] {
  return pads.handlePads([seen], now);
}

/** A pad at rest that moves to `values` at 16 ms. */
function use(values: Values): void {
  look(0, pad(values.mapping === undefined ? {} : { axes: [0, 0], mapping: values.mapping }));
  look(16, pad(values));
}
