/** JSON on the reliable data channel `events`, as in `crates/protocol/src/events.rs`. */

import { errorCode, type ErrorCode } from "./common";
import { oneOf, openMessage, Shape, uint, type Read } from "./json";
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

/** From the car to this page. */
export type CarEvent =
  | { type: "hello"; v: number; car: string; name: string; software: string; video: Video }
  | { type: "drive"; state: DriveState; reason: StopReason }
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
  const { type, shape } = openMessage(text, ["hello", "drive", "notice", "error"]);
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
