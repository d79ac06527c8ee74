/** Devices that nobody holds, in all shapes in which browsers list them: nothing moves. */

import { beforeEach, describe, expect, it } from "vitest";
import { DEFAULTS } from "./controls";
import type { PadLike } from "./gamepad";
import { axis, button, LEVER, STICK, type Mapping } from "./mapping";
import { Mixer } from "./mixer";

let mixer: Mixer;

beforeEach(() => {
  mixer = new Mixer();
  mixer.handlePage(true, true, 0);
});

/** A generator that gives the same numbers at each run: mulberry32. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pad(change: Partial<PadLike> = {}): PadLike {
  return {
    id: "Pad",
    index: 0,
    connected: true,
    mapping: "standard",
    axes: [0, 0, 0, 0],
    buttons: buttons(),
    ...change,
  };
}

function buttons(values: Readonly<Record<number, number>> = {}): PadLike["buttons"] {
  return Array.from({ length: 17 }, (_, i) => ({
    value: values[i] ?? 0,
    pressed: (values[i] ?? 0) > 0.1,
  }));
}

const G29 = "Logitech G29 Driving Force Racing Wheel (Vendor: 046d Product: c24f)";

/** A wheel as Linux lists it: wheel, clutch, gas, brake, hat; pedals rest at 1. */
function wheel(axes: readonly number[], change: Partial<PadLike> = {}): PadLike {
  return pad({ id: G29, mapping: "", axes: [...axes, 0, 0], ...change });
}

function armByKey(now: number): void {
  mixer.handleKey("Enter", true, now);
  mixer.handleKey("Enter", false, now + 1);
}

/** Looks every 16 ms. */
function hold(from: number, to: number, ...pads: PadLike[]): void {
  for (let now = from; now <= to; now += 16) mixer.handlePads(pads, now);
}

