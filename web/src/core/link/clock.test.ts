import { describe, expect, it } from "vitest";
import type { TelemetryFrame } from "../../protocol/telemetry";
import { micros32 } from "../../protocol/units";
import { CarClock } from "./clock";

/** The car's clock minus the page's, in ms. */
const OFFSET = 7_200_000;

describe("CarClock", () => {
  it("knows nothing before the first echo", () => {
    const clock = new CarClock();
    clock.handleTelemetry({ ...telemetry(0, 0, 0), echo: null }, 5);
    expect([clock.rttMs, clock.carTimeUs(5), clock.pictureAgeMs(0, 5)]).toEqual([null, null, null]);
  });

  it("leaves out the time for which the car held the echo", () => {
    const clock = new CarClock();
    exchange(clock, { sentAt: 1000, up: 20, held: 15, down: 20 });
    expect(clock.rttMs).toBeCloseTo(40, 3);
    expect(clock.carTimeUs(2000)).toBeCloseTo((2000 + OFFSET) * 1000, 0);
  });

  it("trusts the shortest round trip when one direction is delayed", () => {
    const clock = new CarClock();
    exchange(clock, { sentAt: 1000, up: 10, held: 0, down: 10 });
    for (let i = 1; i <= 50; i += 1)
      exchange(clock, { sentAt: 1000 + i * 20, up: 10, held: 0, down: 300 });
    expect(clock.carTimeUs(3000)).toBeCloseTo((3000 + OFFSET) * 1000, 0);
    expect(clock.rttMs).toBeGreaterThan(250);
  });

  it("tells the round trip of each frame as it is, not smoothed", () => {
    const clock = new CarClock();
    expect(clock.handleTelemetry({ ...telemetry(0, 0, 0), echo: null }, 5)).toBeNull();
    exchange(clock, { sentAt: 1000, up: 10, held: 0, down: 10 });
    expect(clock.handleTelemetry(telemetry(0, micros32(2000), 15_000), 2_715)).toBeCloseTo(700, 3);
  });

  it("forgets a short round trip after ten seconds", () => {
    const clock = new CarClock();
    exchange(clock, { sentAt: 0, up: 10, held: 0, down: 10 });
    exchange(clock, { sentAt: 11_000, up: 10, held: 0, down: 110 });
    expect(clock.carTimeUs(0)).toBeCloseTo((OFFSET - 50) * 1000, 0);
  });

  it("measures across the wrap of the 32-bit send time", () => {
    const clock = new CarClock();
    const wrap = 2 ** 32 / 1000;
    exchange(clock, { sentAt: wrap - 5, up: 10, held: 0, down: 10 });
    expect(clock.rttMs).toBeCloseTo(20, 1);
  });

  it("ignores an echo of nothing it sent", () => {
    const clock = new CarClock();
    clock.handleTelemetry(telemetry(0, micros32(5000), 0), 1000);
    expect(clock.rttMs).toBeNull();
  });

  it("tells the age of a picture, also across the wrap of the RTP time stamp", () => {
    for (const captured of [1000, (2 ** 32 * 1000) / 90_000 - 20 - OFFSET, 50_000_000]) {
      const clock = new CarClock();
      const now = captured + 45;
      exchange(clock, { sentAt: now - 40, up: 10, held: 0, down: 10 });
      expect(clock.pictureAgeMs(rtp(captured + OFFSET), now)).toBeCloseTo(45, 0);
    }
  });

  it("calls a picture older than any when its time stamp is out of all range", () => {
    const clock = new CarClock();
    exchange(clock, { sentAt: 1000, up: 10, held: 0, down: 10 });
    expect(clock.pictureAgeMs((rtp(1000 + OFFSET) + 2 ** 31) >>> 0, 1000)).toBe(Infinity);
    expect(clock.pictureAgeMs(rtp(1000 + OFFSET), 62_000)).toBe(Infinity);
    expect(clock.pictureAgeMs(rtp(3000 + OFFSET), 1000)).toBe(Infinity);
    expect(clock.pictureAgeMs(rtp(1500 + OFFSET), 1000)).toBe(0);
  });
});

function exchange(
  clock: CarClock,
  path: { sentAt: number; up: number; held: number; down: number },
): void {
  const answeredAt = path.sentAt + path.up + path.held;
  const frame = telemetry(answeredAt + OFFSET, micros32(path.sentAt), path.held * 1000);
  clock.handleTelemetry(frame, answeredAt + path.down);
}

function rtp(carMs: number): number {
  return Number(((BigInt(Math.round(carMs * 1000)) * 90_000n) / 1_000_000n) % (1n << 32n));
}

function telemetry(carMs: number, sent_us: number, held_us: number): TelemetryFrame {
  return {
    state: "disarmed",
    reason: "none",
    seq: 1,
    car_time: BigInt(Math.round(carMs * 1000)),
    echo: { seq: 1, sent_us, held_us },
    steering: 0,
    throttle: 0,
    braking: false,
    battery_mv: null,
    battery_level: null,
    switches: null,
    speed_limit: null,
    speed_mm_s: null,
    computer: null,
    position: null,
    odometry: null,
    dropped: 0,
  };
}
