import { afterEach, describe, expect, it, vi } from "vitest";
import { poll } from "./browser";
import { Mixer } from "./mixer";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a look at the page", () => {
  it.each([
    ["the focus", "visible", false],
    ["the screen", "hidden", true],
  ])("tells that it lost %s, also when no event did", (_, visibilityState, focused) => {
    const mixer = new Mixer(() => undefined);
    see("visible", true);
    poll(mixer);
    mixer.handleKey("KeyW", true, performance.now());
    mixer.handleArmButton(false, performance.now());
    see(visibilityState, focused);
    poll(mixer);
    const sample = mixer.sample(performance.now() + 1_000);
    expect(sample).toMatchObject({ visible: visibilityState === "visible", focused, throttle: 0, arm: false });
    expect(sample.ageMs).toBeGreaterThan(900);
    expect(mixer.armWanted).toBe(false);
  });

  it("finds the gamepads in the same glance", () => {
    const mixer = new Mixer(() => undefined);
    const pad = { id: "pad", index: 0, connected: true, mapping: "standard", axes: [0, 0, 0, 0], buttons: [] };
    see("visible", true, [pad]);
    poll(mixer);
    expect(mixer.padPresent).toBe(true);
  });
});

function see(visibilityState: string, focused: boolean, pads: object[] = []): void {
  vi.stubGlobal("document", { visibilityState, hasFocus: () => focused });
  vi.stubGlobal("navigator", { getGamepads: () => pads });
}
