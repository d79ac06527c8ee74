import { describe, expect, it } from "vitest";
import { DEFAULTS, formatControls, mayBeKey, onlyKey, parseControls, withKey } from "./controls";
import { LEFT_HAND, placeOf, RIGHT_HAND, TWO_HANDS } from "./keyboard";
import { mappingOf, nameOf, shaped, STANDARD, usbIdOf } from "./mapping";
import { Pad, type PadLike } from "./pad";
import { Wizard } from "./wizard";

interface Look {
  readonly axes: readonly number[];
  readonly down?: readonly number[];
}

function device({ axes, down = [] }: Look): PadLike {
  return {
    id: "Device",
    index: 2,
    connected: true,
    mapping: "",
    axes,
    buttons: Array.from({ length: 12 }, (_, i) => ({
      pressed: down.includes(i),
      value: down.includes(i) ? 1 : 0,
    })),
  };
}

/** A wizard, and a hand that moves the device: each look stays for a while. */
function wizardWith(rest: Look) {
  const wizard = new Wizard(2, "Device");
  let now = 0;
  const stay = (look: Look, ms: number) => {
    for (const end = now + ms; now < end; now += 16) wizard.handlePads([null, device(look)], now);
  };
  stay(rest, 1_100);
  return {
    wizard,
    stay,
    /** Moves there in ten steps and, unless it stays, back. */
    move: (axis: number, to: number, { back = true, rests = rest, down = [] as number[] } = {}) => {
      const at = (part: number) => ({
        axes: rests.axes.map((from, i) => (i === axis ? from + (to - from) * part : from)),
        down,
      });
      for (let step = 1; step <= 10; step += 1) stay(at(step / 10), 16);
      stay(at(1), back ? 200 : 2_700);
      if (back) stay(rests, 600);
      return at(1);
    },
    press: (button: number) => {
      stay({ ...rest, down: [button] }, 100);
      stay(rest, 100);
    },
  };
}

