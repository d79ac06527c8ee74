/** Reading and writing fixed-size binary frames, big-endian, as in `crates/protocol/src/cursor.rs`. */

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

/** Reads fields from a frame whose size and version were checked. */
export class FrameReader {
  readonly #view: DataView;
  #at = 1;

  constructor(bytes: ArrayBuffer | Uint8Array, size: number, version: number) {
    this.#view =
      bytes instanceof Uint8Array
        ? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new DataView(bytes);
    const got = this.#view.byteLength;
    const first = got > 0 ? this.#view.getUint8(0) : undefined;
    if (first !== undefined && first !== version) {
      throw new FrameError("version", `frame version ${first} is not supported, expected ${version}`);
    }
    if (got !== size) throw new FrameError("size", `frame has ${got} bytes, expected ${size}`);
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
    const value = this.i16();
    if (Math.abs(value) > limit) {
      throw new FrameError("range", `field ${field} holds ${value}, which is out of range`, field);
    }
    return value;
  }

  flags(known: number, field: string): number {
    const flags = this.u8();
    if ((flags & ~known) !== 0) throw new FrameError("reserved", `field ${field} holds bits that must be zero`, field);
    return flags;
  }

  zero(bytes: number, field: string): void {
    for (let i = 0; i < bytes; i += 1) {
      if (this.u8() !== 0) throw new FrameError("reserved", `field ${field} holds bits that must be zero`, field);
    }
  }

  /** Fields of `size` bytes in all that are there if `present`, and zero if not. */
  optional<T>(present: boolean, size: number, field: string, read: () => T): T | null {
    if (present) return read();
    this.zero(size, field);
    return null;
  }

  oneOf<T extends string>(names: readonly T[], field: string): T {
    const value = this.u8();
    const name = names[value];
    if (name === undefined)
      throw new FrameError("range", `field ${field} holds ${value}, which is out of range`, field);
    return name;
  }

  #skip(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}
