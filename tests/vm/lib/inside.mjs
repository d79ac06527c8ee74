// A driver inside of an emulated car (tests/inside): fast and regular, for stops by the hundred.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { seconds } from './patience.mjs';
import { tool } from './tools.mjs';

const maker = new URL('../tools/inside', import.meta.url).pathname;

export class Inside {
  #waiting = [];

  /** Brings the driver into the car and starts it. `bus`: number of the I²C bus. */
  static async start(car, bus = 0) {
    const inside = new Inside();
    const program = (await tool(maker, [], { within: seconds(900) })).stdout.trim();
    const place = 'cat >/run/rccar-inside && chmod 755 /run/rccar-inside';
    const rights = 'systemd-run -q --pipe --wait';
    await car.inside(`${rights} sh -c '${place}'`, { input: readFileSync(program) });
    // While nobody drives, the car tells the drive so ten times a second.
    await car.inside(`${rights} systemctl stop rccar-car`);
    // Like the drive: what the card does beside it must not make it late.
    const run = `${rights} -p CPUSchedulingPolicy=fifo -p CPUSchedulingPriority=10 /run/rccar-inside ${bus}`;
    inside.process = spawn(...car.ssh.command(run), { stdio: ['pipe', 'pipe', 'pipe'] });
    inside.complaints = '';
    inside.process.stderr.on('data', (data) => (inside.complaints += data));
    inside.process.stdin.on('error', () => {});
    inside.process.on('exit', () => {
      for (const { reject } of inside.#waiting.splice(0)) {
        reject(new Error(`the driver inside has ended: ${inside.complaints}`));
      }
    });
    createInterface({ input: inside.process.stdout }).on('line', (line) => {
      const { resolve } = inside.#waiting.shift() ?? {};
      resolve?.(JSON.parse(line));
    });
    return inside;
  }

  /** Sends a task (tests/inside/src/main.rs); the next line that it says is the answer. */
  perform(task) {
    this.process.stdin.write(`${JSON.stringify(task)}\n`);
    return this.next();
  }

  next() {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  stop() {
    this.process.kill();
  }
}
