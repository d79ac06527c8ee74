// What is on a card after a power cut. Killing the emulator is a gentle cut: all that the car wrote
// is in this machine's page cache, flushed or not. A real card may lose every write that no flush
// has followed. It may also have done some of these writes, in any order, the last one only half.
// So the emulator records each write and flush of a run (QEMU's `blklogwrites`, in the format of
// Linux' dm-log-writes). From the record `Cuts` makes the card as it could be after a cut at any
// instant: all writes before the last flush, and a random part of the later ones. Not modelled: a
// card that lies about flushes, or that damages blocks that nobody wrote.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { Card } from './card.mjs';

const MAGIC = 0x6a736677736872n;
const SECTOR = 512;
const [FLUSH, FUA, DISCARD, MARK] = [1n, 2n, 4n, 8n];

/**
 * The records of a log, in order: `{ flush, fua, offset, length, at }`. `at` is the offset of the
 * data in the log; all are in bytes.
 */
export function readLog(file) {
  const log = openSync(file, 'r');
  try {
    const head = Buffer.alloc(SECTOR);
    readSync(log, head, 0, SECTOR, 0);
    if (head.readBigUInt64LE(0) !== MAGIC)
      throw new Error(`${file} is no write log; was the emulator ended with quit()?`);
    const [count, size] = [Number(head.readBigUInt64LE(16)), head.readUInt32LE(24)];
    const records = [];
    let at = size;
    for (let index = 0; index < count; index += 1) {
      readSync(log, head, 0, 32, at);
      const flags = head.readBigUInt64LE(16);
      // A discard has a length and no data. What was discarded may stay as it is.
      const length = flags & (DISCARD | MARK) ? 0 : Number(head.readBigUInt64LE(8)) * size;
      const offset = Number(head.readBigUInt64LE(0)) * size;
      records.push({
        flush: Boolean(flags & FLUSH),
        fua: Boolean(flags & FUA),
        offset,
        length,
        at: at + size,
      });
      at += size + length;
    }
    return records;
  } finally {
    closeSync(log);
  }
}

/**
 * Makes cards as they could be after cuts of one recorded run. Call `cut` with ascending instants.
 */
export class Cuts {
  #applied = 0;

  /**
   * `before` is a copy of the card from the beginning of the run; it is changed. `random()` returns
   * numbers from 0 to below 1.
   */
  constructor(before, log, random) {
    this.before = before;
    this.log = log;
    this.records = readLog(log);
    this.random = random;
  }

  /**
   * Returns `count` ascending instants: half of them uniform over the records, half over the gaps
   * between flushes, where order counts.
   */
  instants(count) {
    const flushes = this.records.flatMap(({ flush }, index) => (flush ? [index] : []));
    const any = (n) => Math.floor(this.random() * n);
    const between = () => {
      const nth = any(flushes.length);
      const start = nth === 0 ? 0 : flushes[nth - 1] + 1;
      return start + any(flushes[nth] - start + 1);
    };
    const pick = (index) => (index % 2 && flushes.length ? between() : any(this.records.length));
    return Array.from({ length: count }, (_, index) => pick(index)).sort((a, b) => a - b);
  }

  /** The card after a cut when `instant` records had been made; `what` says which it kept. */
  async cut(instant, file) {
    const flushed = this.records.slice(0, instant).findLastIndex(({ flush }) => flush) + 1;
    this.#write(this.before.file, this.records.slice(this.#applied, flushed));
    this.#applied = flushed;
    const card = await Card.flash(this.before.file, file);
    // Share of the later writes that arrive: from none to all.
    const luck = this.random();
    const pending = this.records.slice(flushed, instant).filter(({ length }) => length > 0);
    // A FUA write is on the card once it is done.
    const kept = pending.filter(({ fua }) => fua || this.random() < luck);
    const torn = kept.at(-1);
    const whole =
      torn && !torn.fua
        ? [
            ...kept.slice(0, -1),
            { ...torn, length: Math.floor((this.random() * torn.length) / SECTOR) * SECTOR },
          ]
        : kept;
    this.#write(card.file, whole);
    return {
      card,
      what: `instant ${instant} of ${this.records.length}, ${flushed} records flushed, ${kept.length} of ${pending.length} later writes kept`,
    };
  }

  #write(target, records) {
    const [from, to] = [openSync(this.log, 'r'), openSync(target, 'r+')];
    try {
      for (const { offset, length, at } of records) {
        const data = Buffer.alloc(length);
        readSync(from, data, 0, length, at);
        writeSync(to, data, 0, length, offset);
      }
    } finally {
      closeSync(from);
      closeSync(to);
    }
  }
}

/** Numbers from 0 to below 1 that depend on the seed only (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
