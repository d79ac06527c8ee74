// Stops of a car that drives, each by another failure, seen from outside.
import assert from 'node:assert/strict';
import { sleep, until } from '../../e2e/lib/wait.mjs';
import { MOTOR, micros, rests } from './outside.mjs';

/** GPIO17, wired to OE. */
const ENABLE = 17;

/** How long the car is left alone after a failure, in ms: longer than the promise. */
const REST = 600;

/** In µs: the drive keeps neutral for 3 s after the outputs went on (docs/drive.md). */
const SETTLED = 3_300_000;

/** Pulses that drive forward, in µs, and for how long they have to come, in µs. */
const [FORWARD, DRIVES_FOR] = [1600, 130_000];

/** From the failure to a motor at rest, in ms, as docs/drive.md promises. */
export const PROMISE = 250;

/**
 * What can fail, and how. `inside`: the driver in the card does it; else `ask` is asked of what is
 * outside, and `undo` afterwards; or the whole machine `halts`. `state`: of the drive, after it.
 * `brakes`: the drive itself ends the ride, with the brake if the ESC has one.
 */
export const FAILURES = {
  'no more set-points (link lost)': { inside: 'silent', state: 'Tripped', brakes: true },
  'the sample stands still': { inside: 'stale', state: 'Tripped', brakes: true },
  'the page is hidden': { inside: 'hidden', state: 'Tripped', brakes: true },
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

/** What nothing but the circuit on OE stops in time (docs/drive.md, "The heartbeat line"). */
export const CIRCUIT_FAILURES = {
  'SIGSTOP to drive and guard': { inside: 'stopped-both', state: 'Tripped' },
  'the machine halts': { halts: true },
};

const ALL = { ...FAILURES, ...CIRCUIT_FAILURES };

/** How the car is wired: its ESC, and where OE goes to. */
export const WIRINGS = {
  direct: { esc: 'direct', wired: 'line' },
  'brake-first': { esc: 'brake-first', wired: 'line' },
  'circuit on OE': { esc: 'direct', wired: 'circuit', heartbeat: 'GPIO22' },
};

/** The keys of `[drive]` with which a car can get every wiring. */
export const DRIVE = { actuator: 'pca9685', enable_line: 'GPIO17', esc: 'direct' };

export class Stops {
  #number = 0;
  #wiring = 'direct';
  /** By wiring and failure: `{ ms, seen, drives }` of each stop. */
  times = new Map();

  constructor(car, outside, inside) {
    this.car = car;
    this.outside = outside;
    this.inside = inside;
  }

  /** Wires the car in another way; its drive starts with that. */
  async wire(wiring) {
    const { esc, wired, heartbeat } = WIRINGS[wiring];
    this.#wiring = wiring;
    const edit = `/^kind/s/=.*/= "${esc}"/; /^heartbeat_line/d${heartbeat ? `; 1i heartbeat_line = "${heartbeat}"` : ''}`;
    const apply = `f=/run/rccar/config/drive.toml; sed '${edit}' $f >/run/rccar-wired && cat /run/rccar-wired >$f && rccar-drive --config $f check-config && systemctl restart rccar-drive`;
    await this.car.inside(
      `systemd-run -q --pipe --wait sh -ec "${apply.replaceAll(/["$]/g, '\\$&')}"`,
    );
    await this.outside.ask({ do: 'enable', wired });
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
    const failure = ALL[name];
    const { inside: fails, state } = failure;
    // A byte; the marks of the last ones are long gone when a number comes back.
    this.#number = (this.#number % 250) + 1;
    const number = this.#number;
    await this.#settled();
    const began = this.outside.seen.length;
    const task = {
      number,
      fails: fails ?? 'outside',
      after_ms: after,
      rests_ms: failure.ask ? 3000 : REST,
    };
    let [said, at, time] = [await this.inside.perform(task)];
    if (!fails && said.drives === number) {
      const over = this.inside.next();
      if (failure.halts) {
        [at, time] = await this.#halt();
        said = await over;
      } else {
        at = await this.outside.ask(failure.ask);
        said = await over;
        await sleep(REST);
      }
    }
    assert.equal(said.error, undefined, `${name}: ${said.error}`);
    const seen = this.outside.seen.slice(began);
    at ??= seen.find((one) => one.number === number)?.at;
    assert.ok(at, `${name}: no mark was seen`);
    const turned = !rests(seen.findLast((one) => one.channel === MOTOR && one.at < at));
    time ??= this.outside.stopped(at);
    if (failure.undo) await this.outside.ask(failure.undo);
    assert.ok(time, `${name}: the motor still turns`);
    if (!turned || !this.#wasDriving(seen, at)) return null;
    if (state) assert.equal(said.state, state, name);
    this.#checkBrake(name, failure, seen, at);
    const key = `${this.#wiring}: ${name}`;
    this.times.set(key, [...(this.times.get(key) ?? []), time]);
    return time;
  }

  /** Everything in there stands still for a while. */
  async #halt() {
    const { qmp } = this.car.vm;
    const at = micros();
    await qmp.execute('stop');
    try {
      await sleep(REST);
      return [at, this.outside.stopped(at)];
    } finally {
      await qmp.execute('cont');
    }
  }

  /**
   * Whether an ESC that brakes first would brake: the drive takes it for one that drives forward
   * after 100 ms of such pulses (docs/drive.md). A machine that halted just before has braked.
   */
  #wasDriving(seen, at) {
    if (WIRINGS[this.#wiring].esc !== 'brake-first') return true;
    const motor = seen.filter((one) => one.channel === MOTOR && one.at < at);
    const last = motor.findLastIndex((one) => !(one.micros >= FORWARD));
    return motor[last + 1] && at - motor[last + 1].at > DRIVES_FOR;
  }

  /** An ESC that brakes first gets its brake; another one never a pulse behind neutral. */
  #checkBrake(name, { brakes }, seen, at) {
    const isBehind = (one) => one.channel === MOTOR && one.wire === 'pulses' && one.micros < 1450;
    const behind = seen.filter((one) => isBehind(one) && one.at >= at);
    const has = WIRINGS[this.#wiring].esc === 'brake-first';
    if (!has) assert.deepEqual(behind, [], `${name}: backward`);
    else if (brakes) assert.ok(behind.length > 0, `${name}: no brake in ${JSON.stringify(seen)}`);
  }

  /** Waits until the outputs have been on for so long that the ESC has armed. */
  async #settled() {
    const isOn = () => {
      const line = this.outside.seen.findLast((one) => one.line === ENABLE);
      return line?.drives === 'low' && micros() - line.at > SETTLED;
    };
    await until('the outputs have been on for 3 s', isOn, { within: 90_000 });
  }

  /** A line of a table for each failure, how many stops that were, and the worst in ms. */
  summary() {
    const figures = [...this.times].map(([name, times]) => {
      const of = (key) => times.map((time) => time[key]).sort((a, b) => a - b);
      const [ms, seen, drives] = [of('ms'), of('seen'), of('drives')];
      const median = ms[Math.floor(ms.length / 2)];
      return `| ${[name, times.length, median, ms.at(-1), seen.at(-1), drives.at(-1)].join(' | ')} |`;
    });
    const all = [...this.times.values()].flat();
    const head =
      '| wiring: failure | stops | median | worst | worst, pulses at the ESC | worst, forward |';
    return {
      lines: [head, '|---|---|---|---|---|---|', ...figures],
      count: all.length,
      worst: Math.max(...all.map(({ ms }) => ms)),
    };
  }
}
