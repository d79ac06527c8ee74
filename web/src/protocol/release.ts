/** Releases of the car's image, as in `crates/protocol/src/release.rs`. */

import { anyString, bad, oneOf, Shape, uint, utf8Length, type Read } from "./json";
import { note } from "./text";

/** semver.org, "Is there a suggested regular expression": numbers without leading zeros, then pre-release, then build. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/u;

/** Largest size of a version in bytes. */
const MAX_VERSION_BYTES = 64;

/** Version of an image, such as `0.4.0-dev.217`. */
export const version: Read<string> = (value, field) => {
  const text = anyString(value, field);
  const match = SEMVER.exec(text);
  if (match === null || utf8Length(text) > MAX_VERSION_BYTES) throw bad(field, "is not a semantic version");
  if (match.slice(1, 4).some((part) => BigInt(part) >= 2n ** 64n)) throw bad(field, "has a number that is too large");
  return text;
};

/** A share of a hundred. */
export const percent: Read<number> = (value, field) => {
  const share = uint(8)(value, field);
  if (share > 100) throw bad(field, "is more than 100");
  return share;
};

export const UPDATE_STATES = ["idle", "downloading", "waiting", "rebooting", "testing", "failed"] as const;
/** State of an update. */
export type UpdateState = (typeof UPDATE_STATES)[number];

/** How far a car is with its updates. */
export interface UpdateStatus {
  readonly state: UpdateState;
  /** Version of the image that runs. */
  readonly running: string;
  /** The version that is on its way, or was when it failed. */
  readonly version: string | null;
  /** How much of it is installed. */
  readonly percent: number | null;
  /** Bytes that travelled for it. */
  readonly bytes: number | null;
  /** Why it waits or failed; while idle: why the last attempt failed. */
  readonly reason: string | null;
}

export const updateStatus: Read<UpdateStatus> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    state: shape.need("state", oneOf(UPDATE_STATES)),
    running: shape.need("running", version),
    version: shape.maybe("version", version),
    percent: shape.maybe("percent", percent),
    bytes: shape.maybe("bytes", uint(53)),
    reason: shape.maybe("reason", note),
  };
};
