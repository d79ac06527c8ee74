// After a modelled power cut the card has all that was flushed, and nothing that was not written.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { Card } from '../lib/card.mjs';
import { Cuts, readLog, seeded } from '../lib/writelog.mjs';

const SECTOR = 512;
const SECTORS = 64;
const directory = mkdtempSync(join(tmpdir(), 'rccar-writelog-'));
after(() => rmSync(directory, { recursive: true }));

/** A log as QEMU writes it: `n` fills sector n with n+1, `'flush'` is a flush. */
function logOf(events) {
  const head = Buffer.alloc(SECTOR);
  head.writeBigUInt64LE(0x6a736677736872n, 0);
  head.writeBigUInt64LE(1n, 8);
  head.writeBigUInt64LE(BigInt(events.length), 16);
  head.writeUInt32LE(SECTOR, 24);
  const records = events.flatMap((event) => {
    const record = Buffer.alloc(SECTOR);
    if (event === 'flush') {
      record.writeBigUInt64LE(1n, 16);
      return [record];
    }
    record.writeBigUInt64LE(BigInt(event), 0);
    record.writeBigUInt64LE(1n, 8);
    return [record, Buffer.alloc(SECTOR, event + 1)];
  });
  const file = join(directory, 'log');
  writeFileSync(file, Buffer.concat([head, ...records]));
  return file;
}

const blank = () => {
  const file = join(directory, 'before');
  writeFileSync(file, Buffer.alloc(SECTOR * SECTORS));
  return new Card(file);
};

/** Numbers of the sectors that were written. */
const written = (file) => {
  const bytes = readFileSync(file);
  return Array.from({ length: SECTORS }, (_, n) => n).filter(
    (n) => bytes[n * SECTOR] === n + 1 && bytes[(n + 1) * SECTOR - 1] === n + 1,
  );
};

it('a log tells writes and flushes', () => {
  const records = readLog(logOf([3, 'flush', 5]));
  assert.deepEqual(
    records.map(({ flush, offset, length }) => ({ flush, offset, length })),
    [
      { flush: false, offset: 3 * SECTOR, length: SECTOR },
      { flush: true, offset: 0, length: 0 },
      { flush: false, offset: 5 * SECTOR, length: SECTOR },
    ],
  );
});

it('what was flushed survives every cut, and what came later never does', async () => {
  const log = logOf([1, 2, 'flush', 10, 11, 12, 13, 'flush', 20]);
  for (let seed = 0; seed < 30; seed += 1) {
    const cuts = new Cuts(blank(), log, seeded(seed));
    for (const instant of cuts.instants(6)) {
      const { card } = await cuts.cut(instant, join(directory, 'card'));
      const seen = written(card.file);
      const flushed = instant >= 8 ? [1, 2, 10, 11, 12, 13] : instant >= 3 ? [1, 2] : [];
      const begun = [1, 2, null, 10, 11, 12, 13, null, 20]
        .slice(0, instant)
        .filter((n) => n !== null);
      assert.ok(
        flushed.every((n) => seen.includes(n)),
        `seed ${seed}, instant ${instant}: ${seen}`,
      );
      assert.ok(
        seen.every((n) => begun.includes(n)),
        `seed ${seed}, instant ${instant}: ${seen}`,
      );
    }
  }
});

it('writes after the last flush are lost one by one, not all or none', async () => {
  const log = logOf(['flush', ...Array.from({ length: 20 }, (_, n) => n)]);
  const counts = new Set();
  for (let seed = 0; seed < 30; seed += 1) {
    const { card } = await new Cuts(blank(), log, seeded(seed)).cut(21, join(directory, 'card'));
    counts.add(written(card.file).length);
  }
  assert.ok(counts.size > 5, `kept ${[...counts]}`);
});

it('the same seed makes the same cuts', () => {
  const log = logOf([1, 'flush', 2, 'flush', 3]);
  const instants = () => new Cuts(blank(), log, seeded(7)).instants(8);
  assert.deepEqual(instants(), instants());
});
