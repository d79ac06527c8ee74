// The partitions of a disk image, from its GUID partition table (UEFI specification, chapter 5.3).
import { closeSync, openSync, readSync } from 'node:fs';

const SECTOR = 512;

/** `{ name: { offset, size } }`, in bytes. */
export function partitions(image) {
  const file = openSync(image, 'r');
  try {
    const header = read(file, SECTOR, SECTOR);
    if (header.toString('latin1', 0, 8) !== 'EFI PART')
      throw new Error(`${image} has no GUID partition table`);
    const [entries, count, length] = [
      Number(header.readBigUInt64LE(72)),
      header.readUInt32LE(80),
      header.readUInt32LE(84),
    ];
    const table = read(file, entries * SECTOR, count * length);
    const found = {};
    for (let at = 0; at < table.length; at += length) {
      const [first, last] = [
        Number(table.readBigUInt64LE(at + 32)),
        Number(table.readBigUInt64LE(at + 40)),
      ];
      if (first === 0) continue;
      const name = table.toString('utf16le', at + 56, at + 128).replace(/\0.*$/, '');
      found[name] = { offset: first * SECTOR, size: (last - first + 1) * SECTOR };
    }
    return found;
  } finally {
    closeSync(file);
  }
}

function read(file, position, length) {
  const buffer = Buffer.alloc(length);
  readSync(file, buffer, 0, length, position);
  return buffer;
}
