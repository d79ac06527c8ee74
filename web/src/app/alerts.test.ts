import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ALERTS } from "../core/app/alerts";
import { prefer } from "./preferences";

const played: number[] = [];
let contexts = 0;
const vibrated: unknown[] = [];
const rumbled: unknown[] = [];

class FakeContext {
  state = "running";
  currentTime = 1;
  destination = {};
  constructor() {
    contexts += 1;
  }
  createOscillator() {
    const node = {
      frequency: { value: 0 },
      connect: (to: unknown) => to,
      start: () => played.push(node.frequency.value),
      stop: () => undefined,
    };
    return node;
  }
  createGain() {
    const gain = { setValueAtTime: () => undefined, linearRampToValueAtTime: () => undefined };
    return { gain, connect: (to: unknown) => to };
  }
}

/** The page's own module anew: it keeps its audio context. */
async function fresh() {
  vi.resetModules();
  return { ...(await import("./alerts")), ...(await import("./preferences")) };
}

beforeEach(() => {
  vi.stubGlobal("AudioContext", FakeContext);
  const playEffect = (kind: string, effect: object) => {
    rumbled.push({ kind, ...effect });
    return Promise.resolve("complete");
  };
  vi.stubGlobal("navigator", {
    userActivation: { hasBeenActive: true },
    vibrate: (pattern: number[]) => vibrated.push(pattern),
    getGamepads: () => [null, { vibrationActuator: null }, { vibrationActuator: { playEffect } }],
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  prefer({ sounds: true, vibration: true });
  for (const list of [played, vibrated, rumbled]) list.length = 0;
  contexts = 0;
});

describe("an alert", () => {
  it("sounds and shakes, each in its own way, with one audio context", async () => {
    const { alert } = await fresh();
    const ways = ALERTS.map((which) => {
      played.length = 0;
      alert(which);
      return played.join();
    });
    expect(new Set(ways).size).toBe(ALERTS.length);
    expect(new Set(vibrated.map((pattern) => JSON.stringify(pattern))).size).toBe(ALERTS.length);
    expect(rumbled).toHaveLength(ALERTS.length);
    expect(contexts).toBe(1);
  });

  it("is only what the person wants", async () => {
    const page = await fresh();
    page.prefer({ sounds: false });
    page.alert("stop");
    expect([contexts, vibrated.length, rumbled.length]).toEqual([0, 1, 1]);
    page.prefer({ sounds: true, vibration: false });
    page.alert("stop");
    expect([contexts, vibrated.length, rumbled.length]).toEqual([1, 1, 1]);
  });

  it("plays nothing before the first click or key, as browsers want it", async () => {
    vi.stubGlobal("navigator", { userActivation: { hasBeenActive: false }, getGamepads: () => [] });
    const { alert } = await fresh();
    alert("link");
    expect(contexts).toBe(0);
  });

  it("does nothing, and no harm, in a browser that can do none of it", async () => {
    vi.stubGlobal("AudioContext", undefined);
    vi.stubGlobal("navigator", { getGamepads: () => [] });
    const { alert } = await fresh();
    expect(() => alert("battery")).not.toThrow();
  });
});