describe("the wizard", () => {
  it("learns a joystick, and the device then drives", () => {
    const { wizard, move, press } = wizardWith({ axes: [0.02, -0.03, 0, -1] });
    expect(wizard.step).toBe("left");
    move(0, -1);
    expect(wizard.step).toBe("right");
    move(0, 1);
    move(1, -0.95);
    move(1, 1);
    expect(wizard.step).toBe("arm");
    press(3);
    press(4);
    const mapping = wizard.mapping();
    expect(mapping).toMatchObject({
      left: { kind: "axis", index: 0, from: 0, to: -1 },
      right: { kind: "axis", index: 0, from: 0, to: 1 },
      forward: { kind: "axis", index: 1, from: 0, to: -1 },
      backward: { kind: "axis", index: 1, from: 0, to: 1 },
      arm: { kind: "button", index: 3 },
      brake: { kind: "button", index: 4 },
      wheel: false,
    });
    if (!mapping) return;
    const pad = new Pad(device({ axes: [0.01, -0.01, 0, -1] }), new Map([["Device", mapping]]), 0);
    pad.handleLook(device({ axes: [-1, -1, 0, -1] }), 16);
    expect([pad.steering, pad.throttle]).toEqual([-1, 1]);
  });

  it("learns a wheel that stays where it is put, with pedals that rest at an end", () => {
    const { wizard, stay, move, press } = wizardWith({ axes: [0, 1, 1, 1] });
    const turned = move(0, -1, { back: false });
    move(0, 1, { back: false, rests: turned });
    stay({ axes: [0, 1, 1, 1] }, 500);
    expect(wizard.step).toBe("forward");
    move(2, -1);
    move(3, -1);
    press(0);
    wizard.handleSkip();
    expect(wizard.mapping()).toMatchObject({
      left: { index: 0, from: 0, to: -1 },
      right: { index: 0, from: 0, to: 1 },
      forward: { index: 2, from: 1, to: -1 },
      backward: { index: 3, from: 1, to: -1 },
      arm: { index: 0 },
      brake: null,
      wheel: true,
    });
  });

  it("finds the rest of a pedal that was listed at 0 until it was touched", () => {
    const { wizard, stay, move } = wizardWith({ axes: [0, 0, 0] });
    move(0, -1);
    move(0, 1);
    stay({ axes: [0, 0, 0.5] }, 48);
    stay({ axes: [0, 0, 1] }, 200);
    stay({ axes: [0, 0, -1] }, 3_000);
    expect(wizard.step).toBe("backward");
    expect(wizard.parts.forward).toEqual({ kind: "axis", index: 2, from: -1, to: 1 });
  });

  it.each([
    ["is brushed first", [0.99, 1, 1, 0.4, -1, 0.4, 1]],
    ["is pressed at once", [1, 0.4, -1, 0.4, 1]],
  ])("takes no pedal for pressed at its rest, if it was listed at 0 and %s", (_, places) => {
    const { wizard, stay, move } = wizardWith({ axes: [0, 0, 0] });
    move(0, -1);
    move(0, 1);
    for (const at of places) {
      stay({ axes: [0, 0, at] }, 64);
      expect(wizard.letGo, `at ${at}`).toBe(at < 0.5 || wizard.letGo);
    }
    stay({ axes: [0, 0, 1] }, 3_000);
    expect(wizard.parts.forward).toEqual({ kind: "axis", index: 2, from: 1, to: -1 });
  });

  it("takes no trigger that rests at an end for an arm control that is pressed", () => {
    const { wizard, stay, move } = wizardWith({ axes: [0, 0, 0] });
    move(0, -1);
    move(0, 1);
    move(1, -1);
    move(1, 1);
    expect(wizard.step).toBe("arm");
    stay({ axes: [0, 0, -1] }, 3_000);
    expect([wizard.step, wizard.letGo]).toEqual(["arm", false]);
  });

  it("learns a hat, which jumps from its middle to its end", () => {
    const { wizard, stay } = wizardWith({ axes: [0, 0] });
    for (let press = 0; press < 2; press += 1) {
      stay({ axes: [-1, 0] }, 200);
      stay({ axes: [0, 0] }, 600);
    }
    expect(wizard.parts.left).toEqual({ kind: "axis", index: 0, from: 0, to: -1 });
  });

  it("gives a stick that drives a dead zone, and a pedal none", () => {
    const stick = wizardWith({ axes: [0, 0] });
    for (const [index, to] of [
      [0, -1],
      [0, 1],
      [1, -1],
      [1, 1],
    ] as const)
      stick.move(index, to);
    while (stick.wizard.step !== "done") stick.wizard.handleSkip();
    expect(stick.wizard.mapping()?.throttle.deadZone).toBe(0.08);
    const learned = new Map([["Device", stick.wizard.mapping() ?? STANDARD]]);
    const worn = new Pad(device({ axes: [0, 0] }), learned, 0);
    worn.handleLook(device({ axes: [0, 0.07] }), 16);
    expect(worn.throttle).toBe(0);
    const pedal = wizardWith({ axes: [0, -1] });
    pedal.move(0, -1);
    pedal.move(0, 1);
    pedal.move(1, 1);
    while (pedal.wizard.step !== "done") pedal.wizard.handleSkip();
    expect(pedal.wizard.mapping()?.throttle.deadZone).toBe(0);
  });

  it("is not asked about a device in another layout than the one that it learned", () => {
    const stick: PadLike = device({ axes: [0, 0, 0, 0, -1] });
    const learned = { ...STANDARD, forward: { kind: "axis", index: 4, from: -1, to: 1 } } as const;
    const saved = new Map([["Device", learned]]);
    expect(mappingOf(stick, saved)).toEqual(learned);
    expect(mappingOf({ ...stick, mapping: "standard" }, saved)).toEqual(STANDARD);
  });

  it("takes the axis of a trigger that is a button, too, and the button of one that has none", () => {
    const { wizard, stay, move } = wizardWith({ axes: [0, 0, -1] });
    move(0, -1);
    move(0, 1);
    move(2, 1, { down: [7] });
    expect(wizard.parts.forward).toMatchObject({ kind: "axis", index: 2 });
    stay({ axes: [0, 0, -1], down: [6] }, 200);
    stay({ axes: [0, 0, -1] }, 200);
    expect(wizard.parts.backward).toEqual({ kind: "button", index: 6 });
  });

  it("waits until nothing moves, ignores noise, and gives nothing without a part that moves", () => {
    const { wizard, stay } = wizardWith({ axes: [0, 0] });
    for (let i = 0; i < 100; i += 1) stay({ axes: [i % 2 === 0 ? 0.02 : -0.02, 0.4] }, 16);
    expect([wizard.step, wizard.letGo]).toEqual(["left", false]);
    for (let i = 0; i < 6; i += 1) wizard.handleSkip();
    expect([wizard.step, wizard.mapping()]).toEqual(["done", null]);
  });

  it("takes no movement twice", () => {
    const { wizard, move } = wizardWith({ axes: [0, 0] });
    move(0, -1);
    move(0, -1);
    expect(wizard.step).toBe("right");
    move(0, 1);
    expect(wizard.step).toBe("forward");
  });
});

