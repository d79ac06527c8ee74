/** JSON on the reliable data channel `events`, as in `crates/words/protocol/src/events.rs`. */

import {
  calibrationRequest,
  calibrationState,
  type CalibrationRequest,
  type CalibrationState,
} from "./calibration";
import { errorCode, type ErrorCode } from "./common";
import { FRAME_VERSIONS } from "./frame";
import { listOf, openMessage, Shape, uint, type Read } from "./json";
import { percent } from "./release";
import { DRIVE_STATES, STOP_REASONS, type DriveState, type StopReason } from "./state";
import { carId, name, note, software } from "./text";
import { word, type Open } from "./words";

export const NOTICE_LEVELS = ["info", "warning", "error"] as const;
/** Weight of a notice. */
export type NoticeLevel = (typeof NOTICE_LEVELS)[number];

/** Size and rate of the picture. */
export interface Video {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

const video: Read<Video> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    width: shape.need("width", uint(16, 1)),
    height: shape.need("height", uint(16, 1)),
    fps: shape.need("fps", uint(8, 1)),
  };
};

/** Versions of the binary frames that an end speaks. A field that is left out means version 1. */
export interface Frames {
  readonly control: readonly number[] | null;
  readonly telemetry: readonly number[] | null;
}

const versions: Read<readonly number[] | null> = (value, field) => {
  const list = listOf(uint(8))(value, field);
  return list.length === 0 ? null : list;
};

const frames: Read<Frames> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    control: shape.maybe("control", versions),
    telemetry: shape.maybe("telemetry", versions),
  };
};

/** What this page speaks. */
export const OUR_FRAMES: Frames = { control: FRAME_VERSIONS, telemetry: FRAME_VERSIONS };

const HOST_LINKS = ["up", "down", "none"] as const;
export const UPLINK_KINDS = ["ethernet", "wifi", "mobile", "other"] as const;
const MODEM_STATES = ["up", "acting", "waiting"] as const;
export const MODEM_RUNGS = [
  "reconnect",
  "cycle-bearer",
  "cycle-radio",
  "reset",
  "restart-daemon",
  "cycle-usb",
  "reboot",
] as const;
export type UplinkKind = (typeof UPLINK_KINDS)[number];
/** Rungs of the ladder that brings a mobile link back, gentlest first. */
export type ModemRung = (typeof MODEM_RUNGS)[number];

/** The modem, as `rccar-modem` sees it. */
export interface ModemLink {
  readonly state: Open<(typeof MODEM_STATES)[number]>;
  readonly rung: Open<ModemRung> | null;
  readonly operator: string | null;
  readonly signal: number | null;
  readonly fault: string | null;
}

/** How the car is connected. */
export interface CarLink {
  readonly host: Open<(typeof HOST_LINKS)[number]>;
  readonly uplink: Open<UplinkKind> | null;
  readonly interface: string | null;
  readonly standby: number;
  readonly modem: ModemLink | null;
}

const modemLink: Read<ModemLink> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    state: shape.need("state", word(MODEM_STATES)),
    rung: shape.maybe("rung", word(MODEM_RUNGS)),
    operator: shape.maybe("operator", note),
    signal: shape.maybe("signal", percent),
    fault: shape.maybe("fault", note),
  };
};

export type CarEvent =
  | {
      type: "hello";
      v: number;
      car: string;
      name: string;
      software: string;
      video: Video;
      frames: Frames | null;
    }
  | { type: "drive"; state: Open<DriveState>; reason: Open<StopReason> }
  | ({ type: "link" } & CarLink)
  | { type: "notice"; level: Open<NoticeLevel>; text: string }
  | ({ type: "calibration" } & CalibrationState)
  | { type: "error"; code: Open<ErrorCode>; text: string };

export type DriverEvent =
  | {
      type: "hello";
      v: number;
      software: string;
      frames: Frames | null;
      /** Versions of the calibration that the page speaks. */
      calibration: readonly number[] | null;
    }
  | ({ type: "calibrate" } & CalibrationRequest);

/** Reads a message from the car, or throws a `MessageError`. */
export function parseCarEvent(text: string): CarEvent {
  const { type, shape } = openMessage(text, [
    "hello",
    "drive",
    "link",
    "notice",
    "calibration",
    "error",
  ]);
  switch (type) {
    case "hello":
      return {
        type,
        v: shape.need("v", uint(8)),
        car: shape.need("car", carId),
        name: shape.need("name", name),
        software: shape.need("software", software),
        video: shape.need("video", video),
        frames: shape.maybe("frames", frames),
      };
    case "drive":
      return {
        type,
        state: shape.need("state", word(DRIVE_STATES)),
        reason: shape.need("reason", word(STOP_REASONS)),
      };
    case "link":
      return {
        type,
        host: shape.need("host", word(HOST_LINKS)),
        uplink: shape.maybe("uplink", word(UPLINK_KINDS)),
        interface: shape.maybe("interface", note),
        standby: shape.need("standby", uint(8)),
        modem: shape.maybe("modem", modemLink),
      };
    case "notice":
      return {
        type,
        level: shape.need("level", word(NOTICE_LEVELS)),
        text: shape.need("text", note),
      };
    case "calibration":
      return { type, ...calibrationState(shape) };
    case "error":
      return { type, code: shape.need("code", errorCode), text: shape.need("text", note) };
  }
}

/**
 * Reads a message from a page. The page never receives one: this is for the vectors and for tests.
 */
export function parseDriverEvent(text: string): DriverEvent {
  const { type, shape } = openMessage(text, ["hello", "calibrate"]);
  if (type === "calibrate") return { type, ...calibrationRequest(shape) };
  return {
    type,
    v: shape.need("v", uint(8)),
    software: shape.need("software", software),
    frames: shape.maybe("frames", frames),
    calibration: shape.maybe("calibration", versions),
  };
}
