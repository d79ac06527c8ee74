import { describe, expect, it } from "vitest";
import { TouchSticks } from "./touch";

describe("TouchSticks", () => {
  it("is neutral where the thumb lands and full at its reach", () => {
    const sticks = new TouchSticks();
    sticks.handleDown(1, "steering", 300, 80);
    expect(sticks.position("steering")).toBe(0);
    sticks.handleMove(1, 340);
    expect(sticks.position("steering")).toBe(0.5);
    sticks.handleMove(1, 100);
    expect(sticks.position("steering")).toBe(-1);
  });

  it("follows two thumbs at once and springs back", () => {
    const sticks = new TouchSticks();
    sticks.handleDown(1, "steering", 0, 80);
    sticks.handleDown(2, "throttle", 0, 80);
    sticks.handleMove(2, 80);
    sticks.handleUp(1);
    expect([sticks.position("steering"), sticks.position("throttle")]).toEqual([0, 1]);
  });

  it("tells a finger that the system takes from one that was lifted, or was never there", () => {
    const sticks = new TouchSticks();
    sticks.handleDown(1, "throttle", 0, 80);
    sticks.handleMove(1, 80);
    expect(sticks.handleCancel(9)).toBe(false);
    expect([sticks.handleCancel(1), sticks.position("throttle")]).toEqual([true, 0]);
    sticks.handleDown(2, "steering", 0, 80);
    sticks.handleUp(2);
    expect(sticks.handleCancel(2)).toBe(false);
  });

  it("stays with the finger that landed first, until that one is lifted", () => {
    const sticks = new TouchSticks();
    expect(sticks.handleDown(1, "steering", 0, 80)).toBe(true);
    sticks.handleMove(1, 40);
    expect(sticks.handleDown(2, "steering", 0, 80)).toBe(false);
    sticks.handleMove(2, 80);
    expect(sticks.position("steering")).toBe(0.5);
    sticks.handleUp(1);
    sticks.handleMove(2, -80);
    expect(sticks.position("steering")).toBe(0);
    expect(sticks.handleDown(3, "steering", 0, 80)).toBe(true);
  });
});
