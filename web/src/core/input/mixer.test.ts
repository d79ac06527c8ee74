import { beforeEach, describe, expect, it } from "vitest";
import { effectsOf } from "../effects";
import { DEFAULTS } from "./controls";
import type { PadLike } from "./gamepad";
import { axis, STANDARD } from "./mapping";
import { Mixer, type Urgency } from "./mixer";

let mixer: Mixer;
let seq: number;

beforeEach(() => {
  seq = 0;
  mixer = new Mixer();
  const joystick = { ...STANDARD, forward: axis(1, 0, -1), backward: axis(1, 0, 1) };
  mixer.handleControls({ ...DEFAULTS, pads: new Map([["joystick", joystick]]) }, 0);
  mixer.handlePage(true, true, 0);
  changes();
});

/** Sends a sample that the car reads. In life this happens fifty times a second. */
function exchange(now: number): void {
  seq += 1;
  mixer.handleSent(seq, mixer.sample(now));
  mixer.handleCar("disarmed", seq, now);
}

describe("a press of arm that comes to nothing", () => {
  it("is said for a while and not for ever", () => {
    mixer.handleKey("Enter", true, 0);
    let now = 0;
    while (mixer.armWanted && now < 10_000) exchange((now += 20));
    expect(now).toBeLessThan(4_000);
    expect(mixer.hasJustFailed(now)).toBe(true);
    expect(mixer.hasJustFailed(now + 5_900)).toBe(true);
    expect(mixer.hasJustFailed(now + 6_000)).toBe(false);
  });

  it("is said no more once the driver presses it again", () => {
    mixer.handleKey("Enter", true, 0);
    let now = 0;
    while (mixer.armWanted && now < 10_000) exchange((now += 20));
    mixer.handleKey("Enter", false, now);
    mixer.handleKey("Enter", true, now + 20);
    expect(mixer.hasJustFailed(now + 20)).toBe(false);
  });
});

describe("the source", () => {
  it("is none before anything is touched", () => {
    expect(mixer.sample(0)).toMatchObject({
      source: "none",
      ageMs: 65_535,
      steering: 0,
      throttle: 0,
      arm: false,
    });
  });

  it("is the device used last", () => {
    mixer.handleKey("KeyW", true, 0);
    expect(mixer.sample(300)).toMatchObject({ source: "keyboard", throttle: 1, ageMs: 0 });
    mixer.handleStickDown(1, "steering", 0, 80);
    mixer.handleStickMove(1, 40);
    expect(mixer.sample(300)).toMatchObject({ source: "touch", steering: 0.5, throttle: 0 });
    usePad(400);
    expect(mixer.sample(416)).toMatchObject({ source: "gamepad", steering: 1 });
  });

  it("keeps the keyboard fresh while the page has the focus: no news is news", () => {
    mixer.handleKey("KeyW", true, 0);
    expect(mixer.sample(60_000)).toMatchObject({ ageMs: 0, throttle: 1 });
  });

  it("tells which keys are its own", () => {
    expect(mixer.handleKey("KeyQ", true, 0)).toBe(false);
    expect(mixer.handleKey("KeyA", true, 0)).toBe(true);
    expect(mixer.handleKey("KeyA", true, 1)).toBe(true);
    expect(changes()).toEqual(["soon"]);
  });
});

describe("braking", () => {
  it("works from any device, whichever steers", () => {
    usePad(0);
    mixer.handleKey("Space", true, 20);
    expect(mixer.sample(20).brake).toBe(true);
    mixer.handleKey("Space", false, 30);
    mixer.handleBrake(true);
    expect(mixer.sample(30).brake).toBe(true);
    mixer.handleBrake(false);
    expect(mixer.sample(30).brake).toBe(false);
  });
});

