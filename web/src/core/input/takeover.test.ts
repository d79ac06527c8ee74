/** Which device drives an armed car, and how often a press of *arm* counts. */

import { beforeEach, describe, expect, it } from "vitest";
import type { InputSource } from "../../protocol/state";
import { effectsOf } from "../effects";
import type { PadLike } from "./gamepad";
import { Mixer, type Urgency } from "./mixer";

let mixer: Mixer;

beforeEach(() => {
  mixer = new Mixer();
  mixer.handlePage(true, true, 0);
});

/** One look at these pads; a number stands for the steering. */
function look(now: number, ...pads: (Partial<PadLike> | number)[]): void {
  mixer.handlePads(
    pads.map((change, index) => ({
      id: `Pad ${index}`,
      index,
      connected: true,
      mapping: "standard",
      axes: typeof change === "number" ? [change, 0, 0, 0] : [0, 0, 0, 0],
      buttons: [],
      ...(typeof change === "number" ? {} : change),
    })),
    now,
  );
}

/** Looks every 10 ms. */
function hold(from: number, to: number, ...pads: (Partial<PadLike> | number)[]): void {
  for (let now = from; now <= to; now += 10) look(now, ...pads);
}

const ARM: Partial<PadLike> = { buttons: [{ pressed: true, value: 1 }] };
const REST: Partial<PadLike> = { buttons: [{ pressed: false, value: 0 }] };
const BRAKE: Partial<PadLike> = {
  buttons: [
    { pressed: false, value: 0 },
    { pressed: true, value: 1 },
  ],
};
const UNBRAKED: Partial<PadLike> = {
  buttons: BRAKE.buttons?.map(() => ({ pressed: false, value: 0 })) ?? [],
};

function enter(now: number, repeat = false): void {
  mixer.handleKey("Enter", true, now, repeat);
  mixer.handleKey("Enter", false, now + 1);
}

function state(now: number): { source: InputSource; armed: boolean } {
  return { source: mixer.sample(now).source, armed: mixer.armWanted };
}

