// An SD card: a sparse copy of the image, and what a person could do to it in a card reader. Use it
// only while no car runs from it.
import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { partitions } from './gpt.mjs';
import { tool } from './tools.mjs';

export class Card {
  /** `size` in bytes: a card larger than the image, as most are. */
  static async flash(image, file, size) {
    await tool('cp', ['--sparse=always', '--reflink=auto', '--no-preserve=mode', image, file]);
    if (size > statSync(file).size) truncateSync(file, size);
    return new Card(file);
  }

  constructor(file) {
    this.file = file;
  }

  partition(name) {
    const found = partitions(this.file)[name];
    if (!found) throw new Error(`${this.file} has no partition ${name}`);
    return found;
  }

  /** A file on the partition that every computer shows; null if there is none. */
  async read(name) {
    const { code, stdout } = await tool('mtype', ['-i', this.#fat, `::${name}`], { may: [0, 1] });
    return code === 0 ? stdout : null;
  }

  async write(name, text) {
    await tool('mcopy', ['-o', '-i', this.#fat, '-', `::${name}`], { input: text });
  }

  async list() {
    return (await tool('mdir', ['-b', '-i', this.#fat, '::'])).stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace('::/', ''));
  }

  get #fat() {
    return `${this.file}@@${this.partition('fw').offset}`;
  }

  /** Runs commands of debugfs on the data partition. */
  async data(...commands) {
    const { offset } = this.partition('data');
    return (
      await tool('debugfs', ['-w', '-f', '-', `${this.file}?offset=${offset}`], {
        input: commands.join('\n'),
      })
    ).stdout;
  }

  /**
   * Replays the journal of the data partition, and checks and repairs its file system. The exit
   * code says whether there was a fault.
   */
  async checkData() {
    const { offset } = this.partition('data');
    return tool('e2fsck', ['-f', '-y', `${this.file}?offset=${offset}`], { may: [0, 1, 2, 4] });
  }

  /** Writes noise over a part of a partition. */
  scribble(name, from, length) {
    const { offset, size } = this.partition(name);
    if (from + length > size) throw new Error(`${name} is only ${size} bytes`);
    this.put(offset + from, randomBytes(length));
  }

  /** Writes bytes at an offset of the card. */
  put(offset, bytes) {
    const file = openSync(this.file, 'r+');
    try {
      writeSync(file, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(file);
    }
  }
}
