/** The telemetry frame: what the car does. As in `crates/protocol/src/telemetry.rs`. */

import { FrameReader } from "./frame";
import { DRIVE_STATES, STOP_REASONS, type DriveState, type StopReason } from "./state";
import { FULL_SCALE } from "./units";

export const TELEMETRY_VERSION = 1;
/** Size of a frame in bytes. */
export const TELEMETRY_SIZE = 52;

const ODOMETRY = 1 << 0;
const BATTERY = 1 << 1;
const ECHO = 1 << 2;
const BRAKING = 1 << 3;

/** Half a turn in 1/100 degree. */
const HALF_TURN = 18_000;

/** The newest control frame that the car has read. */
export interface Echo {
  readonly seq: number;
  readonly sent_us: number;
  /** Time between its arrival and the sending of the telemetry, in µs. */
  readonly held_us: number;
}

/** Speed and pose of the car. */
export interface Odometry {
  readonly speed_mm_s: number;
  /** 1/100 degree, counter-clockwise from east. */
  readonly heading: number;
  readonly x_mm: number;
  readonly y_mm: number;
}

/** One telemetry frame; names as in `PROTOCOL.md`. */
export interface TelemetryFrame {
  readonly state: DriveState;
  readonly reason: StopReason;
  readonly seq: number;
  /** The car's monotonic clock at sending, in µs: the clock of the video's RTP time stamps. */
  readonly car_time: bigint;
  readonly echo: Echo | null;
  readonly steering: number;
  readonly throttle: number;
  readonly braking: boolean;
  readonly battery_mv: number | null;
  readonly odometry: Odometry | null;
  /** Control frames that the car dropped. */
  readonly dropped: number;
}

/** Reads a frame, or throws a `FrameError`. */
export function decodeTelemetry(bytes: ArrayBuffer | Uint8Array): TelemetryFrame {
  const reader = new FrameReader(bytes, TELEMETRY_SIZE, TELEMETRY_VERSION);
  const state = reader.oneOf(DRIVE_STATES, "state");
  const reason = reader.oneOf(STOP_REASONS, "reason");
  const flags = reader.flags(ODOMETRY | BATTERY | ECHO | BRAKING, "flags");
  const seq = reader.u32();
  const car_time = reader.u64();
  const echo = reader.optional((flags & ECHO) !== 0, 12, "echo", () => ({
    seq: reader.u32(),
    sent_us: reader.u32(),
    held_us: reader.u32(),
  }));
  const steering = reader.signed(FULL_SCALE, "steering");
  const throttle = reader.signed(FULL_SCALE, "throttle");
  const odometry = reader.optional((flags & ODOMETRY) !== 0, 12, "odometry", () => ({
    speed_mm_s: reader.i16(),
    heading: reader.signed(HALF_TURN, "heading"),
    x_mm: reader.i32(),
    y_mm: reader.i32(),
  }));
  const battery_mv = reader.optional((flags & BATTERY) !== 0, 2, "battery_mv", () => reader.u16());
  const dropped = reader.u16();
  reader.zero(4, "reserved");
  return {
    state,
    reason,
    seq,
    car_time,
    echo,
    steering,
    throttle,
    braking: (flags & BRAKING) !== 0,
    battery_mv,
    odometry,
    dropped,
  };
}

/** Writes a frame. The page never sends one: this is for the vectors and for tests. */
export function encodeTelemetry(frame: TelemetryFrame): ArrayBuffer {
  const bytes = new ArrayBuffer(TELEMETRY_SIZE);
  const view = new DataView(bytes);
  view.setUint8(0, TELEMETRY_VERSION);
  view.setUint8(1, DRIVE_STATES.indexOf(frame.state));
  view.setUint8(2, STOP_REASONS.indexOf(frame.reason));
  const flags =
    (frame.odometry ? ODOMETRY : 0) |
    (frame.battery_mv !== null ? BATTERY : 0) |
    (frame.echo ? ECHO : 0) |
    (frame.braking ? BRAKING : 0);
  view.setUint8(3, flags);
  view.setUint32(4, frame.seq);
  view.setBigUint64(8, frame.car_time);
  view.setUint32(16, frame.echo?.seq ?? 0);
  view.setUint32(20, frame.echo?.sent_us ?? 0);
  view.setUint32(24, frame.echo?.held_us ?? 0);
  view.setInt16(28, frame.steering);
  view.setInt16(30, frame.throttle);
  view.setInt16(32, frame.odometry?.speed_mm_s ?? 0);
  view.setInt16(34, frame.odometry?.heading ?? 0);
  view.setInt32(36, frame.odometry?.x_mm ?? 0);
  view.setInt32(40, frame.odometry?.y_mm ?? 0);
  view.setUint16(44, frame.battery_mv ?? 0);
  view.setUint16(46, frame.dropped);
  return bytes;
}
