import { afterEach, describe, expect, it, vi } from "vitest";
import { listen, poll } from "./browser";
import { Mixer } from "../core/input/mixer";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a look at the page", () => {
  it.each([
    ["the focus", "visible", false],
    ["the screen", "hidden", true],
  ])("tells that it lost %s, also when no event did", (_, visibilityState, focused) => {
    const mixer = new Mixer();
    see("visible", true);
    poll(mixer, performance.now());
    mixer.handleKey("KeyW", true, performance.now());
    mixer.handleArmButton(false, performance.now());
    see(visibilityState, focused);
    poll(mixer, performance.now());
    const sample = mixer.sample(performance.now() + 1_000);
    expect(sample).toMatchObject({
      visible: visibilityState === "visible",
      focused,
      throttle: 0,
      arm: false,
    });
    expect(sample.ageMs).toBeGreaterThan(900);
    expect(mixer.armWanted).toBe(false);
  });

  it("finds the gamepads in the same glance", () => {
    const mixer = new Mixer();
    const pad = {
      id: "pad",
      index: 0,
      connected: true,
      mapping: "standard",
      axes: [0, 0, 0, 0],
      buttons: [],
    };
    see("visible", true, [pad]);
    poll(mixer, performance.now());
    expect(mixer.padPresent).toBe(true);
  });
});

describe("a key", () => {
  it("that Steam makes of a stick takes nothing over, also if it comes before the next look at the stick", () => {
    see("visible", true, [pad(0, false)]);
    const window = new EventTarget();
    vi.stubGlobal(
      "document",
      Object.assign(new EventTarget(), { visibilityState: "visible", hasFocus: () => true }),
    );
    vi.stubGlobal("window", window);
    vi.stubGlobal(
      "Element",
      class {
        closest = () => null;
      },
    );
    vi.stubGlobal("requestAnimationFrame", () => 0);
    const mixer = new Mixer();
    const stop = listen((step) => step(mixer, performance.now()));
    for (const arm of [false, true, false]) {
      vi.stubGlobal("navigator", { getGamepads: () => [pad(0, arm)] });
      poll(mixer, performance.now());
    }
    vi.stubGlobal("navigator", { getGamepads: () => [pad(0.9, false)] });
    window.dispatchEvent(
      Object.assign(new Event("keydown"), { code: "ArrowRight", key: "ArrowRight" }),
    );
    stop();
    expect([mixer.sample(performance.now()).source, mixer.armWanted]).toEqual(["gamepad", true]);
  });
});

function pad(steering: number, arm: boolean): object {
  const buttons = [{ pressed: arm, value: Number(arm) }];
  return {
    id: "pad",
    index: 0,
    connected: true,
    mapping: "standard",
    axes: [steering, 0, 0, 0],
    buttons,
  };
}

function see(visibilityState: string, focused: boolean, pads: object[] = []): void {
  vi.stubGlobal("document", { visibilityState, hasFocus: () => focused });
  vi.stubGlobal("navigator", { getGamepads: () => pads });
}
