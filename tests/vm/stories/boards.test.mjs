// The same card on the emulator's Raspberry Pis, as far as these go. docs/hardware.md says where
// they end, and why. raspi4b.test.mjs checks in every test run that a Pi 4B finds its root.
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

// Their card reader takes only sizes that are powers of two.
const size = 2 ** 31;
// The emulated card reader gives 250 to 1000 KB/s.
const LOADED = 300;

story('Raspberry Pi 3B', {}, (car, step) => {
  const see = (expression) => car.vm.serial.waitFor(expression, { within: seconds(LOADED) });

  step('the boot script chooses a slot and counts the attempt', 120, async () => {
    await car.flash({}, { size });
    await car.powerOn({ args: ['--machine', 'raspi3b'] });
    await see(/rccar: slot A \(attempts left: A 2/);
  });

  step('the kernel starts from the card', LOADED + 20, () => see(/Starting kernel/));
  step('the verified root is mounted', LOADED + 20, () =>
    see(/rccar: root of slot A on \/dev\/mmcblk/),
  );
  step('the data partition grows to the card', LOADED + 20, () =>
    see(/rccar: growing the data partition/),
  );
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
