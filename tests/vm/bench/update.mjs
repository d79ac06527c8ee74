// The cost of an update, for docs/updates.md: bytes on the car's cable from the offer to
// "installed", compared with the size of the bundle.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { bundles } from '../lib/bundles.mjs';
import { image } from '../lib/images.mjs';
import { story } from '../lib/story.mjs';

story('bench update', {}, (car, step) => {
  const made = {};
  const figures = [];
  let share;
  const kinds = { 'our programs changed': 'application', 'everything changed': 'next' };

  step('releases are made', 1800, async () => {
    for (const kind of Object.values(kinds)) made[kind] = await bundles[kind]();
  });

  for (const [what, kind] of Object.entries(kinds)) {
    step(what, 1200, async () => {
      const { version, file } = made[kind];
      await car.flash({}, { size: 2 ** 31 });
      await car.powerOn();
      await car.online();
      await car.parkAtOnce();
      const before = sent(car.tap);
      const began = Date.now();
      await car.host.release(file);
      // The state `rebooting` shows for a moment only.
      await car.car(
        'the car has installed it',
        ({ update }) => update?.state === 'rebooting' || update?.running === version,
        900_000,
      );
      const [bytes, seconds] = [sent(car.tap) - before, (Date.now() - began) / 1000];
      await car.online(
        'it runs the release',
        ({ update }) => update?.running === version && update.state === 'idle',
      );
      // Otherwise the next card would install it.
      await car.host.cli('release', 'remove', version);
      const size = statSync(file).size;
      if (kind === 'application') share = bytes / size;
      figures.push(
        `${what}: bundle ${size} bytes, ${bytes} travelled (${((100 * bytes) / size).toFixed(1)} %), ${seconds.toFixed(0)} s to "installed"`,
      );
    });
  }

  step('figures', 10, async () => {
    console.log(`from ${image()}`);
    for (const line of figures) console.log(line);
    assert.equal(figures.length, Object.keys(kinds).length);
    assert.ok(
      share <= 0.1,
      `a change of our programs fetches ${(100 * share).toFixed(1)} % of the bundle`,
    );
  });
});

/**
 * All bytes that this machine sent over the cable to the car: payload, headers, the host's other
 * messages.
 */
function sent(tap) {
  // This file shows the interfaces of our namespace, /sys those of the machine's.
  const line = readFileSync('/proc/self/net/dev', 'utf8')
    .split('\n')
    .find((candidate) => candidate.trim().startsWith(`${tap}:`));
  return Number(line.split(':')[1].trim().split(/\s+/)[8]);
}
