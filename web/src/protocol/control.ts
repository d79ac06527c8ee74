/** The control frame: what the driver wants. As in `crates/words/protocol/src/control.rs`. */

import { FrameReader, withGroups, type FrameVersion } from "./frame";
import { INPUT_SOURCES, type InputSource } from "./state";
import { FULL_SCALE } from "./units";
import { numberInV1, numberOf, type Open } from "./words";

/** Size of a frame of version 1, and of the head of version 2, in bytes. */
export const CONTROL_SIZE = 18;
const SIZES = { v1: CONTROL_SIZE, v2Head: CONTROL_SIZE };
const SOURCES_IN_V1 = 4;

const SHOWN = 4;
const SHOWN_SIZE = 6;

const VISIBLE = 1 << 0;
const FOCUSED = 1 << 1;
const ARM = 1 << 2;
const BRAKE = 1 << 3;
/** Version 2 only, like the switches. */
const JOG = 1 << 4;
const LIGHTS = 1 << 0;
const HORN = 1 << 1;

/** What the driver sees, so that the car knows how old it is. */
export interface Shown {
  /** RTP time stamp of the newest frame on the screen. */
  readonly rtp: number;
  /** How long it has been there at sending, in ms; 65535 stands for anything longer. */
  readonly for_ms: number;
}

/** One sample of the driver's input; names as in `PROTOCOL.md`. */
export interface ControlFrame {
  readonly visible: boolean;
  readonly focused: boolean;
  readonly arm: boolean;
  readonly brake: boolean;
  /** Servo and motor are to follow although the car is disarmed. Version 2. */
  readonly jog: boolean;
  /** Version 2. */
  readonly lights: boolean;
  /** Version 2. */
  readonly horn: boolean;
  readonly source: Open<InputSource>;
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
  /** The picture that the driver sees. Version 2. */
  readonly shown: Shown | null;
}

/**
 * Version 1 leaves out `jog`, switches and `shown`, and sends a `source` that it does not know as
 * `gamepad`.
 */
export function encodeControl(frame: ControlFrame, version: FrameVersion): Uint8Array<ArrayBuffer> {
  const head = new ArrayBuffer(CONTROL_SIZE);
  const view = new DataView(head);
  const { visible, focused, arm, brake } = frame;
  const jog = version !== 1 && frame.jog;
  const switches = (frame.lights ? LIGHTS : 0) | (frame.horn ? HORN : 0);
  view.setUint8(0, version);
  view.setUint8(
    1,
    (visible ? VISIBLE : 0) |
      (focused ? FOCUSED : 0) |
      (arm ? ARM : 0) |
      (brake ? BRAKE : 0) |
      (jog ? JOG : 0),
  );
  view.setUint8(3, version === 1 ? 0 : switches);
  const { source } = frame;
  view.setUint8(
    2,
    version === 1
      ? numberInV1(INPUT_SOURCES, source, SOURCES_IN_V1, "gamepad")
      : numberOf(INPUT_SOURCES, source),
  );
  view.setUint32(4, frame.seq);
  view.setUint32(8, frame.sent_us);
  view.setUint16(12, frame.sample_age_ms);
  view.setInt16(14, frame.steering);
  view.setInt16(16, frame.throttle);
  return version === 1
    ? new Uint8Array(head)
    : withGroups(head, [frame.shown ? [SHOWN, shownBytes(frame.shown)] : null]);
}

/** The page never receives a control frame: this is for the vectors and for tests. */
export function decodeControl(bytes: ArrayBuffer | Uint8Array): ControlFrame {
  const reader = new FrameReader(bytes, SIZES);
  const later = reader.version === 1 ? 0 : JOG;
  const flags = reader.flags(VISIBLE | FOCUSED | ARM | BRAKE | later, "flags");
  const source = reader.word(INPUT_SOURCES, SOURCES_IN_V1, "source");
  const switches = reader.flags(reader.version === 1 ? 0 : LIGHTS | HORN, "reserved");
  return {
    visible: (flags & VISIBLE) !== 0,
    focused: (flags & FOCUSED) !== 0,
    arm: (flags & ARM) !== 0,
    brake: (flags & BRAKE) !== 0,
    jog: (flags & JOG) !== 0,
    lights: (switches & LIGHTS) !== 0,
    horn: (switches & HORN) !== 0,
    source,
    seq: reader.u32(),
    sent_us: reader.u32(),
    sample_age_ms: reader.u16(),
    steering: reader.signed(FULL_SCALE, "steering"),
    throttle: reader.signed(FULL_SCALE, "throttle"),
    shown: reader.group(SHOWN, SHOWN_SIZE, (group) => ({
      rtp: group.getUint32(0),
      for_ms: group.getUint16(4),
    })),
  };
}

function shownBytes(shown: Shown): ArrayBuffer {
  const bytes = new ArrayBuffer(SHOWN_SIZE);
  const view = new DataView(bytes);
  view.setUint32(0, shown.rtp);
  view.setUint16(4, shown.for_ms);
  return bytes;
}