describe("a device that nobody touches", () => {
  /** Flickers by up to `noise` of the way around where it rests, for three seconds. */
  function flicker(seed: number, mapping: string, id: string, noise: number): void {
    const next = random(seed);
    const rests = Array.from({ length: 1 + Math.floor(next() * 8) }, () => {
      const [kind, place] = [next(), next() * 2 - 1];
      return kind < 0.3 ? -1 : kind < 0.6 ? 1 : kind < 0.8 ? 0 : place;
    });
    const levels = Array.from({ length: 17 }, (_, i) => (i === 6 || i === 7 ? next() : 0));
    for (let now = 16; now < 3_000; now += 16) {
      const shake = (at: number, least: number) =>
        Math.max(least, Math.min(1, at + (next() * 2 - 1) * noise));
      const look = pad({
        id,
        mapping,
        axes: rests.map((rest) => shake(rest, -1)),
        buttons: levels.map((at) => ({ value: at === 0 ? 0 : shake(at, 0), pressed: false })),
      });
      mixer.handlePads(next() < 0.5 ? [look] : [look, { ...look, index: 1 }, null], now);
    }
  }

  it(
    "never takes over, disarms or drives, wherever its axes rest and however they flicker",
    {
      timeout: 60_000,
    },
    () => {
      for (let seed = 1; seed <= 24; seed += 1) {
        for (const [mapping, id] of [
          ["standard", "Pad"],
          ["", "Pedals (Vendor: 0000 Product: 0000)"],
          ["", G29],
          ["", "045e-028e-Microsoft X-Box 360 pad"],
        ] as const) {
          mixer = new Mixer();
          mixer.handlePage(true, true, 0);
          armByKey(5);
          flicker(seed, mapping, id, [1 / 32_768, 0.004, 0.009, 0.05][seed % 4] ?? 0);
          const { source, steering, throttle } = mixer.sample(3_000);
          expect([seed, id, mixer.armWanted, source, steering, throttle]).toEqual([
            seed,
            id,
            true,
            "keyboard",
            0,
            0,
          ]);
        }
      }
    },
  );

  it("gives nothing while it is in use and flickers by less than 1 % around its rest", () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const next = random(seed);
      mixer = new Mixer();
      mixer.handlePage(true, true, 0);
      const rest = next() * 0.5 - 0.25;
      const look = (at: number, level: number, arm = 0) =>
        pad({ axes: [at, 0, 0, 0], buttons: buttons({ 0: arm, 7: level }) });
      mixer.handlePads([look(rest, 0.1)], 0);
      mixer.handlePads([look(rest, 0.1, 1)], 16);
      for (let now = 32; now < 900; now += 16) {
        mixer.handlePads([look(rest + (next() - 0.5) * 0.015, 0.1 + next() * 0.008)], now);
        expect(mixer.sample(now)).toMatchObject({ source: "gamepad", steering: 0, throttle: 0 });
      }
      expect(mixer.armWanted).toBe(true);
    }
  });

  it.each([
    ["an unused stick that drifts", [0, 0, 0.6, -0.9]],
    ["the vertical axis of the stick that steers", [0, -1, 0, 0]],
    ["axes beyond the standard mapping", [0, 0, 0, 0, 1, -1]],
  ])("does not disarm by %s", (_, axes) => {
    mixer.handlePads([pad({ axes: axes.map(() => 0) })], 0);
    armByKey(10);
    for (let step = 0; step <= 100; step += 1)
      mixer.handlePads([pad({ axes: axes.map((at) => (at * step) / 100) })], 32 + step * 16);
    expect([mixer.armWanted, mixer.device.source]).toEqual([true, "keyboard"]);
  });

  it.each([NaN, Infinity, -Infinity, 1.2857, -3, 32_767, undefined])(
    "gives nothing by an axis or button of %s",
    (value) => {
      const wrong = value as number;
      mixer.handlePads([pad()], 0);
      armByKey(10);
      const look = pad({
        axes: [wrong, wrong, wrong, wrong],
        buttons: buttons().map(() => ({ value: wrong, pressed: false })),
      });
      hold(32, 500, look);
      expect(mixer.sample(500)).toMatchObject({ source: "keyboard", steering: 0, throttle: 0 });
      expect(mixer.armWanted).toBe(true);
    },
  );

  it("is not taken for gone when an axis reports nonsense now and then", () => {
    mixer.handlePads([pad()], 0);
    mixer.handlePads([pad({ axes: [0.6, 0, 0, 0] })], 16);
    for (let now = 32; now < 900; now += 16) {
      mixer.handlePads([pad({ axes: [now % 64 === 0 ? NaN : 0.6 + now / 1e5, 0, 0, 0] })], now);
      expect(mixer.sample(now).steering).toBeGreaterThan(0.5);
    }
  });
});

describe("a stick that rests beside its middle", () => {
  it.each([-0.24, -0.14, 0.14, 0.2])("at %d arms, and drives to both ends", (rest) => {
    const at = (steering: number, arm = 0) =>
      pad({ axes: [steering, rest, rest, rest], buttons: buttons({ 0: arm }) });
    mixer.handlePads([at(rest)], 0);
    mixer.handlePads([at(rest, 1)], 16);
    mixer.handlePads([at(rest)], 32);
    expect(mixer.sample(32)).toMatchObject({ source: "gamepad", steering: 0 });
    expect(mixer.armWanted).toBe(true);
    mixer.handlePads([at(1)], 48);
    expect(mixer.sample(48).steering).toBe(1);
    mixer.handlePads([at(-1)], 64);
    expect(mixer.sample(64).steering).toBe(-1);
  });
});

