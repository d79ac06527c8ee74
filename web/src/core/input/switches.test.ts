import { describe, expect, it } from "vitest";
import { effectsOf } from "../effects";
import { Mixer, type Jog } from "./mixer";

const LEFT: Jog = { steering: -1, throttle: 0, brake: false };

function mixer(): Mixer {
  const made = new Mixer();
  made.handlePage(true, true, 0);
  return made;
}

describe("jogging", () => {
  it("is in every sample while the button is held, and in none after it", () => {
    const jogging = mixer();
    expect(jogging.sample(10)).toMatchObject({ jog: false, source: "none" });
    jogging.handleJog(LEFT);
    expect([...effectsOf(jogging)].at(-1)).toEqual({ kind: "send", urgency: "now" });
    expect(jogging.sample(1_000)).toMatchObject({ jog: true, arm: false, steering: -1, ageMs: 0 });
    jogging.handleJog(null);
    expect(jogging.sample(1_010)).toMatchObject({ jog: false, steering: 0 });
  });

  it("ends when the page is left, the session changes, or the link is slow", () => {
    for (const end of [
      (jogging: Mixer) => jogging.handlePage(true, false, 20),
      (jogging: Mixer) => jogging.handlePage(false, true, 20),
      (jogging: Mixer) => jogging.handleSystemKey(),
      (jogging: Mixer) => jogging.handleNewSession(),
      (jogging: Mixer) => jogging.handleLink(true),
      (jogging: Mixer) => jogging.handleSight("picture-old"),
    ]) {
      const jogging = mixer();
      jogging.handleJog(LEFT);
      end(jogging);
      expect(jogging.sample(30)).toMatchObject({ jog: false, steering: 0 });
    }
  });

  it("does nothing while the car is to be armed", () => {
    const jogging = mixer();
    jogging.handleArmButton(false, 100);
    jogging.handleJog(LEFT);
    expect(jogging.armWanted).toBe(true);
    expect(jogging.sample(120).jog).toBe(false);
  });

  it("brakes with any device's brake", () => {
    const jogging = mixer();
    jogging.handleJog(LEFT);
    jogging.handleBrake(true);
    expect(jogging.sample(10)).toMatchObject({ jog: true, brake: true });
  });
});

describe("lights and horn", () => {
  it("lights toggle and stay, the horn ends with the page", () => {
    const driver = mixer();
    driver.handleLights();
    driver.handleHorn(true);
    expect(driver.sample(10)).toMatchObject({ lights: true, horn: true });
    driver.handlePage(true, false, 20);
    expect(driver.sample(30)).toMatchObject({ lights: true, horn: false });
    driver.handleLights();
    expect(driver.sample(40).lights).toBe(false);
  });
});
