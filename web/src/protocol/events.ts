/** JSON on the reliable data channel `events`, as in `crates/protocol/src/events.rs`. */

import { errorCode, type ErrorCode } from "./common";
import { oneOf, openMessage, Shape, uint, type Read } from "./json";
import { percent } from "./release";
import { DRIVE_STATES, STOP_REASONS, type DriveState, type StopReason } from "./state";
import { carId, name, note, software } from "./text";

const NOTICE_LEVELS = ["info", "warning", "error"] as const;
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

const HOST_LINKS = ["up", "down", "none"] as const;
const UPLINK_KINDS = ["ethernet", "wifi", "mobile", "other"] as const;
const MODEM_STATES = ["up", "acting", "waiting"] as const;
const MODEM_RUNGS = [
  "reconnect",
  "cycle-bearer",
  "cycle-radio",
  "reset",
  "restart-daemon",
  "cycle-usb",
  "reboot",
] as const;
/** What an uplink is. */
export type UplinkKind = (typeof UPLINK_KINDS)[number];
/** Rungs of the ladder that brings a mobile link back, gentlest first. */
export type ModemRung = (typeof MODEM_RUNGS)[number];

/** The modem, as its supervisor sees it. */
export interface ModemLink {
  readonly state: (typeof MODEM_STATES)[number];
  readonly rung: ModemRung | null;
  readonly operator: string | null;
  readonly signal: number | null;
  readonly fault: string | null;
}

/** How the car is connected. */
export interface CarLink {
  readonly host: (typeof HOST_LINKS)[number];
  readonly uplink: UplinkKind | null;
  readonly interface: string | null;
  readonly standby: number;
  readonly modem: ModemLink | null;
}

const modemLink: Read<ModemLink> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    state: shape.need("state", oneOf(MODEM_STATES)),
    rung: shape.maybe("rung", oneOf(MODEM_RUNGS)),
    operator: shape.maybe("operator", note),
    signal: shape.maybe("signal", percent),
    fault: shape.maybe("fault", note),
  };
};

/** From the car to this page. */
export type CarEvent =
  | { type: "hello"; v: number; car: string; name: string; software: string; video: Video }
  | { type: "drive"; state: DriveState; reason: StopReason }
  | ({ type: "link" } & CarLink)
  | { type: "notice"; level: NoticeLevel; text: string }
  | { type: "error"; code: ErrorCode; text: string };

/** From this page to the car. */
export interface DriverEvent {
  type: "hello";
  v: number;
  software: string;
}

/** Reads a message of the car's, or throws a `MessageError`. */
export function parseCarEvent(text: string): CarEvent {
  const { type, shape } = openMessage(text, ["hello", "drive", "link", "notice", "error"]);
  switch (type) {
    case "hello":
      return {
        type,
        v: shape.need("v", uint(8)),
        car: shape.need("car", carId),
        name: shape.need("name", name),
        software: shape.need("software", software),
        video: shape.need("video", video),
      };
    case "drive":
      return {
        type,
        state: shape.need("state", oneOf(DRIVE_STATES)),
        reason: shape.need("reason", oneOf(STOP_REASONS)),
      };
    case "link":
      return {
        type,
        host: shape.need("host", oneOf(HOST_LINKS)),
        uplink: shape.maybe("uplink", oneOf(UPLINK_KINDS)),
        interface: shape.maybe("interface", note),
        standby: shape.need("standby", uint(8)),
        modem: shape.maybe("modem", modemLink),
      };
    case "notice":
      return { type, level: shape.need("level", oneOf(NOTICE_LEVELS)), text: shape.need("text", note) };
    case "error":
      return { type, code: shape.need("code", errorCode), text: shape.need("text", note) };
  }
}

/** Reads a message of a page's. The page never receives one: this is for the vectors and for tests. */
export function parseDriverEvent(text: string): DriverEvent {
  const { type, shape } = openMessage(text, ["hello"]);
  return { type, v: shape.need("v", uint(8)), software: shape.need("software", software) };
}
