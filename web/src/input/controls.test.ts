import { afterEach, expect, it, vi } from "vitest";
import { DEFAULTS, LAYOUTS } from "../core/input/controls";
import { loadControls, saveControls, saveGear } from "./controls";

afterEach(() => {
  vi.unstubAllGlobals();
});

it("keeps a gear beside what another page has kept since, and says if it is not kept", () => {
  const places = new Map<string, string>();
  let full = false;
  vi.stubGlobal("localStorage", {
    getItem: (place: string) => places.get(place) ?? null,
    setItem: (place: string, text: string) => {
      if (full) throw new Error("quota");
      places.set(place, text);
    },
  });
  const feel = { gear: "full", steering: 0.4, throttle: 0.2 } as const;
  expect(saveControls({ ...DEFAULTS, keys: LAYOUTS.left, feel })).toBe(true);
  expect(saveGear("normal")).toBe(true);
  const kept = { ...DEFAULTS, keys: LAYOUTS.left, feel: { ...feel, gear: "normal" } };
  expect(loadControls()).toEqual(kept);
  full = true;
  expect(saveGear("crawl")).toBe(false);
  expect(loadControls()).toEqual(kept);
});