describe("an armed car", () => {
  it("is not driven by pedals that rest at their end and flicker", () => {
    const pedals = (position: number) => ({ id: "Pedals", mapping: "", axes: [0, position, 0] });
    look(0, pedals(-1));
    enter(10);
    for (let now = 16; now < 5_000; now += 16) look(now, pedals(now % 32 === 0 ? -0.99997 : -1));
    expect(state(5_000)).toEqual({ source: "keyboard", armed: true });
    expect(mixer.sample(5_000).throttle).toBe(0);
    mixer.handleKey("KeyW", true, 5_000);
    expect(mixer.sample(5_300).throttle).toBe(1);
  });

  it.each<[string, () => void, string, InputSource]>([
    ["a pad", () => look(32, -1), "gamepad-took-over", "gamepad"],
    ["a pad's ordinary button", () => look(32, button(3)), "gamepad-took-over", "gamepad"],
    ["a touch stick", () => touch(40), "touch-took-over", "touch"],
  ])(
    "disarms when %s takes over from the keyboard, and says so until it is armed again",
    (_, use, notice, source) => {
      look(0, 0);
      enter(10);
      look(16, { buttons: button(3).buttons?.map(() => ({ pressed: false, value: 0 })) ?? [] });
      changes();
      use();
      expect(state(40)).toEqual({ source, armed: false });
      expect(changes()).toContain("now");
      expect([mixer.notice, mixer.stop]).toEqual([notice, notice]);
      mixer.handleArmButton(false, 1_000);
      expect(state(1_000)).toEqual({ source, armed: true });
      expect([mixer.notice, mixer.stop]).toEqual([null, null]);
    },
  );

  it("disarms when the keyboard takes over from a pad", () => {
    armPad();
    mixer.handleKey("KeyA", true, 1_000);
    expect(state(1_000)).toEqual({ source: "keyboard", armed: false });
    expect(mixer.notice).toBe("keyboard-took-over");
  });

  it("stays with its pad while that is held, whatever arrow keys Steam makes of its stick", () => {
    armPad();
    hold(1_000, 1_100, 0.9);
    mixer.handleKey("ArrowRight", true, 1_110);
    expect(state(1_110)).toEqual({ source: "gamepad", armed: true });
    hold(1_120, 1_400, 0.9);
    expect(mixer.sample(1_400).steering).toBeCloseTo(0.891);
    mixer.handleKey("ArrowRight", false, 1_410);
    hold(1_420, 1_500, 0);
    mixer.handleKey("ArrowLeft", true, 1_505);
    expect(state(1_505)).toEqual({ source: "gamepad", armed: true });
    mixer.handleKey("ArrowLeft", false, 1_510);
    hold(1_510, 1_600, 0);
    mixer.handleKey("ArrowLeft", true, 1_610);
    expect(state(1_610)).toEqual({ source: "keyboard", armed: false });
  });

  it("brakes and disarms by the keyboard while a pad is held", () => {
    armPad();
    hold(1_000, 1_100, 0.9);
    mixer.handleKey("Space", true, 1_110);
    expect(mixer.sample(1_110).brake).toBe(true);
    enter(1_120);
    expect(state(1_120)).toEqual({ source: "gamepad", armed: false });
  });

  it("disarms when another pad takes over, and not before the first was put down", () => {
    armPad(0);
    hold(100, 400, 0, -1);
    expect(state(400)).toEqual({ source: "gamepad", armed: false });
    expect(mixer.notice).toBe("other-gamepad-took-over");
    expect(mixer.sample(400).steering).toBe(-1);
  });

  it("stays armed while twins drive it", () => {
    armPad(0);
    for (let now = 100; now < 5_000; now += 10) {
      const at = (time: number) => (time % 700 < 350 ? 0 : time % 1_400 < 700 ? -0.9 : 0.8);
      look(now, at(now), at(now - 40));
    }
    expect(state(5_000)).toEqual({ source: "gamepad", armed: true });
  });

  it.each([
    ["the keyboard's brake", () => mixer.handleKey("Space", true, 1_000)],
    ["the brake on the screen", () => mixer.handleBrake(true)],
    ["a finger that lands on a stick and trembles", () => touch(10)],
  ])("stays with its pad through %s", (_, act) => {
    armPad();
    act();
    expect(state(1_000)).toEqual({ source: "gamepad", armed: true });
  });

  it("stays with the keyboard when a pad brakes, and brakes", () => {
    look(0, UNBRAKED);
    enter(10);
    look(32, BRAKE);
    expect(state(32)).toEqual({ source: "keyboard", armed: true });
    expect(mixer.sample(32).brake).toBe(true);
    look(48, UNBRAKED);
    expect(mixer.sample(48).brake).toBe(false);
  });

  it("is disarmed, and not armed again, by arm on another device", () => {
    look(0, REST);
    enter(10);
    look(1_000, ARM);
    expect(state(1_000)).toEqual({ source: "keyboard", armed: false });
    expect(mixer.stop).toBeNull();
  });

  it("is disarmed, and not armed again, by another device that moves and presses arm at once", () => {
    look(0, REST);
    enter(10);
    look(1_000, { ...ARM, axes: [1, 0, 0, 0] });
    expect(state(1_000)).toEqual({ source: "gamepad", armed: false });
    look(1_050, { ...REST, axes: [1, 0, 0, 0] });
    look(1_100, { ...ARM, axes: [1, 0, 0, 0] });
    expect(mixer.armWanted).toBe(true);
  });

  it("is disarmed when its pad goes, also if a twin stays", () => {
    armPad(0);
    mixer.handlePads([null, padAt(1)], 1_000);
    expect(state(1_000)).toEqual({ source: "none", armed: false });
    expect([mixer.notice, mixer.stop]).toEqual(["gamepad-gone", "gamepad-gone"]);
  });
});

