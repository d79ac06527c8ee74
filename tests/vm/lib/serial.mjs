// The serial console of an emulated car: kept in a file with times, and searched while it grows.
import { createWriteStream } from 'node:fs';

// Colours, cursor movements, and questions that systemd asks the terminal.
const CONTROL =
  /\x1b(\[[0-9;?]*[A-Za-z]|[\]P][^\x07\x1b]*(\x07|\x1b\\)|[()].|[78=>c])|[\r\x00\x07]/g;

export class Serial {
  #waiting = new Set();
  #partial = '';
  #ended = null;

  /** Each line of the file begins with `clock()`. */
  constructor(stream, file, clock) {
    this.text = '';
    const log = createWriteStream(file, { flags: 'a' });
    stream.setEncoding('latin1');
    stream.on('data', (chunk) => {
      const lines = (this.#partial + chunk).split('\n');
      // An escape sequence may be cut in two; the last line waits for its rest.
      this.#partial = lines.pop();
      for (const line of lines) {
        const plain = line.replace(CONTROL, '');
        log.write(`[${clock()}] ${plain}\n`);
        this.text += `${plain}\n`;
      }
      this.#check();
    });
    stream.on('close', () => {
      log.end(`[${clock()}] ${this.#partial.replace(CONTROL, '')}\n`);
      this.#ended = new Error('the emulator has ended');
      this.#check();
    });
  }

  /** Where the console is now; `waitFor` with `since` looks only at what comes after it. */
  get position() {
    return this.text.length;
  }

  /** The output since a position, including the incomplete last line. */
  since(position = 0) {
    return this.text.slice(position) + this.#partial.replace(CONTROL, '');
  }

  /** Resolves with the match, once the console shows the expression. */
  waitFor(expression, { since = 0, within }) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const last = this.since(since).split('\n').slice(-8).join('\n');
        finish(
          reject,
          new Error(
            `not on the console within ${within / 1000} s: ${expression}; last lines:\n${last}`,
          ),
        );
      }, within);
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle(value);
      };
      const look = () => {
        const match = this.since(since).match(expression);
        if (match) finish(resolve, match);
        else if (this.#ended)
          finish(
            reject,
            new Error(`${this.#ended.message} before its console showed ${expression}`),
          );
      };
      this.#waiting.add(look);
      look();
    });
  }

  #check() {
    for (const look of [...this.#waiting]) look();
  }
}
