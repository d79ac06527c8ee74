// A card that moves a servo and an ESC by a PCA9685 board, seen from outside of the emulator, pulse
// by pulse.
import assert from 'node:assert/strict';
import { Inside } from '../lib/inside.mjs';
import { MOTOR, Outside, STEERING, carries, micros, rests } from '../lib/outside.mjs';
import { seconds } from '../lib/patience.mjs';
import { CIRCUIT_FAILURES, DRIVE, FAILURES, PROMISE, Stops } from '../lib/stops.mjs';
import { story } from '../lib/story.mjs';

const slow = { within: seconds(90) };

/** Flashes a card for a board and switches it on, with the drivers of the emulated bus. */
async function boot(car) {
  const outside = await Outside.start(car.directory);
  car.atEnd(() => outside.stop());
  await car.flash({ drive: DRIVE });
  await car.powerOn({ args: outside.args });
  await car.online();
  await car.addTestModules();
  return outside;
}

/** Holds keys in the cockpit until both wires satisfy the condition, then lets go. */
async function hold(cockpit, outside, keys, what, condition) {
  const holds = () => condition(outside.wire(MOTOR).micros, outside.wire(STEERING).micros);
  await cockpit.drive(keys, what, holds, slow);
  for (const key of keys) await cockpit.page.keyboard.up(key);
}

story('outside', {}, (car, step) => {
  let outside, cockpit, stops;

  step('without the bus the car registers, and nothing comes out of the board', 460, async () => {
    outside = await boot(car);
    await outside.when('neutral comes out', MOTOR, (wire) => carries(wire, 1500), slow);
    await outside.when('the wheels are straight', STEERING, (wire) => carries(wire, 1500), slow);
  });

  step('OE was high until neutral was in the board', 10, async () => {
    const lines = outside.seen.filter(({ event }) => event === 'line');
    assert.deepEqual(lines[0], { event: 'line', at: lines[0].at, line: 17, drives: 'high' });
    const on = lines.find(({ drives }) => drives === 'low');
    for (const output of outside.seen.filter(({ event }) => event === 'output')) {
      assert.ok(output.at >= on.at, JSON.stringify(outside.seen));
      assert.ok(carries(output, 1500), JSON.stringify(output));
    }
  });

  step('from Chromium: steers, drives, brakes, and reverses', 400, async () => {
    cockpit = await car.drive();
    await cockpit.live(slow);
    await cockpit.arm(slow);
    assert.ok(carries(outside.wire(MOTOR), 1500), 'arming moves nothing');
    const held = (...args) => hold(cockpit, outside, ...args);
    await held(['ArrowRight', 'ArrowUp'], 'right and forward', (m, s) => m > 1600 && s > 1900);
    await outside.when('the motor rests', MOTOR, (wire) => carries(wire, 1500), slow);
    await outside.when('the wheels are straight', STEERING, (wire) => carries(wire, 1500), slow);
    await held(['ArrowLeft', 'ArrowDown'], 'left and backward', (m, s) => m < 1450 && s < 1100);
    await outside.when('the motor rests', MOTOR, (wire) => carries(wire, 1500), slow);
    await held(['ArrowUp'], 'forward', (m) => m > 1600);
    await cockpit.page.keyboard.press('Space', { delay: 500 });
    // This kind of ESC would drive backward.
    const behind = outside.seen
      .slice(-40)
      .filter(({ channel, micros: m }) => channel === MOTOR && m < 1495);
    assert.deepEqual(behind, [], 'the brake is neutral');
  });

  step('the cable is pulled out while the car drives', 240, async (test) => {
    await cockpit.drive(['ArrowUp'], 'forward', () => outside.wire(MOTOR).micros > 1600, slow);
    const at = micros();
    await car.vm.plug(false);
    await outside.when('the motor rests', MOTOR, rests, slow);
    await cockpit.page.keyboard.up('ArrowUp');
    const { ms } = outside.stopped(at);
    test.diagnostic(`the motor rests ${ms} ms after the cable was pulled`);
    assert.ok(ms <= PROMISE, `${ms} ms`);
    await car.vm.plug(true);
    await cockpit.close();
  });

  step('whatever fails, the motor rests in time, whatever the ESC does', 1500, async (test) => {
    const inside = await Inside.start(car);
    car.atEnd(() => inside.stop());
    stops = new Stops(car, outside, inside);
    for (const wiring of ['direct', 'brake-first']) {
      await stops.wire(wiring);
      for (const name of Object.keys(FAILURES)) await stops.fail(name);
    }
    await stops.wire('circuit on OE');
    for (const name of Object.keys(CIRCUIT_FAILURES)) await stops.fail(name);
    const { lines, worst } = stops.summary();
    for (const line of lines) test.diagnostic(line);
    assert.ok(worst <= PROMISE, lines.join('\n'));
  });
});