describe("a page that is left", () => {
  it.each([
    ["hidden", false, true],
    ["without focus", true, false],
  ])(
    "%s: keys are released, the car is disarmed, and the car hears it now",
    (_, visible, focused) => {
      mixer.handleKey("KeyW", true, 0);
      exchange(0);
      mixer.handleKey("Enter", true, 0);
      expect(mixer.sample(300)).toMatchObject({ arm: true, throttle: 1 });
      changes();
      mixer.handlePage(visible, focused, 400);
      expect(changes()).toEqual(["now"]);
      expect(mixer.sample(500)).toMatchObject({
        visible,
        focused,
        arm: false,
        throttle: 0,
        ageMs: 100,
      });
    },
  );

  it("does not arm by itself on return, nor while it is away", () => {
    mixer.handleKey("Enter", true, 0);
    mixer.handlePage(false, false, 100);
    mixer.handleArmButton(false, 150);
    mixer.handlePage(true, true, 200);
    expect(mixer.sample(250)).toMatchObject({ visible: true, focused: true, arm: false });
    mixer.handleKey("Enter", true, 300);
    exchange(300);
    expect(mixer.sample(320).arm).toBe(true);
  });

  it("forgets the finger on a stick", () => {
    mixer.handleStickDown(1, "throttle", 0, 80);
    mixer.handleStickMove(1, 80);
    mixer.handlePage(true, false, 10);
    mixer.handlePage(true, true, 20);
    mixer.handleStickMove(1, 80);
    expect(mixer.sample(30).throttle).toBe(0);
  });
});

describe("a device that is lost", () => {
  it("is no input when the gamepad vanishes, until something is touched", () => {
    usePad(0);
    mixer.handleArmButton(false, 20);
    changes();
    mixer.handlePads([null], 32);
    expect(changes()).toEqual(["now"]);
    expect(mixer.notice).toBe("gamepad-gone");
    expect(mixer.sample(32)).toMatchObject({
      source: "none",
      ageMs: 65_535,
      steering: 0,
      arm: false,
    });
    mixer.handleKey("KeyA", true, 100);
    expect(mixer.notice).toBeNull();
    expect(mixer.sample(200)).toMatchObject({ source: "keyboard", arm: false });
  });

  it("does not matter when another device steers", () => {
    usePad(0);
    mixer.handlePads([pad(0)], 32);
    mixer.handleKey("KeyW", true, 200);
    mixer.handlePads([null], 216);
    expect(mixer.notice).toBeNull();
    expect(mixer.sample(500)).toMatchObject({ source: "keyboard", throttle: 1 });
  });

  it("is stale input when the gamepad stands still half way", () => {
    mixer.handlePads([pad(0)], 0);
    mixer.handlePads([pad(0.5)], 16);
    mixer.handleArmButton(false, 20);
    mixer.handlePads([pad(0.5)], 2_000);
    expect(mixer.notice).toBe("gamepad-still");
    expect(mixer.sample(2_000)).toMatchObject({ source: "gamepad", ageMs: 1_984, arm: false });
    mixer.handleArmButton(false, 2_010);
    expect(mixer.armWanted).toBe(false);
    mixer.handlePads([pad(0.6)], 2_016);
    expect(mixer.notice).toBeNull();
    expect(mixer.sample(2_016)).toMatchObject({ source: "gamepad", ageMs: 0, arm: false });
  });

  it("is stale input when the gamepad stands still at full deflection, and no more once it is let go", () => {
    mixer.handlePads([driving(0)], 0);
    mixer.handlePads([driving(1)], 16);
    exchange(16);
    mixer.handleArmButton(false, 20);
    expect(mixer.sample(20)).toMatchObject({ throttle: 1, arm: true });
    mixer.handlePads([driving(1)], 5_020);
    expect(mixer.notice).toBe("gamepad-still");
    expect(mixer.sample(5_020)).toMatchObject({ ageMs: 5_004, arm: false });
    mixer.handlePads([driving(0)], 5_036);
    expect(mixer.notice).toBeNull();
    expect(mixer.sample(5_036)).toMatchObject({ ageMs: 0, throttle: 0, arm: false });
  });

  it("is no input when the system takes the finger", () => {
    mixer.handleStickDown(1, "throttle", 0, 80);
    mixer.handleStickMove(1, 80);
    mixer.handleStickCancel(1);
    expect(mixer.notice).toBe("touch-lost");
    expect(mixer.sample(10)).toMatchObject({ source: "none", throttle: 0 });
  });
});

