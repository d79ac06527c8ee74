// What is wired to an emulated car, outside of it: `rccar-outside` (tests/outside) with a servo
// board, a battery sensor and GPIO lines. It sees each pulse; its times are `process.hrtime`'s.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { mkdtempSync, rmSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../../e2e/lib/programs.mjs';
import { until } from '../../e2e/lib/wait.mjs';

/** Channels of the board, as a car has them that is set up by the words of provision.toml alone. */
export const [STEERING, MOTOR] = [0, 1];
/** Pulses are counted in steps of 4.9 µs. */
const STEP = 5;

/** Whether a wire carries pulses of this length in µs. */
export const carries = (wire, micros) =>
  wire?.wire === 'pulses' && Math.abs(wire.micros - micros) <= STEP;

/** Whether an ESC with this wire lets the motor rest. */
export const rests = (wire, neutral = 1500) => wire?.wire !== 'pulses' || carries(wire, neutral);

/** This machine's time as `rccar-outside` has it, in µs. */
export const micros = () => Number(process.hrtime.bigint() / 1000n);

export class Outside {
  /** What was seen, oldest first. */
  seen = [];
  /** The last `output` of each channel. */
  outputs = [];
  #answers = [];

  /** The log, and what was seen, go to `directory`. */
  static async start(directory) {
    const outside = new Outside();
    // A Unix socket's path has at most 107 bytes, and the checkout may be deep.
    outside.folder = mkdtempSync(join(tmpdir(), 'rccar-outside-'));
    outside.program = new Program('rccar-outside', [outside.folder], directory);
    const path = join(outside.folder, 'control');
    await until('rccar-outside listens', () => {
      if (!outside.program.running) throw new Error(`it has ended:\n${outside.program.log()}`);
      return new Promise((done) => {
        outside.socket = connect(path, () => done(true)).on('error', () => done(false));
      });
    });
    const record = join(directory, 'outside.jsonl');
    const lines = createInterface({ input: outside.socket });
    lines
      .on('error', () => {})
      .on('line', (line) => {
        appendFileSync(record, `${line}\n`);
        outside.#handle(JSON.parse(line));
      });
    return outside;
  }

  /** Arguments of the emulator. */
  get args() {
    return ['--car', this.folder];
  }

  /** A request of tests/outside/src/control.rs; returns its answer. */
  ask(request) {
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) return reject(new Error('rccar-outside has ended'));
      this.#answers.push({ resolve, reject });
      this.socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** What a channel carries now. */
  wire(channel) {
    return this.outputs[channel];
  }

  /** Waits until the wire of a channel satisfies the condition; returns it. */
  when(what, channel, condition, options) {
    const look = () => condition(this.wire(channel)) && (this.wire(channel) ?? true);
    return until(what, look, options).catch((error) => {
      throw new Error(`${error.message}\nlast: ${JSON.stringify(this.outputs.slice(0, 2))}`);
    });
  }

  /** What was seen from a time on. */
  since(at) {
    return this.seen.filter((seen) => seen.at >= at);
  }

  /**
   * When the motor came to rest after `at`, for the rest of what was seen: the time until then in
   * ms, until the ESC had the first such pulse, and until there was no more pulse forward (a brake
   * is none). `null`: it still turns.
   */
  stopped(at, neutral = 1500) {
    if (!rests(this.wire(MOTOR), neutral)) return null;
    const motor = this.seen.filter(({ event, channel }) => event === 'output' && channel === MOTOR);
    const last = motor.findLastIndex((wire) => !rests(wire, neutral));
    const rested = motor[last + 1];
    if (!rested || rested.at < at) return { ms: 0, seen: 0, drives: 0 };
    const since = (time) => Math.round((time - at) / 100) / 10;
    const forward = (wire) => !rests(wire, neutral) && wire.micros > neutral;
    const ends = motor[motor.findLastIndex(forward) + 1];
    return {
      ms: since(rested.at),
      seen: since(rested.seen ?? rested.at),
      drives: Math.max(0, since(ends.at)),
    };
  }

  #handle(message) {
    if (!message.event) {
      const { resolve, reject } = this.#answers.shift();
      if (message.error) return reject(new Error(message.error));
      return resolve(message.answer);
    }
    this.seen.push(message);
    if (message.event === 'output') this.outputs[message.channel] = message;
  }

  async stop() {
    this.socket?.destroy();
    await this.program.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
