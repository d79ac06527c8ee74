/** Bounded strings and identifiers, as in `crates/words/protocol/src/text.rs`. */

import { bad, boundedText, anyString, type Read } from "./json";

/** A name that people give to a car or to themselves. */
export const name = boundedText(64, /^\P{Cc}*$/u);
/** A car's identifier: the fingerprint of its key, base32. */
export const carId = boundedText(26, /^[a-z2-7]*$/u);
/** An SDP (RFC 8866). */
export const sdp = boundedText(49_152, /^[\r\n\P{Cc}]*$/u);
/** A short text for people. */
export const note = boundedText(256, /^\P{Cc}*$/u);
/** A program and its version. */
export const software = boundedText(64, /^[\x20-\x7e]*$/u);

/** A session between one driver and one car: 16 hexadecimal digits, not all zero. */
export const sessionId: Read<string> = (value, field) => {
  const text = anyString(value, field);
  if (!/^[0-9a-f]{16}$/iu.test(text) || /^0+$/u.test(text)) {
    throw bad(field, "is not 16 hexadecimal digits, not all zero");
  }
  // Written in lower case, so that two spellings of one session compare equal.
  return text.toLowerCase();
};
