// The power may be cut at any instant of the first boot and of an update. lib/writelog.mjs makes
// the cuts. RCCAR_VM_SEED repeats a run; RCCAR_VM_CUTS is the number of cuts for each of the two
// runs (12).
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { bundles } from '../lib/bundles.mjs';
import { Card } from '../lib/card.mjs';
import { Host } from '../lib/host.mjs';
import { BOOT } from '../lib/patience.mjs';
import { provision } from '../lib/provision.mjs';
import { story } from '../lib/story.mjs';
import { Vm } from '../lib/vm.mjs';
import { Cuts, seeded } from '../lib/writelog.mjs';

const SEED = Number(process.env.RCCAR_VM_SEED ?? Math.floor(Math.random() * 2 ** 32));
const CUTS = Number(process.env.RCCAR_VM_CUTS ?? 12);
// Cars that boot side by side.
const BENCHES = 2;

story('power cut', {}, (car, step) => {
  const runs = { boot: { name: 'boot' }, install: { name: 'install' } };

  step('a first boot is recorded', 460, async (test) => {
    test.diagnostic(`RCCAR_VM_SEED=${SEED}`);
    await car.flash();
    await record(runs.boot, () => car.online());
  });

  step('an update is recorded', 700, async () => {
    const { version, file } = await bundles.next();
    await record(runs.install, async () => {
      await car.online();
      await car.parkAtOnce();
      await car.host.release(file);
      const { id } = await car.online(
        'it runs the release',
        ({ update }) => update?.running === version && update.state === 'idle',
      );
      runs.install.id = id;
    });
  });

  step('a car always boots after a cut in its first boot', 250 * CUTS, (test) =>
    bootAfterCuts(test, runs.boot),
  );
  step('a car always boots after a cut in an update, and is still the same', 250 * CUTS, (test) =>
    bootAfterCuts(test, runs.install),
  );

  async function record(run, until) {
    run.before = await Card.flash(car.card.file, car.file(`${run.name}-before.img`));
    run.log = car.file(`${run.name}-writes.log`);
    await car.powerOn({ args: ['--write-log', run.log] });
    await until();
    await car.vm.quit();
  }

  async function bootAfterCuts(test, run) {
    const cuts = new Cuts(run.before, run.log, seeded(SEED));
    const instants = cuts.instants(CUTS);
    const bench = async (nth) => {
      const place = (name) => car.file(`${run.name}-bench${nth}/${name}`);
      const host = await Host.start(place('.'), place('host'), 8100 + nth);
      const watcher = await host.watch();
      const tap = await car.net.cable();
      try {
        while (instants.length > 0) {
          const { card, what } = await cuts.cut(instants.shift(), place('card.img'));
          await card.write(
            'provision.toml',
            provision({ host, owner: car.owner }, await host.enrolmentToken()),
          );
          const known = host.program.log().length;
          const log = place(`serial-${what.match(/\d+/)[0]}.log`);
          const vm = await Vm.start({ card, log, tap, mac: `52:54:00:77:01:0${nth}` });
          try {
            const seen = await watcher.when(
              'the car is online',
              () => host.program.log().slice(known).includes(' car online'),
              { within: BOOT },
            );
            const came = host.program
              .log()
              .slice(known)
              .match(/car online.* car=(\w+)/)[1];
            if (run.id) assert.equal(came, run.id, 'the car kept its key');
            test.diagnostic(
              `${what}: booted after ${vm.seconds().toFixed(0)} s (${seen.software})`,
            );
          } catch (error) {
            throw new Error(`${what} (RCCAR_VM_SEED=${SEED}): ${error.message}\nconsole: ${log}`);
          } finally {
            await vm.kill();
          }
        }
      } finally {
        watcher.close();
        await host.stop();
      }
    };
    await Promise.all(Array.from({ length: BENCHES }, (_, nth) => bench(nth)));
    for (const file of [run.log, run.before.file]) rmSync(file);
  }
});