describe("a device without a mapping", () => {
  const pedals = (axes: readonly number[], change: Partial<PadLike> = {}) =>
    pad({ id: "Pedals (Vendor: 0000 Product: 0000)", mapping: "", axes, ...change });

  it("drives nothing, arms nothing, and is named once somebody touches it", () => {
    mixer.handlePads([pedals([0, -1, 0])], 0);
    expect(mixer.stranger).toBeNull();
    mixer.handlePads([pedals([0, 1, 0], { buttons: buttons({ 0: 1 }) })], 16);
    expect(mixer.sample(16)).toMatchObject({ source: "none", throttle: 0, steering: 0 });
    expect([mixer.armWanted, mixer.stranger]).toEqual([false, "Pedals"]);
  });

  it("is not named for ever if it stays where it was put, and its axes tremble", () => {
    mixer.handlePads([pedals([0, -1, 0])], 0);
    // Turned, and in gear: a lever whose button stays down.
    const left = (now: number) =>
      pedals([0.8 + 0.004 * ((now / 16) % 2), -1, 0], { buttons: buttons({ 3: 1 }) });
    for (let now = 16; now <= 16_000; now += 16) mixer.handlePads([left(now)], now);
    expect(mixer.stranger).toBeNull();
    mixer.handlePads([pedals([0.1, -1, 0], { buttons: buttons({ 3: 1 }) })], 16_016);
    expect(mixer.stranger).toBe("Pedals");
  });

  it("has a layout of its own if another one has the same id", () => {
    const two = (first: number, second: number) => [
      pedals([first, 0, 0]),
      pedals([second, 0, 0], { index: 1 }),
    ];
    const steered: Mapping = {
      left: axis(0, 0, -1),
      right: axis(0, 0, 1),
      forward: null,
      backward: null,
      arm: null,
      brake: null,
      reverse: null,
      wheel: false,
      steering: STICK,
      throttle: LEVER,
    };
    const turned: Mapping = { ...steered, left: steered.right, right: steered.left };
    const id = pedals([]).id;
    const pads = new Map([
      [id, steered],
      [`${id} #2`, turned],
    ]);
    mixer.handleControls({ ...DEFAULTS, pads }, 0);
    const steer = (now: number) => {
      mixer.handlePads(two(0.01, 0.01), now);
      mixer.handlePads(two(0.01, 0.6), now + 16);
      return Math.sign(mixer.sample(now + 16).steering);
    };
    expect(steer(16)).toBe(-1);
    mixer.handleControls({ ...DEFAULTS, pads: new Map([[id, steered]]) }, 100);
    expect(steer(116)).toBe(1);
  });

  it("disarms nobody", () => {
    mixer.handlePads([pedals([0, -1, 0])], 0);
    armByKey(10);
    hold(32, 500, pedals([1, 1, 1], { buttons: buttons({ 3: 1 }) }));
    expect([mixer.armWanted, mixer.device.source]).toEqual([true, "keyboard"]);
  });
});

