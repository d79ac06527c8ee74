/**
 * Reads JSON and checks every field. All values that a reader returns are legal; unknown fields are
 * ignored.
 */

import { MAX_MESSAGE_BYTES } from "./units";

/** Why a JSON message was refused. */
export class MessageError extends Error {
  override readonly name = "MessageError";

  constructor(
    readonly code: "malformed" | "unknown-type" | "too-large",
    message: string,
  ) {
    super(message);
  }
}

/** Reads one value, or throws a `MessageError` that names the field. */
export type Read<T> = (value: unknown, field: string) => T;

type Fields = Record<string, unknown>;

/** An object's fields, read one by one. */
export class Shape {
  readonly #fields: Fields;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw bad(path, "is not an object");
    this.#fields = value as Fields;
    this.#path = path;
  }

  need<T>(key: string, read: Read<T>): T {
    if (!Object.hasOwn(this.#fields, key)) throw bad(this.#name(key), "is missing");
    return read(this.#fields[key], this.#name(key));
  }

  /** `null` and absence are the same. */
  maybe<T>(key: string, read: Read<T>): T | null {
    const value = Object.hasOwn(this.#fields, key) ? this.#fields[key] : null;
    return value === null || value === undefined ? null : read(value, this.#name(key));
  }

  /** Absence stands for `fallback`; `null` is illegal. */
  orElse<T>(key: string, read: Read<T>, fallback: T): T {
    return Object.hasOwn(this.#fields, key) ? this.need(key, read) : fallback;
  }

  #name(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}

/** Parses the text of one message and checks its size and its `type`. */
export function openMessage<T extends string>(
  text: string,
  types: readonly T[],
): { type: T; shape: Shape } {
  const bytes = utf8Length(text);
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new MessageError(
      "too-large",
      `message has ${bytes} bytes, at most ${MAX_MESSAGE_BYTES} are allowed`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new MessageError("malformed", `message is not JSON: ${String(error)}`);
  }
  const shape = new Shape(value, "");
  const type = shape.need("type", anyString);
  const known = types.find((name) => name === type);
  if (known === undefined)
    throw new MessageError("unknown-type", `message type ${type.slice(0, 64)} is not known`);
  return { type: known, shape };
}

export const anyString: Read<string> = (value, field) => {
  // A lone surrogate cannot be UTF-8, so no peer can have meant it.
  if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) throw bad(field, "is not a text");
  return value;
};

export const bool: Read<boolean> = (value, field) => {
  if (typeof value !== "boolean") throw bad(field, "is not true or false");
  return value;
};

/** An unsigned integer of `bits` bits that is at least `least`. */
export function uint(bits: 8 | 16 | 32 | 53, least = 0): Read<number> {
  return (value, field) => {
    if (
      typeof value !== "number" ||
      !Number.isInteger(value) ||
      value < least ||
      value >= 2 ** bits
    ) {
      throw bad(field, `is not a whole number from ${least} to ${2 ** bits - 1}`);
    }
    return value;
  };
}

export function oneOf<T extends string>(names: readonly T[]): Read<T> {
  return (value, field) => {
    const name = names.find((candidate) => candidate === value);
    if (name === undefined) throw bad(field, "holds a word that is not known");
    return name;
  };
}

export function listOf<T>(read: Read<T>): Read<T[]> {
  return (value, field) => {
    if (!Array.isArray(value)) throw bad(field, "is not a list");
    return value.map((item, index) => read(item, `${field}[${index}]`));
  };
}

/**
 * A text of 1…`maxBytes` UTF-8 bytes that is not blank and in which `allowed` matches from end to
 * end.
 */
export function boundedText(maxBytes: number, allowed: RegExp): Read<string> {
  return (value, field) => {
    const text = anyString(value, field);
    if (/^\p{White_Space}*$/u.test(text)) throw bad(field, "is empty");
    const bytes = utf8Length(text);
    if (bytes > maxBytes) throw bad(field, `has ${bytes} bytes, at most ${maxBytes} are allowed`);
    if (!allowed.test(text)) throw bad(field, "holds a character that is not allowed");
    return text;
  };
}

export function bad(field: string, problem: string): MessageError {
  return new MessageError("malformed", `field ${field} ${problem}`);
}

export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
