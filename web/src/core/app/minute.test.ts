import { describe, expect, it } from "vitest";
import { Minute, MINUTE_MS, linesOf, minuteInWords, topOf } from "./minute";

const facts = { ageMs: 50, rttMs: 20, kbps: 900 };

describe("the last minute", () => {
  it("forgets what is older, and never grows", () => {
    const minute = new Minute();
    for (let at = 0; at < 3 * MINUTE_MS; at += 100) minute.handleMoment(at, facts, 0);
    expect(minute.moments[0]?.at).toBeGreaterThan(2 * MINUTE_MS - 200);
    expect(minute.moments.length).toBeLessThanOrEqual(600);
    for (let n = 0; n < 5_000; n += 1) minute.handleMoment(3 * MINUTE_MS + n, facts, 0);
    expect(minute.moments.length).toBe(700);
  });

  it("counts losses between two moments, over a new connection too", () => {
    const minute = new Minute();
    const counts = [3, 5, 5, 4, null, 0, 2];
    counts.forEach((lost, n) => minute.handleMoment(n * 100, facts, lost));
    expect(minute.moments.map(({ lost }) => lost)).toEqual([0, 2, 0, 0, 0, 0, 2]);
  });

  it("draws gaps where nothing was known", () => {
    const ages = [40, 80, null, 400, 800];
    const moments = ages.map((ageMs, n) => ({ ...facts, at: n * 10_000, ageMs, lost: 0 }));
    const lines = linesOf(moments, ({ ageMs }) => ageMs, 60_000, 400);
    expect(lines.map((line) => line.map(({ y }) => y))).toEqual([
      [0.1, 0.2],
      [1, 1],
    ]);
    expect(lines[0]?.[0]?.x).toBe(0);
    expect(lines[1]?.[1]?.x).toBeCloseTo(4 / 6);
  });

  it("finds a round top", () => {
    expect(topOf([3, null, 480], 100)).toBe(500);
    expect(topOf([], 300)).toBe(500);
    expect(topOf([Number.NaN, 20], 10)).toBe(20);
    expect(topOf([1_001], 10)).toBe(2_000);
  });

  it("is told in words", () => {
    const minute = new Minute();
    minute.handleMoment(0, { ageMs: 140, rttMs: null, kbps: 2_000 }, 0);
    minute.handleMoment(100, { ageMs: 61.4, rttMs: null, kbps: 1_500 }, 4);
    expect(minuteInWords(minute.moments)).toBe(
      "age of the picture 61 ms, at most 140; round trip unknown; " +
        "video 1500 kbit/s, at most 2000; 4 packets lost",
    );
  });
});
