/** Quantities and numbers of the wire, as in `crates/words/protocol/src/units.rs`. */

/** Version of the signaling messages and of the JSON on the data channel `events`. */
export const PROTOCOL_VERSION = 1;
/** WebSocket subprotocol (RFC 6455 section 1.9). */
export const SUBPROTOCOL = "rccar.v1";
/** Largest JSON message in bytes, on any channel. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
/** Rate at which control frames are sent, in hertz. */
export const CONTROL_HZ = 50;
/** Clock rate of the video's RTP time stamps (RFC 6184 section 8.2.1). */
export const VIDEO_CLOCK_HZ = 90_000;
/** Full scale of steering and throttle: one permyriad is 1/10000. */
export const FULL_SCALE = 10_000;

/** The nearest legal steering or throttle for −1…1; NaN is neutral. */
export function permyriad(ratio: number): number {
  if (Number.isNaN(ratio)) return 0;
  const scaled = Math.min(1, Math.max(-1, ratio)) * FULL_SCALE;
  // Away from zero at halves, so that left and right are symmetrical; `+ 0` turns −0 into 0.
  return Math.sign(scaled) * Math.round(Math.abs(scaled)) + 0;
}

/** Milliseconds as a wrapping 32-bit count of microseconds. */
export function micros32(ms: number): number {
  return Math.floor(ms * 1000) >>> 0;
}

/** Whether the wrapping counter `a` is after `b` (serial number arithmetic, RFC 1982). */
export function isNewer(a: number, b: number): boolean {
  const ahead = (a - b) >>> 0;
  return ahead !== 0 && ahead < 2 ** 31;
}
