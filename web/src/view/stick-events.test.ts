import { beforeEach, describe, expect, it } from "vitest";
import { Mixer } from "../core/input/mixer";
import { stickEvents } from "./stick-events";

let mixer: Mixer;
let events: ReturnType<typeof stickEvents>;

beforeEach(() => {
  mixer = new Mixer();
  mixer.handlePage(true, true, 0);
  events = stickEvents(
    (step) => step(mixer, 0),
    "throttle",
    () => undefined,
  );
  events.onPointerDown(at(0));
  events.onPointerMove(at(-72));
});

describe("a finger on a stick", () => {
  it("drives", () => {
    expect(mixer.sample(0)).toMatchObject({ source: "touch", throttle: 1 });
  });

  it("is no input once its capture is lost without a release", () => {
    events.onLostPointerCapture(at(-72));
    expect(mixer.notice).toBe("touch-lost");
    expect(mixer.sample(0)).toMatchObject({ source: "none", ageMs: 65_535, throttle: 0 });
  });

  it("may lose its capture after a release, as it always does", () => {
    events.onPointerUp(at(-72));
    events.onLostPointerCapture(at(-72));
    expect(mixer.notice).toBeNull();
    expect(mixer.sample(0)).toMatchObject({ source: "touch", throttle: 0, ageMs: 0 });
  });
});

function at(clientY: number) {
  const currentTarget = { setPointerCapture: () => undefined, hasPointerCapture: () => true };
  return { pointerId: 1, clientX: 0, clientY, currentTarget };
}
