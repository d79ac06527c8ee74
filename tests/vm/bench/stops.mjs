// Stops of a car that drives, by every failure in turn and with each kind of ESC: STOPS (1000) of
// them, and the worst time to a motor at neutral, seen from outside.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { Inside } from '../lib/inside.mjs';
import { MOTOR, Outside, carries } from '../lib/outside.mjs';
import { seconds } from '../lib/patience.mjs';
import { CIRCUIT_FAILURES, DRIVE, FAILURES, PROMISE, Stops } from '../lib/stops.mjs';
import { story } from '../lib/story.mjs';

const STOPS = Number(process.env.STOPS ?? 1000);
// In seconds: a drive that was killed starts again and keeps neutral for 3 s.
const EACH = 12;

const PARTS = [
  ['direct', Object.keys(FAILURES)],
  ['brake-first', Object.keys(FAILURES)],
  ['circuit on OE', Object.keys(CIRCUIT_FAILURES)],
];
const kinds = PARTS.flatMap(([, names]) => names).length;

story('bench stops', {}, (car, step) => {
  let stops;

  step('the board is at neutral', 460, async () => {
    const outside = await Outside.start(car.directory);
    car.atEnd(() => outside.stop());
    await car.flash({ drive: DRIVE });
    await car.powerOn({ args: outside.args });
    await car.online();
    await car.addTestModules();
    const neutral = (wire) => carries(wire, 1500);
    await outside.when('neutral comes out', MOTOR, neutral, { within: seconds(90) });
    const inside = await Inside.start(car);
    car.atEnd(() => inside.stop());
    stops = new Stops(car, outside, inside);
  });

  for (const [wiring, names] of PARTS) {
    const share = Math.ceil((STOPS * names.length) / kinds);
    step(`${share} stops, ${wiring}`, 120 + share * EACH, async () => {
      await stops.wire(wiring);
      try {
        for (let stop = 0; stop < share; stop += 1) {
          // Not always at the same moment of the drive's second.
          await stops.fail(names[stop % names.length], { after: 200 + ((stop * 37) % 1000) });
        }
      } finally {
        for (const line of stops.summary().lines) console.log(line);
        writeFileSync(car.file('stops.json'), JSON.stringify([...stops.times]));
        console.log(
          `${cpus()[0].model}, ${cpus().length} processors, load ${loadavg()[1].toFixed(1)}`,
        );
      }
    });
  }

  step('none was late', 10, async () => {
    const { count, worst } = stops.summary();
    console.log(`${count} stops, the worst: ${worst} ms`);
    assert.ok(count >= STOPS && worst <= PROMISE, `${count} stops, the worst ${worst} ms`);
  });
});
