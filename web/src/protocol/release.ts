/** Releases of the car's image, as in `crates/words/protocol/src/release.rs`. */

import { anyString, bad, bool, listOf, Shape, uint, utf8Length, type Read } from "./json";
import { note } from "./text";
import { word, type Open } from "./words";

/**
 * semver.org, "Is there a suggested regular expression": numbers without leading zeros, then
 * pre-release, then build.
 */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/u;

const MAX_VERSION_BYTES = 64;

/** Version of an image, such as `0.4.0-dev.217`. */
export const version: Read<string> = (value, field) => {
  const text = anyString(value, field);
  const match = SEMVER.exec(text);
  if (match === null || utf8Length(text) > MAX_VERSION_BYTES)
    throw bad(field, "is not a semantic version");
  if (match.slice(1, 4).some((part) => BigInt(part) >= 2n ** 64n))
    throw bad(field, "has a number that is too large");
  return text;
};

/** 0…100. */
export const percent: Read<number> = (value, field) => {
  const share = uint(8)(value, field);
  if (share > 100) throw bad(field, "is more than 100");
  return share;
};

export const UPDATE_STATES = [
  "idle",
  "downloading",
  "waiting",
  "rebooting",
  "testing",
  "failed",
] as const;
export type UpdateState = (typeof UPDATE_STATES)[number];

/** How far a car is with its updates. */
export interface UpdateStatus {
  readonly state: Open<UpdateState>;
  /** Version of the image that runs. */
  readonly running: string;
  /** The version that is on its way, or was when it failed. */
  readonly version: string | null;
  /** How much of `version` is installed. */
  readonly percent: number | null;
  /** Bytes that were transferred for it. */
  readonly bytes: number | null;
  /** Why it waits or failed; while idle: why the last attempt failed. */
  readonly reason: string | null;
  /** The version is installed if the owner asks for it. */
  readonly on_request: true | null;
}

export const updateStatus: Read<UpdateStatus> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    state: shape.need("state", word(UPDATE_STATES)),
    running: shape.need("running", version),
    version: shape.maybe("version", version),
    percent: shape.maybe("percent", percent),
    bytes: shape.maybe("bytes", uint(53)),
    reason: shape.maybe("reason", note),
    on_request: shape.maybe("on_request", bool) === true ? true : null,
  };
};

/** A release as the host lists it. */
export interface Release {
  readonly version: string;
  /** Board that it runs on, such as `rccar-rpi-arm64`. */
  readonly compatible: string;
  readonly size: number;
  readonly sha256: string;
  /** Subject of the certificate that signed it. */
  readonly signer: string;
  readonly notes: string | null;
  readonly channels: readonly string[];
  /** Share of the cars that it is offered to, in percent. */
  readonly rollout: number;
  readonly paused: boolean;
  /** Unix time in seconds. */
  readonly uploaded_at: number;
  /** Account; `null` means the command line. */
  readonly uploaded_by: string | null;
}

export const release: Read<Release> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    version: shape.need("version", version),
    compatible: shape.need("compatible", anyString),
    size: shape.need("size", uint(53)),
    sha256: shape.need("sha256", anyString),
    signer: shape.need("signer", anyString),
    notes: shape.maybe("notes", anyString),
    channels: shape.need("channels", listOf(anyString)),
    rollout: shape.need("rollout", percent),
    paused: shape.need("paused", bool),
    uploaded_at: shape.need("uploaded_at", uint(53)),
    uploaded_by: shape.maybe("uploaded_by", anyString),
  };
};

/** All releases, and which uploads the host takes. */
export interface ReleaseList {
  readonly max_bytes: number;
  /** Whether the host has a keyring to check signatures with. */
  readonly accepts_uploads: boolean;
  /** The newest first. */
  readonly releases: readonly Release[];
}

export const releaseList: Read<ReleaseList> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    max_bytes: shape.need("max_bytes", uint(53)),
    accepts_uploads: shape.need("accepts_uploads", bool),
    releases: shape.need("releases", listOf(release)),
  };
};
