/**
 * Close codes of the WebSocket, as in `PROTOCOL.md`, chapter "WebSocket". From 4400 on they follow
 * the HTTP status of the same meaning.
 */

export const CLOSE_CODES = {
  /** The host is stopping. */
  goingAway: 1001,
  /** A fault of the host. */
  internal: 1011,
  /** No usable first message in time, or another version. */
  handshake: 4400,
  /** Nobody is signed in, or the right was revoked. */
  notSignedIn: 4401,
  /** The car may not register here. */
  forbidden: 4403,
  /** The receiver read too slowly. */
  slowReader: 4408,
  /** The same car connected again. */
  replaced: 4409,
  /** A message was larger than is allowed. */
  tooLarge: 4413,
  /** Too many messages, for too long. */
  rateLimited: 4429,
} as const;

/** Shortest wait before coming back after `rateLimited`, in ms. */
export const RATE_LIMITED_WAIT_MS = 5_000;
