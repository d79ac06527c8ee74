/**
 * What the car takes (`crates/programs/provision/src/values`): each check answers `null`, or in
 * words what would be right. The car checks again; these spare a person the way to the card.
 */

export type Check = (text: string) => string | null;

const bytes = (text: string) => new TextEncoder().encode(text).length;
const CONTROL = /\p{Cc}/u;
/** Halves of characters, and the sign that stands for text that could not be read. */
const DAMAGED = /[\p{Cs}\ufffd]/u;

function plain(text: string, most: number, what: string): string | null {
  if (DAMAGED.test(text) || CONTROL.test(text)) {
    return `${what} holds a character that nobody can type. Type it by hand`;
  }
  const has = bytes(text);
  return has <= most ? null : `${what} has ${most} bytes at most, this has ${has}`;
}

/** 1 to 32 bytes (IEEE 802.11, section 9.4.2.2). */
export const ssid: Check = (text) => plain(text, 32, "The name of a network");

/** 8 to 63 characters of ASCII, or the key in 64 hexadecimal digits (IEEE 802.11, annex J.4). */
export const wifiPassword: Check = (text) => {
  if (/^[0-9a-f]{64}$/iu.test(text)) return null;
  if (!/^[\x20-\x7e]*$/u.test(text)) {
    return "A Wi-Fi password has letters without accents, digits, spaces and the signs of an English keyboard";
  }
  return text.length >= 8 && text.length <= 63
    ? null
    : `A Wi-Fi password has 8 to 63 characters, this has ${text.length}`;
};

export const carName: Check = (text) =>
  text.trim() === "" ? "The name is empty" : plain(text, 64, "The name");

/** User and password of a mobile network. */
export const shortText: Check = (text) => plain(text, 64, "This");

/** Labels between dots (3GPP TS 23.003 section 9.1). */
export const apn: Check = (text) =>
  text.length <= 100 && /^[\w-]{1,63}(\.[\w-]{1,63})*$/u.test(text)
    ? null
    : "An APN has letters, digits, hyphens and dots. The operator of the SIM card knows it";

/** 3GPP TS 31.101 section 9.5.1. */
export const pin: Check = (text) => (/^[0-9]{4,8}$/u.test(text) ? null : "A PIN has 4 to 8 digits");

export const line: Check = (text) =>
  /^[\x21-\x7e]{1,31}$/u.test(text) ? null : "A line has a name such as GPIO17, which is pin 11";

export const channel: Check = (text) =>
  /^[a-z0-9-]{1,32}$/u.test(text)
    ? null
    : "A channel is a word of small letters, digits and hyphens";

/** Which camera: `first`, a number, or a part of its name. */
export const device: Check = (text) =>
  text.trim() === "" ? "The name is empty" : plain(text, 128, "The name");

export function whole(least: number, most: number, step: number, unit: string): Check {
  return (text) => {
    const number = Number(text);
    if (/^[0-9]{1,9}$/u.test(text) && number >= least && number <= most && number % step === 0) {
      return null;
    }
    const kind = step === 2 ? "An even" : "A whole";
    return `${kind} number of ${unit} from ${least} to ${most}`;
  };
}

/** A fraction with three digits at most. */
export function fraction(least: number, most: number, unit: string): Check {
  return (text) =>
    /^[0-9](\.[0-9]{1,3})?$/u.test(text) && Number(text) >= least && Number(text) <= most
      ? null
      : `A number of ${unit} from ${least} to ${most}, such as 3.6`;
}

/**
 * An address under which a car finds the host, as far as text shows it; the host knows better and
 * is asked.
 */
export const address: Check = (text) => {
  const parts = /^(https?):\/\/([^/?#@\s]+)\/?$/iu.exec(text.trim());
  if (!parts) return "The address begins with http:// or https:// and ends with the host's name";
  return isLoopback(parts[2] ?? "")
    ? "For the car, that is the car itself. Put the address under which other machines reach the host"
    : null;
};

/** Whether a host with or without port means the machine that uses it (RFC 6761, RFC 1122). */
export function isLoopback(authority: string): boolean {
  const host = authority.toLowerCase().replace(/:\d*$/u, "").replace(/\.$/u, "");
  return /^(localhost|.*\.localhost|127(\.\d+){0,3}|0(\.0+){0,3}|\[::1?\]|\[::ffff:127\..*\])$/u.test(
    host,
  );
}
