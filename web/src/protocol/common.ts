/** Parts of signaling messages, as in `crates/words/protocol/src/signaling/common.rs`. */

import { anyString, bad, listOf, Shape, uint, utf8Length, type Read } from "./json";
import { updateStatus, type UpdateStatus } from "./release";
import { carId, name, software } from "./text";
import { word, type Open } from "./words";

export const ERROR_CODES = [
  "malformed",
  "unknown-type",
  "too-large",
  "rate-limited",
  "unsupported-version",
  "out-of-order",
  "not-signed-in",
  "forbidden",
  "no-such-car",
  "car-offline",
  "car-busy",
  "no-such-session",
  "not-enrolled",
  "bad-signature",
  "timeout",
  "slow-reader",
  "internal",
] as const;
/** Why a message was refused. */
export type ErrorCode = (typeof ERROR_CODES)[number];
export const errorCode = word(ERROR_CODES);

export const BYE_REASONS = [
  "driver-left",
  "driver-gone",
  "car-left",
  "car-gone",
  "replaced",
  "car-busy",
  "ice-failed",
  "no-h264",
  "bad-description",
  "revoked",
  "taken-back",
  "idle",
  "shutdown",
  "internal",
] as const;
/** Why a session ended. */
export type ByeReason = (typeof BYE_REASONS)[number];
export const byeReason = word(BYE_REASONS);

export const PRESENCES = ["offline", "available", "busy"] as const;
/** Whether a car can be driven. */
export type CarPresence = (typeof PRESENCES)[number];

export const CAR_ROLES = ["owner", "driver", "spectator"] as const;
/** What somebody may do with a car. */
export type CarRole = (typeof CAR_ROLES)[number];

/** A car in the list that drivers see. */
export interface CarInfo {
  readonly id: string;
  readonly name: string;
  readonly presence: Open<CarPresence>;
  /** Name of the driver, while it is busy. */
  readonly driver: string | null;
  readonly software: string | null;
  /** Account that it belongs to. */
  readonly owner: string | null;
  /** What the user may do with it; `null` on a car's own page, where everybody may everything. */
  readonly role: Open<CarRole> | null;
  /** `null` until the car has sent one. */
  readonly update: UpdateStatus | null;
}

export const carInfo: Read<CarInfo> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    id: shape.need("id", carId),
    name: shape.need("name", name),
    presence: shape.need("presence", word(PRESENCES)),
    driver: shape.maybe("driver", name),
    software: shape.maybe("software", software),
    owner: shape.maybe("owner", name),
    role: shape.maybe("role", word(CAR_ROLES)),
    update: shape.maybe("update", updateStatus),
  };
};

/** An ICE server (W3C WebRTC, `RTCIceServer`). */
export interface IceServer {
  readonly urls: string[];
  readonly username: string | null;
  readonly credential: string | null;
}

export const iceServer: Read<IceServer> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    urls: shape.need("urls", listOf(anyString)),
    username: shape.maybe("username", anyString),
    credential: shape.maybe("credential", anyString),
  };
};

/**
 * An ICE candidate (W3C WebRTC, `RTCIceCandidateInit`); an empty line means the end of candidates.
 */
export interface Candidate {
  readonly candidate: string;
  readonly sdp_mid: string | null;
  readonly sdp_m_line_index: number | null;
}

const MAX_CANDIDATE_BYTES = 512;

const candidateText: Read<string> = (value, field) => {
  const text = anyString(value, field);
  if (utf8Length(text) > MAX_CANDIDATE_BYTES)
    throw bad(field, `has more than ${MAX_CANDIDATE_BYTES} bytes`);
  if (/\p{Cc}/u.test(text)) throw bad(field, "holds a control character");
  return text;
};

export const candidate: Read<Candidate> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    candidate: shape.need("candidate", candidateText),
    sdp_mid: shape.maybe("sdp_mid", candidateText),
    sdp_m_line_index: shape.maybe("sdp_m_line_index", uint(16)),
  };
};
