/** Reading and writing binary frames, big-endian, as in `crates/words/protocol/src/frame.rs`. */

import { greaseFrame } from "./grease";
import { wordOf, type Open } from "./words";

/**
 * Version in the first byte. Frames of version 1 cannot grow; from 2 on there are a head and groups
 * that a receiver may skip.
 */
export type FrameVersion = 1 | 2;
/** All versions that this page speaks, oldest first. */
export const FRAME_VERSIONS: readonly FrameVersion[] = [1, 2];
/** Largest frame in bytes. */
export const MAX_FRAME_BYTES = 512;

/** The newest version that this page and the other end know; 1 if there is none. */
export function newestVersion(versions: readonly number[]): FrameVersion {
  return FRAME_VERSIONS.filter((version) => versions.includes(version)).at(-1) ?? 1;
}

/** Why a binary frame was refused. */
export type FrameErrorKind = "size" | "version" | "reserved" | "range";

export class FrameError extends Error {
  override readonly name = "FrameError";

  constructor(
    readonly kind: FrameErrorKind,
    message: string,
    /** Field of `PROTOCOL.md`, if the error lies in one. */
    readonly field: string | null = null,
  ) {
    super(message);
  }
}

/** Sizes of a frame in bytes: of the whole frame of version 1, and of the head of version 2. */
export interface FrameSizes {
  readonly v1: number;
  readonly v2Head: number;
}

/** Reads fields in wire order. The constructor checks size and version. */
export class FrameReader {
  readonly version: FrameVersion;
  readonly #view: DataView;
  readonly #groups: ReadonlyMap<number, DataView>;
  #at = 1;

  constructor(bytes: ArrayBuffer | Uint8Array, sizes: FrameSizes) {
    this.#view =
      bytes instanceof Uint8Array
        ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new DataView(bytes);
    const got = this.#view.byteLength;
    if (got === 0) throw wrongSize(got, sizes.v1);
    const first = this.#view.getUint8(0);
    const version = FRAME_VERSIONS.find((known) => known === first);
    if (version === undefined)
      throw new FrameError("version", `frame version ${first} is not supported`);
    if (version === 1 && got !== sizes.v1) throw wrongSize(got, sizes.v1);
    if (version === 2 && got > MAX_FRAME_BYTES) throw wrongSize(got, MAX_FRAME_BYTES);
    if (version === 2 && got < sizes.v2Head) throw wrongSize(got, sizes.v2Head);
    this.version = version;
    this.#groups = readGroups(this.#view, version === 1 ? got : sizes.v2Head);
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#skip(2));
  }
  i16(): number {
    return this.#view.getInt16(this.#skip(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }
  i32(): number {
    return this.#view.getInt32(this.#skip(4));
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#skip(8));
  }

  /** A number between `-limit` and `limit`. */
  signed(limit: number, field: string): number {
    return within(this.i16(), limit, field);
  }

  /** Reads a byte of which only the bits `known` have a meaning here. */
  flags(known: number, field: string): number {
    const flags = this.u8();
    if (this.version === 1 && (flags & ~known) !== 0) throw reserved(field);
    return flags & known;
  }

  /** Bytes that must be zero in version 1 and are skipped in later ones. */
  zero(bytes: number, field: string): void {
    for (let i = 0; i < bytes; i += 1) {
      if (this.u8() !== 0 && this.version === 1) throw reserved(field);
    }
  }

  /** Reads fields of `size` bytes in all if they are `present`; if not, the bytes must be zero. */
  optional<T>(present: boolean, size: number, field: string, read: () => T): T | null {
    if (present) return read();
    this.zero(size, field);
    return null;
  }

  /**
   * Reads a word by its number, which is its index. Version 1 has only the first `inV1` words.
   */
  word<T extends string>(known: readonly T[], inV1: number, field: string): Open<T> {
    const number = this.u8();
    if (this.version === 1 && number >= inV1) throw outOfRange(number, field);
    return wordOf(known, number);
  }

  /** The group of this kind, of which this version knows the first `size` bytes. */
  group<T>(kind: number, size: number, read: (group: DataView) => T): T | null {
    const group = this.#groups.get(kind);
    if (!group) return null;
    if (group.byteLength < size) throw wrongSize(group.byteLength, size);
    return read(group);
  }

  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

/** A frame of version 2: a head, and groups in ascending order of their kinds. */
export function withGroups(
  head: ArrayBuffer,
  groups: readonly (readonly [number, ArrayBuffer] | null)[],
): Uint8Array<ArrayBuffer> {
  const bytes = [...new Uint8Array(head)];
  for (const group of groups) {
    if (group) bytes.push(group[0], group[1].byteLength, ...new Uint8Array(group[1]));
  }
  return greaseFrame(Uint8Array.from(bytes));
}

/** A number between `-limit` and `limit`, or an error that names its field. */
export function within(value: number, limit: number, field: string): number {
  if (Math.abs(value) > limit) throw outOfRange(value, field);
  return value;
}

function readGroups(view: DataView, from: number): ReadonlyMap<number, DataView> {
  const groups = new Map<number, DataView>();
  let last = -1;
  for (let at = from; at < view.byteLength;) {
    const length = at + 1 < view.byteLength ? view.getUint8(at + 1) : Infinity;
    if (at + 2 + length > view.byteLength) throw wrongSize(view.byteLength, MAX_FRAME_BYTES);
    const kind = view.getUint8(at);
    if (kind <= last) throw outOfRange(kind, "group");
    groups.set(kind, new DataView(view.buffer, view.byteOffset + at + 2, length));
    last = kind;
    at += 2 + length;
  }
  return groups;
}

function wrongSize(got: number, expected: number): FrameError {
  return new FrameError("size", `frame has ${got} bytes, expected ${expected}`);
}

function outOfRange(value: number, field: string): FrameError {
  return new FrameError("range", `field ${field} holds ${value}, which is out of range`, field);
}

function reserved(field: string): FrameError {
  return new FrameError("reserved", `field ${field} holds bits that must be zero`, field);
}