describe("a wheel with pedals", () => {
  it.each([
    ["Linux", (gas: number, brake: number) => wheel([0, 1, gas, brake])],
    [
      "Windows",
      (gas: number, brake: number) =>
        wheel([0, 1, gas, 0, 0, brake, 0, 0], { axes: [0, 1, gas, 0, 0, brake, 0, 0, 0, 3.29] }),
    ],
    [
      "Firefox",
      (gas: number, brake: number) => wheel([0, 1, gas, brake], { id: "046d-c24f-Logitech G29" }),
    ],
  ])("that is known drives by the gas pedal, as listed on %s", (_, listed) => {
    mixer.handlePads([listed(1, 1)], 0);
    expect(mixer.sample(0)).toMatchObject({ source: "none", throttle: 0 });
    for (let step = 1; step <= 20; step += 1)
      mixer.handlePads([listed(1 - step / 10, 1)], step * 16);
    expect(mixer.sample(320)).toMatchObject({ source: "gamepad", throttle: 1, steering: 0 });
    for (let step = 1; step <= 20; step += 1)
      mixer.handlePads([listed(1, 1 - step / 10)], 320 + step * 16);
    expect(mixer.sample(640).throttle).toBe(-1);
    expect(mixer.device.name).toMatch(/^Logitech G29/u);
  });

  it("does not drive by the clutch", () => {
    mixer.handlePads([wheel([0, 1, 1, 1])], 0);
    armByKey(10);
    for (let step = 1; step <= 20; step += 1)
      mixer.handlePads([wheel([0, 1 - step / 10, 1, 1])], 32 + step * 16);
    expect(mixer.device.source).toBe("keyboard");
  });

  it("does not drive by pedals that are reported at 0 before somebody touches them", () => {
    mixer.handlePads([wheel([0, 0, 0, 0])], 0);
    hold(16, 400, wheel([0, 0, 0, 0], { buttons: buttons({ 5: 1 }) }));
    expect(mixer.sample(400)).toMatchObject({ source: "gamepad", throttle: 0 });
    mixer.handlePads([wheel([0, 0, 0.9, 0])], 416);
    mixer.handlePads([wheel([0, 0, -1, 0])], 432);
    expect(mixer.sample(432).throttle).toBe(0);
    hold(448, 1_000, wheel([0, 0, 1, 0]));
    mixer.handlePads([wheel([0, 0, 0, 0])], 1_016);
    expect(mixer.sample(1_016).throttle).toBeCloseTo(0.485, 2);
  });

  it("has its middle where it is, and is not taken over by being there", () => {
    mixer.handlePads([wheel([0.4, 1, 1, 1])], 0);
    hold(16, 3_000, wheel([0.4, 1, 1, 1]));
    expect(mixer.device.source).toBe("none");
    hold(3_016, 3_100, wheel([0.4, 1, 1, 1], { buttons: buttons({ 5: 1 }) }));
    expect(mixer.sample(3_100).steering).toBeCloseTo(0.394, 2);
  });

  it("and pedals that are another device make one together", () => {
    const base: Mapping = {
      left: axis(0, 0, -1),
      right: axis(0, 0, 1),
      forward: null,
      backward: null,
      arm: button(2),
      brake: null,
      reverse: button(4),
      wheel: true,
      steering: STICK,
      throttle: LEVER,
    };
    const feet: Mapping = {
      ...base,
      left: null,
      right: null,
      forward: axis(1, -1, 1),
      arm: null,
      reverse: null,
    };
    mixer.handleControls(
      {
        ...DEFAULTS,
        pads: new Map([
          ["Base", base],
          ["Feet", feet],
        ]),
      },
      0,
    );
    const both = (steer: number, gas: number, pressed: Readonly<Record<number, number>> = {}) => [
      pad({ id: "Base", mapping: "", axes: [steer], buttons: buttons(pressed) }),
      pad({ id: "Feet", index: 1, mapping: "", axes: [0, gas], buttons: [] }),
    ];
    mixer.handlePads(both(0, -1), 0);
    mixer.handlePads(both(0, -1, { 2: 1 }), 16);
    mixer.handlePads(both(0, -1), 32);
    mixer.handlePads(both(0.5, 0), 48);
    expect(mixer.armWanted).toBe(true);
    expect(mixer.device.name).toBe("Base + Feet");
    expect(mixer.sample(48).throttle).toBeCloseTo(0.5);
    expect(mixer.sample(48).steering).toBeGreaterThan(0.4);
    mixer.handlePads(both(0.5, 1), 300);
    expect(mixer.armWanted).toBe(true);
    mixer.handlePads(both(0.5, 1).slice(0, 1), 316);
    expect([mixer.armWanted, mixer.stop]).toEqual([false, "gamepad-gone"]);
  });
});

describe("a device that goes and comes back", () => {
  it.each([0, 1, 3])(
    "under index %d is not armed, and drives only after a deliberate act",
    (index) => {
      const held = { axes: [0.8, 0, 0, 0], buttons: buttons({ 7: 0.9 }) };
      mixer.handlePads([pad()], 0);
      mixer.handlePads([pad({ buttons: buttons({ 0: 1 }) })], 16);
      hold(32, 200, pad(held));
      expect(mixer.sample(200).throttle).toBeCloseTo(0.9);
      mixer.handlePads([null], 216);
      expect([mixer.armWanted, mixer.stop]).toEqual([false, "gamepad-gone"]);
      hold(232, 2_000, pad({ ...held, index }));
      expect(mixer.sample(2_000)).toMatchObject({ source: "none", throttle: 0, steering: 0 });
      armByKey(2_010);
      hold(2_016, 4_000, pad({ ...held, index }));
      expect(mixer.sample(4_000)).toMatchObject({ source: "keyboard", throttle: 0 });
      hold(4_016, 4_600, pad({ index }));
      mixer.handlePads([pad({ index, axes: [0.5, 0, 0, 0] })], 4_616);
      expect([mixer.armWanted, mixer.device.source]).toEqual([false, "gamepad"]);
    },
  );
});

