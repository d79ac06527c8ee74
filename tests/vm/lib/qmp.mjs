// QEMU's machine protocol: one JSON object per line, over a Unix socket.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { until } from '../../e2e/lib/wait.mjs';

export class Qmp {
  #replies = [];
  #listeners = new Set();

  static async open(path, within) {
    const qmp = new Qmp();
    await until(
      `the emulator listens on ${path}`,
      () =>
        new Promise((done) => {
          qmp.socket = connect(path, () => done(true)).on('error', () => done(false));
        }),
      { within },
    );
    qmp.socket.on('error', () => {});
    qmp.socket.on('close', () => {
      for (const { reject } of qmp.#replies.splice(0)) reject(new Error('the emulator has ended'));
    });
    const lines = createInterface({ input: qmp.socket });
    // readline passes the socket's errors on. `close` above already rejects all that wait.
    lines.on('error', () => {}).on('line', (line) => qmp.#handle(JSON.parse(line)));
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  execute(command, args = {}) {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) return reject(new Error(`${command}: the emulator has ended`));
      this.#replies.push({ command, resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  /** Resolves when the next event of that name comes. */
  event(name) {
    return new Promise((resolve) => {
      const listener = (message) => {
        if (message.event !== name) return;
        this.#listeners.delete(listener);
        resolve(message);
      };
      this.#listeners.add(listener);
    });
  }

  #handle(message) {
    if (message.event) return this.#listeners.forEach((listener) => listener(message));
    if (!('return' in message) && !message.error) return;
    const { command, resolve, reject } = this.#replies.shift();
    if (message.error) reject(new Error(`${command}: ${message.error.desc}`));
    else resolve(message.return);
  }
}
