/** The telemetry frame: what the car does. As in `crates/words/protocol/src/telemetry.rs`. */

import { FrameReader, within, withGroups, type FrameVersion } from "./frame";
import {
  readComputer,
  readPosition,
  writeComputer,
  writePosition,
  COMPUTER_SIZE,
  POSITION_SIZE,
  type Computer,
  type Position,
} from "./sensors";
import {
  BATTERY_LEVELS,
  DRIVE_STATES,
  LIMIT_CAUSES,
  STOP_REASONS,
  type BatteryLevel,
  type DriveState,
  type LimitCause,
  type StopReason,
} from "./state";
import { FULL_SCALE } from "./units";
import { numberInV1, numberOf, wordOf, type Open } from "./words";

/** Size of a frame of version 1 in bytes. */
export const TELEMETRY_SIZE = 52;
/** Size of the head of version 2 in bytes. */
export const TELEMETRY_HEAD = 24;
const SIZES = { v1: TELEMETRY_SIZE, v2Head: TELEMETRY_HEAD };
const STATES_IN_V1 = 6;
const REASONS_IN_V1 = 11;

const V1_ODOMETRY = 1 << 0;
const V1_BATTERY = 1 << 1;
const V1_ECHO = 1 << 2;
const V1_BRAKING = 1 << 3;
const BRAKING = 1 << 0;

const ECHO = 1;
const ODOMETRY = 2;
const BATTERY = 3;
const BATTERY_LEVEL = 5;
const SWITCHES = 6;
const SPEED = 7;
const COMPUTER = 8;
const POSITION = 9;
const ECHO_SIZE = 12;
const ODOMETRY_SIZE = 12;
const BATTERY_SIZE = 2;
const BATTERY_LEVEL_SIZE = 1;
const SWITCHES_SIZE = 1;
const SPEED_LIMIT = 13;
const SPEED_LIMIT_SIZE = 3;
const SPEED_SIZE = 2;

/** Half a turn in 1/100 degree. */
const HALF_TURN = 18_000;

