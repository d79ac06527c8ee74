// Stops of a car that drives, each by another failure, seen from outside.
import assert from 'node:assert/strict';
import { sleep, until } from '../../e2e/lib/wait.mjs';
import { MOTOR, micros, rests } from './outside.mjs';

/** How long the car is left alone after a failure, in ms: longer than the promise. */
const REST = 700;

/** In µs: the drive keeps neutral for 3 s after the outputs went on (docs/drive.md). */
const SETTLED = 3_300_000;

/** From the failure to a motor at rest, in ms, as docs/drive.md promises. */
export const PROMISE = 250;

/**
 * What can fail, and how. `inside`: the driver in the card does it; else `ask` is asked of what is
 * outside, and `undo` afterwards. `state`: of the drive, after it.
 */
export const FAILURES = {
  'no more set-points': { inside: 'silent', state: 'Tripped' },
  'SIGSTOP to the drive': { inside: 'stopped', state: 'Tripped' },
  'SIGKILL to the drive': { inside: 'killed' },
  'SIGABRT to the drive': { inside: 'aborted' },
  'SIGKILL to drive and guard': { inside: 'killed-both' },
  'one write is refused': { ask: { do: 'refuse', chip: 'board', times: 1 }, state: 'Tripped' },
  'the board refuses everything': {
    ask: { do: 'refuse', chip: 'board' },
    undo: { do: 'refuse', chip: 'board', times: 0 },
    state: 'Tripped',
  },
  'the bus hangs': { ask: { do: 'hang', ms: 10 }, undo: { do: 'hang' }, state: 'Tripped' },
  'the board is reset': { ask: { do: 'reset', chip: 'board' }, state: 'Tripped' },
  'the board is unplugged': {
    ask: { do: 'unplug', chip: 'board' },
    undo: { do: 'reset', chip: 'board' },
    state: 'Tripped',
  },
};

export class Stops {
  #number = 0;
  /** The times of each kind of failure: `{ ms, seen }`. */
  times = new Map();

  constructor(outside, inside) {
    this.outside = outside;
    this.inside = inside;
  }

  /** Drives for a while and fails; returns the time to rest. */
  async fail(name, options) {
    // When the emulator halts for a moment, the car rests before anything fails, as it must.
    for (let tries = 5; tries > 0; tries -= 1) {
      const time = await this.#try(name, options);
      if (time) return time;
    }
    throw new Error(`${name}: each time the motor rested before it`);
  }

  async #try(name, { after = 300 } = {}) {
    const { inside: fails, ask, undo, state } = FAILURES[name];
    // A byte; the marks of the last ones are long gone when a number comes back.
    this.#number = (this.#number % 250) + 1;
    const number = this.#number;
    await this.#settled();
    const began = this.outside.seen.length;
    const task = {
      number,
      fails: fails ?? 'outside',
      after_ms: after,
      rests_ms: fails ? REST : 3000,
    };
    let [said, at] = [await this.inside.perform(task)];
    if (!fails && said.drives === number) {
      const over = this.inside.next();
      at = await this.outside.ask(ask);
      said = await over;
      await sleep(REST);
    }
    assert.equal(said.error, undefined, `${name}: ${said.error}`);
    const seen = this.outside.seen.slice(began);
    at ??= seen.find((one) => one.number === number)?.at;
    assert.ok(at, `${name}: no mark was seen`);
    const turned = !rests(seen.findLast((one) => one.channel === MOTOR && one.at < at));
    const time = this.outside.stopped(at);
    if (undo) await this.outside.ask(undo);
    assert.ok(time, `${name}: the motor still turns`);
    if (!turned) return null;
    if (state) assert.equal(said.state, state, name);
    this.times.set(name, [...(this.times.get(name) ?? []), time]);
    return time;
  }

  /** Waits until the outputs have been on for so long that the ESC has armed. */
  async #settled() {
    const isOn = () => {
      const line = this.outside.seen.findLast(({ event }) => event === 'line');
      return line?.drives === 'low' && micros() - line.at > SETTLED;
    };
    await until('the outputs have been on for 3 s', isOn, { within: 90_000 });
  }

  /** A line for each failure, and the worst of all in ms. */
  summary() {
    const lines = [...this.times].map(([name, times]) => {
      const of = (key) => times.map((time) => time[key]).sort((a, b) => a - b);
      const [ms, seen] = [of('ms'), of('seen')];
      const median = ms[Math.floor(ms.length / 2)];
      return `${name}: ${times.length} stops, median ${median} ms, worst ${ms.at(-1)} ms (in the pulses that an ESC gets: ${seen.at(-1)} ms)`;
    });
    const worst = Math.max(...[...this.times.values()].flat().map(({ ms }) => ms));
    return { lines, worst };
  }
}
