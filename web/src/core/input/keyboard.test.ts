import { beforeEach, describe, expect, it } from "vitest";
import { commandOf, Keyboard } from "./keyboard";

let keyboard: Keyboard;

beforeEach(() => {
  keyboard = new Keyboard();
});

describe("Keyboard", () => {
  it("ramps the steering to full lock in 200 ms", () => {
    keyboard.handleKey("ArrowLeft", true, 1_000);
    expect(keyboard.sample(1_100).steering).toBeCloseTo(-0.5);
    expect(keyboard.sample(1_200).steering).toBe(-1);
    expect(keyboard.sample(9_000).steering).toBe(-1);
  });

  it("straightens twice as fast as it steers", () => {
    keyboard.handleKey("KeyD", true, 0);
    keyboard.handleKey("KeyD", false, 200);
    expect(keyboard.sample(250).steering).toBeCloseTo(0.5);
    expect(keyboard.sample(300).steering).toBe(0);
  });

  it("straightens before it steers to the other side", () => {
    keyboard.handleKey("KeyD", true, 0);
    keyboard.handleKey("KeyD", false, 200);
    keyboard.handleKey("KeyA", true, 200);
    expect(keyboard.sample(250).steering).toBeCloseTo(0.5);
    keyboard.sample(300);
    expect(keyboard.sample(400).steering).toBeCloseTo(-0.5);
  });

  it("drops the throttle at once when the key is let go", () => {
    keyboard.handleKey("KeyW", true, 0);
    expect(keyboard.sample(150).throttle).toBeCloseTo(0.5);
    keyboard.handleKey("KeyW", false, 300);
    expect(keyboard.sample(300).throttle).toBe(0);
  });

  it("never keeps forward throttle while backward is pressed", () => {
    keyboard.handleKey("ArrowUp", true, 0);
    keyboard.sample(300);
    keyboard.handleKey("ArrowUp", false, 300);
    keyboard.handleKey("ArrowDown", true, 300);
    expect(keyboard.sample(301).throttle).toBeLessThanOrEqual(0);
  });

  it("takes opposite keys for none", () => {
    keyboard.handleKey("KeyA", true, 0);
    keyboard.handleKey("KeyD", true, 0);
    expect(keyboard.sample(500).steering).toBe(0);
  });

  it("brakes as long as the space bar is held", () => {
    keyboard.handleKey("Space", true, 0);
    expect(keyboard.sample(1).brake).toBe(true);
    keyboard.handleKey("Space", false, 2);
    expect(keyboard.sample(3).brake).toBe(false);
  });

  it("hears a repeated key once", () => {
    expect([0, 1, 2].map((now) => keyboard.handleKey("Enter", true, now))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("forgets every key when told to", () => {
    keyboard.handleKey("KeyW", true, 0);
    keyboard.handleKey("KeyA", true, 0);
    keyboard.sample(500);
    keyboard.handleRelease();
    expect(keyboard.sample(501)).toEqual({ steering: 0, throttle: 0, brake: false });
  });

  it.each(["constructor", "toString", "KeyQ", ""])("has no command for %j", (code) => {
    expect(commandOf(code)).toBeNull();
  });
});