describe("one press of arm", () => {
  it.each([0, 8, 50])(
    "that two listings of a pad report %i ms apart arms, and the next one disarms",
    (apart) => {
      look(0, REST, REST);
      for (const start of [100, 1_000]) {
        look(start, ARM, apart === 0 ? ARM : REST);
        look(start + apart, ARM, ARM);
        hold(start + apart + 10, start + 300, REST, REST);
        expect(mixer.armWanted).toBe(start === 100);
      }
    },
  );

  it("that three listings report arms", () => {
    look(0, REST, REST, REST);
    look(100, REST, ARM, REST);
    look(120, ARM, ARM, REST);
    look(150, ARM, ARM, ARM);
    expect(state(150)).toEqual({ source: "gamepad", armed: true });
  });

  it("is two if one device reports two", () => {
    look(0, REST);
    look(16, ARM);
    look(66, REST);
    look(116, ARM);
    expect(mixer.armWanted).toBe(false);
    enter(1_000);
    enter(1_100);
    expect(mixer.armWanted).toBe(false);
  });

  it("of a pad's button that is Enter, too, arms with the pad, whichever is first", () => {
    look(0, REST);
    enter(100);
    look(130, ARM);
    expect(state(130)).toEqual({ source: "gamepad", armed: true });
    look(200, REST);
    look(1_000, ARM);
    enter(1_020);
    expect(mixer.armWanted).toBe(false);
    look(1_100, REST);
    look(2_000, ARM);
    enter(2_040);
    expect(state(2_040)).toEqual({ source: "gamepad", armed: true });
    look(2_100, { ...REST, axes: [-1, 0, 0, 0] });
    expect(state(2_100)).toEqual({ source: "gamepad", armed: true });
  });

  it("is none while Enter is held and repeats, also when the page has the focus again", () => {
    mixer.handleKey("Enter", true, 0);
    for (let now = 500; now < 2_000; now += 30) mixer.handleKey("Enter", true, now, true);
    expect(mixer.armWanted).toBe(true);
    mixer.handlePage(true, false, 2_000);
    mixer.handlePage(true, true, 3_000);
    for (let now = 3_010; now < 4_000; now += 30) mixer.handleKey("Enter", true, now, true);
    expect(mixer.armWanted).toBe(false);
  });

  it("on the screen counts for the device that was used last", () => {
    look(0, 0);
    look(16, 1);
    mixer.handleArmButton(true, 500);
    look(516, -1);
    expect(state(516)).toEqual({ source: "gamepad", armed: true });
    mixer.handleArmButton(true, 600);
    expect(mixer.armWanted).toBe(false);
  });
});

describe("a driver who does not see", () => {
  beforeEach(() => {
    mixer.handleKey("KeyW", true, 0);
    enter(10);
    changes();
  });

  it.each(["no-picture", "picture-stopped", "picture-old"] as const)(
    "%s: has no input but the brake",
    (why) => {
      mixer.handleSight(why);
      expect(changes()).toEqual(["now"]);
      expect([mixer.notice, mixer.stop, mixer.armWanted]).toEqual([why, why, false]);
      expect(mixer.sample(300)).toMatchObject({
        source: "none",
        ageMs: 65_535,
        throttle: 0,
        arm: false,
      });
      mixer.handleKey("Space", true, 300);
      expect(mixer.sample(300).brake).toBe(true);
      enter(1_000);
      mixer.handleArmButton(false, 2_000);
      expect(mixer.armWanted).toBe(false);
      mixer.handleSight(null);
      expect([mixer.notice, mixer.stop]).toEqual([null, why]);
      expect(mixer.sample(3_000)).toMatchObject({ source: "keyboard", throttle: 1, arm: false });
      enter(3_000);
      expect([mixer.armWanted, mixer.stop]).toEqual([true, null]);
    },
  );

  it("hears of a slow link first, and is let go by neither alone", () => {
    mixer.handleSight("picture-old");
    mixer.handleLink(true);
    expect([mixer.notice, mixer.stop]).toEqual(["link-slow", "picture-old"]);
    mixer.handleLink(false);
    expect(mixer.notice).toBe("picture-old");
    enter(1_000);
    expect(mixer.armWanted).toBe(false);
  });
});

/** Pad 0 is armed and at rest; `others` are listed, too. */
function armPad(...others: number[]): void {
  look(0, REST, ...others);
  look(16, ARM, ...others);
  look(32, REST, ...others);
  expect(state(32)).toEqual({ source: "gamepad", armed: true });
}

function padAt(index: number): PadLike {
  return {
    id: `Pad ${index}`,
    index,
    connected: true,
    mapping: "standard",
    axes: [0, 0, 0, 0],
    buttons: [],
  };
}

function button(pressed: number): Partial<PadLike> {
  return {
    buttons: Array.from({ length: 5 }, (_, i) => ({
      pressed: i === pressed,
      value: i === pressed ? 1 : 0,
    })),
  };
}

function touch(way: number): void {
  mixer.handleStickDown(1, "throttle", 0, 80);
  mixer.handleStickMove(1, way);
}

/** Urgency of the frames that were wanted since the last call. */
function changes(): Urgency[] {
  return [...effectsOf(mixer)].map(({ urgency }) => urgency);
}