/** The newest control frame that the car has read. */
export interface Echo {
  readonly seq: number;
  readonly sent_us: number;
  /** Time from its arrival until the telemetry was sent, in µs. */
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

/** How much of the throttle the driver has. */
export interface SpeedLimit {
  /** 1/10000, below 10000. */
  readonly share: number;
  readonly cause: Open<LimitCause>;
}

/** Lights and horn: whether they are on; `null`: the car has none. */
export interface Switches {
  readonly lights: boolean | null;
  readonly horn: boolean | null;
}

/** One telemetry frame; names as in `PROTOCOL.md`. */
export interface TelemetryFrame {
  readonly state: Open<DriveState>;
  readonly reason: Open<StopReason>;
  readonly seq: number;
  /** The car's monotonic clock at sending, in µs: the clock of the video's RTP time stamps. */
  readonly car_time: bigint;
  readonly echo: Echo | null;
  readonly steering: number;
  readonly throttle: number;
  readonly braking: boolean;
  readonly battery_mv: number | null;
  /** `null` if the car does not watch its battery. */
  readonly battery_level: Open<BatteryLevel> | null;
  /** `null` if the car has neither. */
  readonly switches: Switches | null;
  /** `null` if the driver has the whole throttle. */
  readonly speed_limit: SpeedLimit | null;
  readonly odometry: Odometry | null;
  /** Measured at a wheel. */
  readonly speed_mm_s: number | null;
  readonly computer: Computer | null;
  /** `null` if the car does not know it, or its owner has not asked for it. */
  readonly position: Position | null;
  /** Number of control frames that the car dropped in this session. */
  readonly dropped: number;
}

/** Reads a frame of any version that is known here, or throws a `FrameError`. */
export function decodeTelemetry(bytes: ArrayBuffer | Uint8Array): TelemetryFrame {
  const reader = new FrameReader(bytes, SIZES);
  const state = reader.word(DRIVE_STATES, STATES_IN_V1, "state");
  const reason = reader.word(STOP_REASONS, REASONS_IN_V1, "reason");
  return { state, reason, ...(reader.version === 1 ? decodeV1(reader) : decodeV2(reader)) };
}

type Rest = Omit<TelemetryFrame, "state" | "reason">;

function decodeV1(reader: FrameReader): Rest {
  const flags = reader.flags(V1_ODOMETRY | V1_BATTERY | V1_ECHO | V1_BRAKING, "flags");
  const seq = reader.u32();
  const car_time = reader.u64();
  const echo = reader.optional((flags & V1_ECHO) !== 0, ECHO_SIZE, "echo", () => ({
    seq: reader.u32(),
    sent_us: reader.u32(),
    held_us: reader.u32(),
  }));
  const steering = reader.signed(FULL_SCALE, "steering");
  const throttle = reader.signed(FULL_SCALE, "throttle");
  const odometry = reader.optional((flags & V1_ODOMETRY) !== 0, ODOMETRY_SIZE, "odometry", () => ({
    speed_mm_s: reader.i16(),
    heading: reader.signed(HALF_TURN, "heading"),
    x_mm: reader.i32(),
    y_mm: reader.i32(),
  }));
  const battery_mv = reader.optional((flags & V1_BATTERY) !== 0, BATTERY_SIZE, "battery_mv", () =>
    reader.u16(),
  );
  const dropped = reader.u16();
  reader.zero(4, "reserved");
  const braking = (flags & V1_BRAKING) !== 0;
  return {
    seq,
    car_time,
    echo,
    steering,
    throttle,
    braking,
    battery_mv,
    battery_level: null,
    switches: null,
    speed_limit: null,
    odometry,
    speed_mm_s: null,
    computer: null,
    position: null,
    dropped,
  };
}

function decodeV2(reader: FrameReader): Rest {
  const flags = reader.flags(BRAKING, "flags");
  return {
    braking: (flags & BRAKING) !== 0,
    seq: reader.u32(),
    car_time: reader.u64(),
    steering: reader.signed(FULL_SCALE, "steering"),
    throttle: reader.signed(FULL_SCALE, "throttle"),
    dropped: reader.u16(),
    echo: reader.group(ECHO, ECHO_SIZE, (group) => ({
      seq: group.getUint32(0),
      sent_us: group.getUint32(4),
      held_us: group.getUint32(8),
    })),
    odometry: reader.group(ODOMETRY, ODOMETRY_SIZE, (group) => ({
      speed_mm_s: group.getInt16(0),
      heading: within(group.getInt16(2), HALF_TURN, "heading"),
      x_mm: group.getInt32(4),
      y_mm: group.getInt32(8),
    })),
    battery_mv: reader.group(BATTERY, BATTERY_SIZE, (group) => group.getUint16(0)),
    battery_level: reader.group(BATTERY_LEVEL, BATTERY_LEVEL_SIZE, (group) =>
      wordOf(BATTERY_LEVELS, group.getUint8(0)),
    ),
    switches: reader.group(SWITCHES, SWITCHES_SIZE, (group) => {
      const bits = group.getUint8(0);
      return { lights: switchOf(bits), horn: switchOf(bits >> 2) };
    }),
    speed_limit: reader.group(SPEED_LIMIT, SPEED_LIMIT_SIZE, (group) => ({
      share: within(group.getUint16(0), FULL_SCALE - 1, "speed_limit.share"),
      cause: wordOf(LIMIT_CAUSES, group.getUint8(2)),
    })),
    speed_mm_s: reader.group(SPEED, SPEED_SIZE, (group) => group.getInt16(0)),
    computer: reader.group(COMPUTER, COMPUTER_SIZE, readComputer),
    position: reader.group(POSITION, POSITION_SIZE, readPosition),
  };
}

/** The page never sends telemetry: this is for the vectors and for tests. */
export function encodeTelemetry(
  frame: TelemetryFrame,
  version: FrameVersion,
): Uint8Array<ArrayBuffer> {
  return version === 1 ? encodeV1(frame) : encodeV2(frame);
}

function encodeV1(frame: TelemetryFrame): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(TELEMETRY_SIZE));
  view.setUint8(0, 1);
  view.setUint8(1, numberInV1(DRIVE_STATES, frame.state, STATES_IN_V1, "braking"));
  view.setUint8(2, numberInV1(STOP_REASONS, frame.reason, REASONS_IN_V1, "none"));
  const flags =
    (frame.odometry ? V1_ODOMETRY : 0) |
    (frame.battery_mv !== null ? V1_BATTERY : 0) |
    (frame.echo ? V1_ECHO : 0) |
    (frame.braking ? V1_BRAKING : 0);
  view.setUint8(3, flags);
  view.setUint32(4, frame.seq);
  view.setBigUint64(8, frame.car_time);
  writeEcho(view, 16, frame.echo);
  view.setInt16(28, frame.steering);
  view.setInt16(30, frame.throttle);
  writeOdometry(view, 32, frame.odometry);
  view.setUint16(44, frame.battery_mv ?? 0);
  view.setUint16(46, frame.dropped);
  return new Uint8Array(view.buffer);
}

