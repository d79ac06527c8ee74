import { beforeEach, describe, expect, it } from "vitest";
import { LinkWatch } from "./watch";

let watch: LinkWatch;
let seq: number;

beforeEach(() => {
  watch = new LinkWatch();
  // Just before the counter wraps.
  seq = 2 ** 32 - 2;
});

describe("LinkWatch", () => {
  it("does not judge before the first answer", () => {
    frames(0, 60_000);
    expect(watch.slow).toBe(false);
  });

  it("is content with half a second", () => {
    expect([500, 500, 500].map(answer)).toEqual([false, false, false]);
  });

  it("is convinced by two slow answers in a row, not by one", () => {
    expect([40, 501, 40, 900, 40].map(answer)).toEqual([false, false, false, false, false]);
    expect([501, 501].map(answer)).toEqual([false, true]);
  });

  it("takes a repeated or late answer for no other", () => {
    answer(40);
    answer(700);
    watch.handleEcho(seq, 800);
    watch.handleEcho((seq - 1) >>> 0, 900);
    expect(watch.slow).toBe(false);
  });

  it("recovers by itself after two quick answers in a row", () => {
    expect([700, 700, 40, 700, 40, 40].map(answer)).toEqual([false, true, true, true, true, false]);
  });

  it("takes a second without an answer for too slow, until answers are quick again", () => {
    answer(40);
    frames(0, 1_000);
    expect(watch.slow).toBe(false);
    frames(1_020, 1_020);
    expect(watch.slow).toBe(true);
    expect([40, 40].map(answer)).toEqual([true, false]);
  });

  it("does not take the car's repetitions for answers", () => {
    answer(40);
    for (let now = 0; now <= 1_020; now += 20) {
      watch.handleFrame(now);
      watch.handleEcho(seq, 40);
    }
    expect(watch.slow).toBe(true);
  });

  it("does not blame the link when the page itself stood still", () => {
    answer(40);
    frames(0, 100);
    frames(60_000, 60_900);
    expect(watch.slow).toBe(false);
  });
});

function answer(rttMs: number): boolean {
  seq = (seq + 1) >>> 0;
  watch.handleEcho(seq, rttMs);
  return watch.slow;
}

/** Frames at their pace, without an answer. */
function frames(from: number, to: number): void {
  for (let now = from; now <= to; now += 20) watch.handleFrame(now);
}
