// The same card on the emulator's Raspberry Pis, as far as these go. Where they end is in docs/hardware.md.
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

// Their card reader takes only sizes that are powers of two.
const size = 2 ** 31;

story('Raspberry Pi 3B', {}, (car, step) => {
  step('the boot script chooses a slot and counts the attempt', 120, async () => {
    await car.flash({}, { size });
    const { serial } = await car.powerOn({ args: ['--machine', 'raspi3b'] });
    await serial.waitFor(/slot A/i, { within: seconds(100) });
  });

  // The emulated card reader gives 250 to 480 KB/s.
  step('the kernel starts from the card', 360, () => car.vm.serial.waitFor(/Booting Linux on physical CPU/, { within: seconds(340) }));
  step('the verified root is mounted and its programs start', 360, () => car.vm.serial.waitFor(/Welcome to|systemd\[1\]/, { within: seconds(340) }));
  step('it registers, through a network adapter on USB', 1200, () => car.online('the car is online', () => true, seconds(1180)));
});

story('Raspberry Pi 4B', {}, (car, step) => {
  step('the boot script chooses a slot and counts the attempt', 120, async () => {
    await car.flash({}, { size });
    const { serial } = await car.powerOn({ args: ['--machine', 'raspi4b'] });
    await serial.waitFor(/slot A/i, { within: seconds(100) });
  });

  step('the kernel starts from the card', 360, () => car.vm.serial.waitFor(/Booting Linux on physical CPU/, { within: seconds(340) }));
});