function encodeV2(frame: TelemetryFrame): Uint8Array<ArrayBuffer> {
  const head = new DataView(new ArrayBuffer(TELEMETRY_HEAD));
  head.setUint8(0, 2);
  head.setUint8(1, numberOf(DRIVE_STATES, frame.state));
  head.setUint8(2, numberOf(STOP_REASONS, frame.reason));
  head.setUint8(3, frame.braking ? BRAKING : 0);
  head.setUint32(4, frame.seq);
  head.setBigUint64(8, frame.car_time);
  head.setInt16(16, frame.steering);
  head.setInt16(18, frame.throttle);
  head.setUint16(20, frame.dropped);
  const echo = new DataView(new ArrayBuffer(ECHO_SIZE));
  writeEcho(echo, 0, frame.echo);
  const odometry = new DataView(new ArrayBuffer(ODOMETRY_SIZE));
  writeOdometry(odometry, 0, frame.odometry);
  const battery = new DataView(new ArrayBuffer(BATTERY_SIZE));
  battery.setUint16(0, frame.battery_mv ?? 0);
  const level = new DataView(new ArrayBuffer(BATTERY_LEVEL_SIZE));
  level.setUint8(0, numberOf(BATTERY_LEVELS, frame.battery_level ?? "unknown"));
  const switches = new DataView(new ArrayBuffer(SWITCHES_SIZE));
  const { lights = null, horn = null } = frame.switches ?? {};
  switches.setUint8(0, bitsOf(lights) | (bitsOf(horn) << 2));
  const limit = new DataView(new ArrayBuffer(SPEED_LIMIT_SIZE));
  limit.setUint16(0, frame.speed_limit?.share ?? 0);
  limit.setUint8(2, numberOf(LIMIT_CAUSES, frame.speed_limit?.cause ?? "picture"));
  const speed = new DataView(new ArrayBuffer(SPEED_SIZE));
  speed.setInt16(0, frame.speed_mm_s ?? 0);
  return withGroups(head.buffer, [
    frame.echo === null ? null : [ECHO, echo.buffer],
    frame.odometry === null ? null : [ODOMETRY, odometry.buffer],
    frame.battery_mv === null ? null : [BATTERY, battery.buffer],
    frame.battery_level === null ? null : [BATTERY_LEVEL, level.buffer],
    frame.switches === null ? null : [SWITCHES, switches.buffer],
    frame.speed_limit === null ? null : [SPEED_LIMIT, limit.buffer],
    frame.speed_mm_s === null ? null : [SPEED, speed.buffer],
    frame.computer === null ? null : [COMPUTER, writeComputer(frame.computer)],
    frame.position === null ? null : [POSITION, writePosition(frame.position)],
  ]);
}

/** The lower bit says that the switch is there, the upper one that it is on. */
function switchOf(bits: number): boolean | null {
  return (bits & 0b01) === 0 ? null : (bits & 0b10) !== 0;
}

function bitsOf(on: boolean | null): number {
  return on === null ? 0 : on ? 0b11 : 0b01;
}

function writeEcho(view: DataView, at: number, echo: Echo | null): void {
  view.setUint32(at, echo?.seq ?? 0);
  view.setUint32(at + 4, echo?.sent_us ?? 0);
  view.setUint32(at + 8, echo?.held_us ?? 0);
}

function writeOdometry(view: DataView, at: number, odometry: Odometry | null): void {
  view.setInt16(at, odometry?.speed_mm_s ?? 0);
  view.setInt16(at + 2, odometry?.heading ?? 0);
  view.setInt32(at + 4, odometry?.x_mm ?? 0);
  view.setInt32(at + 8, odometry?.y_mm ?? 0);
}