describe("three listings of one pad", () => {
  it.each([
    [0, 8, 16],
    [0, 50, 100],
    [90, 0, 45],
  ])("%i, %i and %i ms apart arm once, steer as one, and disarm once", (...lags) => {
    const press = (now: number) => now % 2_000 < 100;
    const at = (now: number) =>
      now % 2_000 < 300 || now < 2_000 ? 0 : Math.sin((now * Math.PI) / 700);
    const twins = (now: number) =>
      lags.map((lag, index) =>
        pad({
          index,
          id: `Twin ${index}`,
          axes: [at(now - lag), 0, 0, 0],
          buttons: buttons({ 0: press(now - lag) ? 1 : 0 }),
        }),
      );
    let changes = 0;
    let before = false;
    for (let now = 1_000; now < 9_900; now += 8) {
      mixer.handlePads(twins(now), now);
      if (mixer.armWanted !== before) changes += 1;
      before = mixer.armWanted;
    }
    // At 2 s, 4 s, 6 s and 8 s.
    expect(changes).toBe(4);
  });
});

describe("fingers and keys", () => {
  it("a second finger on a stick changes nothing, and its end neither", () => {
    mixer.handleStickDown(1, "throttle", 0, 80);
    mixer.handleStickMove(1, 40);
    mixer.handleArmButton(true, 10);
    mixer.handleStickDown(2, "throttle", 300, 80);
    mixer.handleStickMove(2, 380);
    expect(mixer.sample(20)).toMatchObject({ source: "touch", throttle: 0.5 });
    mixer.handleStickCancel(2);
    mixer.handleStickUp(2);
    expect([mixer.sample(30).throttle, mixer.armWanted]).toEqual([0.5, true]);
    mixer.handleStickUp(1);
    expect(mixer.sample(40).throttle).toBe(0);
    mixer.handleStickDown(2, "throttle", 0, 80);
    mixer.handleStickMove(2, -80);
    expect(mixer.sample(50).throttle).toBe(-1);
  });

  it("the brake holds until the last finger is off it", () => {
    mixer.handleBrake(true, 1);
    mixer.handleBrake(true, 2);
    mixer.handleBrake(false, 1);
    expect(mixer.sample(10).brake).toBe(true);
    mixer.handleBrake(false, 2);
    expect(mixer.sample(20).brake).toBe(false);
  });

  it("the brake can be switched by who cannot hold it, and leaving the page ends that", () => {
    mixer.handleBrakeSwitch();
    expect(mixer.sample(10).brake).toBe(true);
    mixer.handleBrakeSwitch();
    expect(mixer.sample(20).brake).toBe(false);
    mixer.handleBrakeSwitch();
    mixer.handlePage(true, false, 30);
    mixer.handlePage(true, true, 40);
    mixer.handleBrakeSwitch();
    expect(mixer.sample(50).brake).toBe(true);
  });

  it("a change of the controls, and their set-up, disarm and bar from arming", () => {
    armByKey(0);
    mixer.handleSettingUp(true);
    expect([mixer.armWanted, mixer.stop, mixer.notice]).toEqual([
      false,
      "setting-up",
      "setting-up",
    ]);
    armByKey(1_000);
    expect(mixer.armWanted).toBe(false);
    mixer.handleSettingUp(false);
    armByKey(2_000);
    expect(mixer.armWanted).toBe(true);
    mixer.handleControls(DEFAULTS, 3_000);
    expect(mixer.armWanted).toBe(false);
  });

  it("other keys drive once they are said to", () => {
    const keys = { KeyJ: "left", KeyL: "right", KeyI: "forward", KeyK: "backward" } as const;
    mixer.handleControls({ ...DEFAULTS, keys: { ...keys, KeyB: "brake", KeyN: "arm" } }, 0);
    expect(mixer.handleKey("KeyW", true, 10)).toBe(false);
    mixer.handleKey("KeyI", true, 10);
    mixer.handleKey("KeyN", true, 10);
    mixer.handleKey("KeyB", true, 10);
    expect(mixer.sample(400)).toMatchObject({ throttle: 1, brake: true });
    expect(mixer.armWanted).toBe(true);
  });
});
