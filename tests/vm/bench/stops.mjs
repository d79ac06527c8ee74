// Stops of a car that drives, by every failure in turn: STOPS (1000) of them, and the worst time to
// a motor at rest, seen from outside.
import assert from 'node:assert/strict';
import { Inside } from '../lib/inside.mjs';
import { MOTOR, Outside, carries } from '../lib/outside.mjs';
import { seconds } from '../lib/patience.mjs';
import { FAILURES, PROMISE, Stops } from '../lib/stops.mjs';
import { story } from '../lib/story.mjs';

const STOPS = Number(process.env.STOPS ?? 1000);
const names = Object.keys(FAILURES);
// In seconds: a drive that was killed starts again and keeps neutral for 3 s.
const EACH = 12;

story('bench stops', {}, (car, step) => {
  let stops;

  step('the board is at neutral', 460, async () => {
    const outside = await Outside.start(car.directory);
    car.atEnd(() => outside.stop());
    await car.flash({ drive: { actuator: 'pca9685', enable_line: 'GPIO17' } });
    await car.powerOn({ args: outside.args });
    await car.online();
    await car.addTestModules();
    const neutral = (wire) => carries(wire, 1500);
    await outside.when('neutral comes out', MOTOR, neutral, { within: seconds(90) });
    const inside = await Inside.start(car);
    car.atEnd(() => inside.stop());
    stops = new Stops(outside, inside);
  });

  step(`${STOPS} stops`, 60 + STOPS * EACH, async () => {
    try {
      for (let stop = 0; stop < STOPS; stop += 1) {
        // Not always at the same moment of the drive's second.
        await stops.fail(names[stop % names.length], { after: 200 + ((stop * 37) % 1000) });
      }
    } finally {
      for (const line of stops.summary().lines) console.log(line);
    }
    const { worst } = stops.summary();
    console.log(`${STOPS} stops, the worst: ${worst} ms`);
    assert.ok(worst <= PROMISE, `${worst} ms`);
  });
});