describe("mappings", () => {
  const listed = (id: string, mapping: string, axes: number, buttons = 12) => ({
    id,
    mapping,
    axes: Array.from({ length: axes }, () => 0),
    buttons: Array.from({ length: buttons }, () => 0),
  });

  it("are the driver's own, the standard one, or a preset, in this order; else none", () => {
    const own = { ...STANDARD, wheel: true };
    expect(mappingOf(listed("A", "standard", 4), new Map([["standard A", own]]))).toBe(own);
    expect(mappingOf(listed("A", "standard", 4), new Map())).toBe(STANDARD);
    expect(mappingOf(listed("A", "", 4), new Map())).toBeNull();
    for (const id of [
      "045e-028e-Microsoft X-Box 360 pad",
      "54c-9cc-Sony Interactive Entertainment Wireless Controller",
    ]) {
      const preset = mappingOf(listed(id, "", 8), new Map());
      expect(preset?.forward).toEqual({ kind: "axis", index: 5, from: -1, to: 1 });
    }
    // Too few axes for what the preset names: another mode of the device.
    expect(mappingOf(listed("045e-028e-Pad", "", 4), new Map())).toBeNull();
    expect(mappingOf(listed("046d-c262-G920", "", 6), new Map())?.forward).toMatchObject({
      index: 1,
    });
  });

  it.each([
    [
      "Xbox Wireless Controller (STANDARD GAMEPAD Vendor: 045e Product: 0b12)",
      "Xbox Wireless Controller",
      "045e:0b12",
    ],
    ["045e-028e-Microsoft X-Box 360 pad", "Microsoft X-Box 360 pad", "045e:028e"],
    ["54c-5c4-Wireless Controller", "Wireless Controller", "054c:05c4"],
    ["Pedals (Vendor: 0000 Product: 0000)", "Pedals", "0000:0000"],
    ["Wheel (left)", "Wheel (left)", null],
    ["  \u202e\u0000\u200b ", "Gamepad", null],
    ["x".repeat(500), `${"x".repeat(31)}…`, null],
  ])("know %j as %j", (id, name, usb) => {
    expect([nameOf(id), usbIdOf(id)]).toEqual([name, usb]);
  });

  it("shape a movement: dead zone, expo, range", () => {
    const curve = { deadZone: 0.1, expo: 0, range: 1 };
    expect([0.05, 0.1, 0.55, 1, -1].map((at) => shaped(at, curve))).toEqual([
      0,
      0,
      expect.closeTo(0.5),
      1,
      -1,
    ]);
    expect(shaped(0.5, { deadZone: 0, expo: 1, range: 0.5 })).toBeCloseTo(0.0625);
    expect(shaped(1.5, { deadZone: 0, expo: 0.3, range: 0.8 })).toBeCloseTo(0.8);
    expect(shaped(0.009, { deadZone: 0, expo: 0, range: 1 })).toBe(0);
  });

  it("grow with the movement and stay within the range, for any curve", () => {
    for (let n = 0; n < 200; n += 1) {
      const curve = { deadZone: (n % 11) / 22, expo: (n % 7) / 6, range: 0.1 + (n % 10) / 11 };
      let last = 0;
      for (let at = 0; at <= 1.2; at += 0.01) {
        const value = shaped(at, curve);
        expect(value).toBeGreaterThanOrEqual(last);
        expect(value).toBeLessThanOrEqual(curve.range + 1e-9);
        expect(shaped(-at, curve)).toBeCloseTo(-value);
        last = value;
      }
    }
  });
});

