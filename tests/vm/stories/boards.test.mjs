// The same card on the emulator's Raspberry Pis, as far as these go. docs/hardware.md says where
// they end, and why. raspi4b.test.mjs checks in every test run that a Pi 4B finds its root.
import assert from 'node:assert/strict';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

// Their card reader takes only sizes that are powers of two.
const size = 2 ** 31;
// The emulated card reader gives 250 to 1000 KB/s.
const LOADED = 300;
const REGISTERED = 900;

story('Raspberry Pi 3B', {}, (car, step) => {
  const see = (expression) => car.vm.serial.waitFor(expression, { within: seconds(LOADED) });

  step('the boot script chooses a slot and counts the attempt', 120, async () => {
    await car.flash({}, { size });
    await car.powerOn({ args: ['--machine', 'raspi3b', '--without-watchdog'] });
    await see(/rccar: slot A \(attempts left: A 2/);
  });

  step('the kernel starts from the card', LOADED + 20, () => see(/Starting kernel/));
  step('the verified root is mounted', LOADED + 20, () =>
    see(/rccar: root of slot A on \/dev\/mmcblk/),
  );
  step('the data partition grows to the card', LOADED + 20, () =>
    see(/rccar: growing the data partition/),
  );

  step('it registers over the USB of the chip', REGISTERED + 20, async (test) => {
    const seen = await car.online('the car is online', () => true, seconds(REGISTERED));
    assert.equal(seen.name, 'Emulated car');
    test.diagnostic(`registered ${car.vm.seconds().toFixed(0)} s after power-on`);
  });
});

story('Raspberry Pi 4B with a spoilt root', {}, (car, step) => {
  step('the boot script counts the attempt', LOADED + 20, async () => {
    const card = await car.flash({}, { size });
    card.scribble('rootA', 0, 4096);
    await car.powerOn({ args: ['--machine', 'raspi4b'] });
    await car.vm.serial.waitFor(/rccar: slot A \(attempts left: A 2/, { within: seconds(LOADED) });
  });

  step('the initial RAM disk restarts the machine, which costs the next one', 2 * LOADED + 20, () =>
    car.vm.serial.waitFor(/rccar: slot A \(attempts left: A 1/, { within: seconds(2 * LOADED) }),
  );
});