describe("a link that is too slow", () => {
  beforeEach(() => {
    mixer.handleKey("KeyW", true, 0);
    exchange(0);
    mixer.handleArmButton(false, 0);
    changes();
    mixer.handleLink(true);
  });

  it("makes input none, disarms, and the car hears it now", () => {
    expect(changes()).toEqual(["now"]);
    expect(mixer.notice).toBe("link-slow");
    expect(mixer.sample(300)).toMatchObject({
      source: "none",
      ageMs: 65_535,
      throttle: 0,
      arm: false,
    });
    mixer.handleArmButton(false, 300);
    expect(mixer.armWanted).toBe(false);
  });

  it("leaves the brake to every device", () => {
    mixer.handleKey("Space", true, 300);
    expect(mixer.sample(300).brake).toBe(true);
  });

  it("gives the device back once it is quick again, and the driver arms again", () => {
    exchange(300);
    mixer.handleLink(false);
    expect(mixer.notice).toBeNull();
    expect(mixer.sample(400)).toMatchObject({ source: "keyboard", throttle: 1, arm: false });
    mixer.handleArmButton(false, 400);
    expect(mixer.sample(400).arm).toBe(false);
    exchange(400);
    expect(mixer.sample(420).arm).toBe(true);
  });
});

describe("arming", () => {
  it("needs an action, and a second one takes it back", () => {
    mixer.handleKey("KeyW", true, 0);
    exchange(0);
    expect(mixer.sample(0).arm).toBe(false);
    mixer.handleKey("Enter", true, 0);
    mixer.handleKey("Enter", true, 500);
    expect(mixer.sample(500).arm).toBe(true);
    mixer.handleKey("Enter", false, 600);
    mixer.handleKey("Enter", true, 700);
    expect(mixer.sample(700).arm).toBe(false);
  });

  it("waits until the car has read input that does not arm", () => {
    exchange(0);
    mixer.handleKey("Enter", true, 10);
    expect(mixer.armWanted).toBe(true);
    expect(mixer.sample(10).arm).toBe(false);
    mixer.handleSent(7, mixer.sample(10));
    mixer.handleCar("disarmed", 6, 20);
    expect(mixer.sample(20).arm).toBe(false);
    mixer.handleCar("disarmed", 9, 30);
    expect(mixer.sample(30).arm).toBe(true);
  });

  it("waits again after every stop", () => {
    mixer.handleKey("Enter", true, 0);
    exchange(0);
    mixer.handleKey("Enter", false, 10);
    mixer.handleCar("armed", seq, 10);
    mixer.handleCar("tripped", seq, 20);
    mixer.handleKey("Enter", true, 30);
    expect(mixer.sample(30).arm).toBe(false);
    exchange(40);
    expect(mixer.sample(50).arm).toBe(true);
  });

  it("is dropped when the drive stops for a reason of its own", () => {
    mixer.handleKey("Enter", true, 0);
    exchange(0);
    mixer.handleCar("disarmed", seq, 50);
    mixer.handleCar("arming", seq, 100);
    mixer.handleCar("armed", seq, 400);
    mixer.handleCar("holding", seq, 500);
    expect(mixer.sample(500).arm).toBe(true);
    mixer.handleCar("tripped", seq, 700);
    expect(mixer.sample(700).arm).toBe(false);
  });

  it("is dropped when the drive does not follow", () => {
    mixer.handleKey("Enter", true, 0);
    mixer.handleCar("tripped", null, 3_000);
    expect(mixer.armWanted).toBe(true);
    mixer.handleCar("tripped", null, 3_001);
    expect(mixer.armWanted).toBe(false);
  });

  it("by the button makes the pressing hand's device the source", () => {
    mixer.handleArmButton(true, 0);
    exchange(0);
    expect(mixer.sample(0)).toMatchObject({ source: "touch", ageMs: 0, arm: true });
  });
});

function pad(steering: number): PadLike {
  return {
    id: "pad",
    index: 0,
    connected: true,
    mapping: "standard",
    axes: [steering, 0, 0, 0],
    buttons: [],
  };
}

function driving(throttle: number): PadLike {
  return {
    ...pad(0),
    id: "joystick",
    mapping: "",
    axes: [0, throttle === 0 ? 1 / 255 : -throttle],
  };
}

function usePad(now: number): void {
  mixer.handlePads([pad(0)], now);
  mixer.handlePads([pad(1)], now + 16);
}

/** Urgency of the frames that were wanted since the last call. */
function changes(): Urgency[] {
  return [...effectsOf(mixer)].map(({ urgency }) => urgency);
}