describe("what the browser keeps", () => {
  it("comes back as it was", () => {
    const controls = {
      ...DEFAULTS,
      keys: RIGHT_HAND,
      pads: new Map([["Device", { ...STANDARD, wheel: true }]]),
    };
    expect(parseControls(formatControls(controls))).toEqual(controls);
  });

  it.each([
    null,
    '{"keys":{"KeyQ":"fly"},"pads":7}',
    '{"keys":[],"pads":[[1,2],["x",{"left":{"kind":"axis","index":-1,"from":0,"to":1}}]]}',
    `{"pads":[["x",{"left":{"kind":"axis","index":0,"from":0,"to":0.1}}]]}`,
    `{"pads":[["x",{"left":{"kind":"axis","index":0,"from":0,"to":1e999}}]]}`,
  ])("is the default where it cannot be used: %.40s", (text) => {
    expect(parseControls(text)).toEqual(DEFAULTS);
  });

  it.each(["", "{", "[]", "null", "x".repeat(70_000)])(
    "is the default in the lowest gear where it cannot be read: %.40s",
    (text) => {
      expect(parseControls(text)).toEqual({
        ...DEFAULTS,
        feel: { ...DEFAULTS.feel, gear: "crawl" },
      });
    },
  );

  it("has a cap", () => {
    const pads = new Map(Array.from({ length: 50 }, (_, i) => [`Device ${i}`, STANDARD]));
    expect(parseControls(formatControls({ ...DEFAULTS, pads })).pads.size).toBe(20);
  });

  it("never leaves a command without a key", () => {
    expect(withKey(TWO_HANDS, "brake", "KeyW")).not.toBeNull();
    expect(withKey(LEFT_HAND, "brake", "KeyW")).toBeNull();
    expect(onlyKey(TWO_HANDS, "brake", "KeyX")).toMatchObject({ KeyX: "brake", KeyW: "forward" });
    expect(onlyKey(TWO_HANDS, "brake", "KeyX")).not.toHaveProperty("Space");
    expect(["KeyQ", "Space", "ShiftRight"].map(mayBeKey)).toEqual([true, true, true]);
    expect(["Escape", "Tab", "F5", "ControlLeft", "", "MetaLeft"].map(mayBeKey)).not.toContain(
      true,
    );
  });
});

describe("a key without a place", () => {
  it.each([
    ["Enter", "Enter"],
    ["ArrowUp", "ArrowUp"],
    ["Up", "ArrowUp"],
    ["w", "KeyW"],
    ["W", "KeyW"],
    [" ", "Space"],
    ["Spacebar", "Space"],
    ["0", "Digit0"],
    ["Unidentified", "Unidentified"],
    ["constructor", "constructor"],
  ])("is known by its name: %s", (key, place) => {
    expect(placeOf({ code: "", key })).toBe(place);
    expect(placeOf({ code: "Unidentified", key })).toBe(place);
    expect(placeOf({ code: "KeyQ", key })).toBe("KeyQ");
  });
});
