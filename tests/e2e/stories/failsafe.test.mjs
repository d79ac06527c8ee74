// Kills the car's program while it drives, again and again; each time the car must go to neutral.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

const KILLS = Number(process.env.KILLS ?? 100);
/**
 * Neutral by 250 ms after the last fresh input, and 100 ms more for a busy machine.
 */
const LIMIT_MS = 350;

/** Cars that are killed side by side: most of the time each waits to be driven again. */
const CARS = 2;

/** Kills one car so many times; each time from the last fresh input to neutral, in ms. */
async function kill(times) {
  const world = await World.start();
  const browser = await launch();
  const found = [];
  try {
    const cockpit = await Cockpit.open(browser, world);
    while (found.length < times) {
      await cockpit.live();
      await cockpit.drive(
        ['KeyW'],
        'the car drives',
        ({ telemetry: t }) => t.state === 'armed' && t.throttle > 1000,
      );
      const before = world.trace().length;
      world.car.process.kill('SIGKILL');
      const neutral = await until('the wheels are at neutral', () =>
        world
          .trace()
          .slice(before)
          .find((line) => line.state === 'tripped' && line.output?.motor === 'neutral'),
      );
      // Both by the drive's own clock: when the output changed, and when the last fresh input was
      // sampled.
      found.push((neutral.at - neutral.input) / 1000);
      await cockpit.page.keyboard.up('KeyW');
      await world.car.exited;
      await world.startCar();
      await cockpit.page.reload();
    }
  } finally {
    await browser.close();
    await world.stop();
  }
  return found;
}

describe('failsafe', () => {
  it(`${KILLS} kills of the car service leave the wheels at neutral in time`, async () => {
    const share = Math.ceil(KILLS / CARS);
    const found = await Promise.all(Array.from({ length: CARS }, () => kill(share)));
    const times = found.flat().sort((a, b) => a - b);
    const at = (q) => times[Math.min(times.length - 1, Math.floor(q * times.length))].toFixed(1);
    console.log(
      `last fresh input → neutral, ms, ${times.length} kills: median ${at(0.5)}, p95 ${at(0.95)}, worst ${at(1)}`,
    );
    assert.equal(times.length, share * CARS);
    assert.ok(times.at(-1) <= LIMIT_MS, `worst ${times.at(-1)} ms`);
  });
});
