/** The control frame: what the driver wants. As in `crates/protocol/src/control.rs`. */

import { FrameReader } from "./frame";
import { INPUT_SOURCES, type InputSource } from "./state";
import { FULL_SCALE } from "./units";

export const CONTROL_VERSION = 1;
/** Size of a frame in bytes. */
export const CONTROL_SIZE = 18;

const VISIBLE = 1 << 0;
const FOCUSED = 1 << 1;
const ARM = 1 << 2;
const BRAKE = 1 << 3;

/** One sample of the driver's input; names as in `PROTOCOL.md`. */
export interface ControlFrame {
  readonly visible: boolean;
  readonly focused: boolean;
  readonly arm: boolean;
  readonly brake: boolean;
  readonly source: InputSource;
  /** Counts frames, wraps at 32 bits. */
  readonly seq: number;
  /** This page's clock at sending in µs, wraps at 32 bits. */
  readonly sent_us: number;
  /** Age of the sample in ms; 65535 stands for anything older. */
  readonly sample_age_ms: number;
  /** −10000…10000, positive turns right. */
  readonly steering: number;
  /** −10000…10000, positive drives forward. */
  readonly throttle: number;
}

export function encodeControl(frame: ControlFrame): ArrayBuffer {
  const bytes = new ArrayBuffer(CONTROL_SIZE);
  const view = new DataView(bytes);
  view.setUint8(0, CONTROL_VERSION);
  view.setUint8(
    1,
    (frame.visible ? VISIBLE : 0) | (frame.focused ? FOCUSED : 0) | (frame.arm ? ARM : 0) | (frame.brake ? BRAKE : 0),
  );
  view.setUint8(2, INPUT_SOURCES.indexOf(frame.source));
  view.setUint32(4, frame.seq);
  view.setUint32(8, frame.sent_us);
  view.setUint16(12, frame.sample_age_ms);
  view.setInt16(14, frame.steering);
  view.setInt16(16, frame.throttle);
  return bytes;
}

/** Reads a frame. The page never receives one: this is for the vectors and for tests. */
export function decodeControl(bytes: ArrayBuffer | Uint8Array): ControlFrame {
  const reader = new FrameReader(bytes, CONTROL_SIZE, CONTROL_VERSION);
  const flags = reader.flags(VISIBLE | FOCUSED | ARM | BRAKE, "flags");
  const source = reader.oneOf(INPUT_SOURCES, "source");
  reader.zero(1, "reserved");
  return {
    visible: (flags & VISIBLE) !== 0,
    focused: (flags & FOCUSED) !== 0,
    arm: (flags & ARM) !== 0,
    brake: (flags & BRAKE) !== 0,
    source,
    seq: reader.u32(),
    sent_us: reader.u32(),
    sample_age_ms: reader.u16(),
    steering: reader.signed(FULL_SCALE, "steering"),
    throttle: reader.signed(FULL_SCALE, "throttle"),
  };
}
