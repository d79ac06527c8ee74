import { describe, expect, it, vi } from "vitest";
import { decodeControl, type ControlFrame } from "../protocol/control";
import type { CarEvent } from "../protocol/events";
import { encodeTelemetry, type TelemetryFrame } from "../protocol/telemetry";
import { ControlChannel, EventsChannel } from "./channels";

class FakeChannel {
  readyState = "open";
  bufferedAmount = 0;
  id = 4;
  sent: (Uint8Array | string)[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  send = (data: Uint8Array | string) => void this.sent.push(data);
  get real() {
    return this as unknown as RTCDataChannel;
  }
}

const frame: ControlFrame = {
  visible: true,
  focused: true,
  arm: false,
  brake: false,
  jog: false,
  lights: false,
  horn: false,
  source: "keyboard",
  seq: 7,
  sent_us: 8,
  sample_age_ms: 0,
  steering: -2_500,
  throttle: 1_000,
  shown: { rtp: 90_000, for_ms: 16 },
};

describe("ControlChannel", () => {
  it("sends frames the car can read", () => {
    const fake = new FakeChannel();
    const channel = new ControlChannel(fake.real, vi.fn());
    expect(channel.send(frame)).toBe(true);
    expect(decodeControl(fake.sent[0] as Uint8Array)).toEqual({ ...frame, shown: null });
    // The car has said that it reads version 2.
    channel.version = 2;
    expect(channel.send(frame)).toBe(true);
    expect(decodeControl(fake.sent[1] as Uint8Array)).toEqual(frame);
  });

  it("skips a frame while older ones wait, instead of queueing it", () => {
    const fake = new FakeChannel();
    const channel = new ControlChannel(fake.real, vi.fn());
    fake.bufferedAmount = 37;
    expect(channel.send(frame)).toBe(false);
    expect([fake.sent, channel.skipped]).toEqual([[], 1]);
  });

  it("sends nothing before the channel is open", () => {
    const fake = new FakeChannel();
    fake.readyState = "connecting";
    expect(new ControlChannel(fake.real, vi.fn()).send(frame)).toBe(false);
  });

  it("drops telemetry that was overtaken, also across the wrap", () => {
    const fake = new FakeChannel();
    const seen: number[] = [];
    new ControlChannel(fake.real, ({ seq }) => seen.push(seq));
    for (const seq of [2 ** 32 - 2, 1, 2 ** 32 - 1, 1, 2])
      fake.onmessage?.({ data: encodeTelemetry(telemetry(seq), 2).buffer });
    expect(seen).toEqual([2 ** 32 - 2, 1, 2]);
  });

  it("counts what it cannot read", () => {
    const fake = new FakeChannel();
    const channel = new ControlChannel(fake.real, vi.fn());
    fake.onmessage?.({ data: new ArrayBuffer(3) });
    fake.onmessage?.({ data: "text" });
    expect(channel.malformed).toBe(2);
  });
});

describe("EventsChannel", () => {
  it("greets when it opens and hands on what it can read", () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const fake = new FakeChannel();
    fake.readyState = "connecting";
    const events: CarEvent[] = [];
    new EventsChannel(fake.real, "rccar-web/1", (event) => events.push(event));
    expect(fake.sent).toEqual([]);
    fake.onopen?.();
    const frames = '{"control":[1,2],"telemetry":[1,2]}';
    expect(fake.sent).toEqual([
      `{"type":"hello","v":1,"software":"rccar-web/1","frames":${frames},"calibration":[1]}`,
    ]);
    fake.onmessage?.({ data: '{"type":"drive","state":"armed","reason":"none"}' });
    fake.onmessage?.({ data: '{"type":"drive","state":"not a word","reason":"none"}' });
    expect(events).toEqual([{ type: "drive", state: "armed", reason: "none" }]);
    expect(warn).toHaveBeenCalledOnce();
  });
});

function telemetry(seq: number): TelemetryFrame {
  return {
    state: "armed",
    reason: "none",
    seq,
    car_time: 0n,
    echo: null,
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
