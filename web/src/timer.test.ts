import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Timer } from "./timer";

let woken: number[];
let timer: Timer;

beforeEach(() => {
  vi.useFakeTimers();
  woken = [];
  timer = new Timer(() => woken.push(performance.now()));
});

afterEach(() => {
  vi.useRealTimers();
});

it("wakes at the time that was asked for last, once", () => {
  const now = performance.now();
  timer.set(now + 50);
  timer.set(now + 20);
  vi.advanceTimersByTime(100);
  expect(woken).toEqual([now + 20]);
});

it("is not put off by being asked for the same time again and again", () => {
  const now = performance.now();
  for (let passed = 0; passed < 40; passed += 5) {
    timer.set(now + 50);
    vi.advanceTimersByTime(5);
  }
  vi.advanceTimersByTime(10);
  expect(woken).toEqual([now + 50]);
});

it("wakes at once for a time that is past, and again if asked for it again", () => {
  const now = performance.now();
  for (let time = 0; time < 2; time += 1) {
    timer.set(now - 10);
    expect(woken).toHaveLength(time);
    vi.advanceTimersByTime(0);
  }
  expect(woken).toHaveLength(2);
});

it("wakes nobody when no time is wanted, and none after it was stopped", () => {
  const now = performance.now();
  timer.set(now + 10);
  timer.set(null);
  vi.advanceTimersByTime(20);
  timer.set(now + 30);
  timer.stop();
  timer.set(now + 40);
  vi.advanceTimersByTime(100);
  expect(woken).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
