// The same card on the emulator's Raspberry Pis, as far as these go. Where they end, and why, is in docs/hardware.md.
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
  step('the verified root is mounted', LOADED + 20, () => see(/rccar: root of slot A on \/dev\/mmcblk/));
  step('the data partition grows to the card', LOADED + 20, () => see(/rccar: growing the data partition/));
});

story('Raspberry Pi 4B', {}, (car, step) => {
  step('the boot script chooses a slot and counts the attempt', 120, async () => {
    await car.flash({}, { size });
    await car.powerOn({ args: ['--machine', 'raspi4b'] });
    await car.vm.serial.waitFor(/rccar: slot A \(attempts left: A 2/, { within: seconds(100) });
  });

  step('the kernel starts from the card', LOADED + 20, () => car.vm.serial.waitFor(/Starting kernel/, { within: seconds(LOADED) }));
});
