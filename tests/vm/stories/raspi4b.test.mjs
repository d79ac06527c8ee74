// The same card on the emulator's Raspberry Pi 4B, whose card socket has the supplies of the real
// one (image/emulator). It gets as far as systemd, which arms the watchdog. The emulated watchdog
// resets the machine at once (docs/hardware.md).
import assert from 'node:assert/strict';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

// The emulated card reader gives 250 to 1000 KB/s.
const LOADED = 300;

story('Raspberry Pi 4B', {}, (car, step) => {
  const see = (expression) => car.vm.serial.waitFor(expression, { within: seconds(LOADED) });

  step(
    'the boot script chooses a slot and counts the attempt, read from the card, and nothing waits for a key',
    LOADED + 20,
    async () => {
      await car.flash({}, { size: 2 ** 31 });
      await car.powerOn({ args: ['--machine', 'raspi4b'] });
      await see(/rccar: slot A \(attempts left: A 2/);
      const { text } = car.vm.serial;
      assert.match(text, /mmc@7e340000\.bootdev/, 'the card is in the slot that has supplies');
      assert.doesNotMatch(text, /stop autoboot|no boot state/);
      // uboot.env is read, so nothing looks for a stick before there is need of one.
      assert.match(text, /Loading Environment from FAT\.\.\. OK/);
      assert.doesNotMatch(text, /starting USB/);
    },
  );

  step('the kernel starts from the card', LOADED + 20, () => see(/Starting kernel/));

  step('the slot has its supplies: the verified root is mounted', LOADED + 20, () =>
    see(/rccar: root of slot A on \/dev\/mmcblk/),
  );
});
