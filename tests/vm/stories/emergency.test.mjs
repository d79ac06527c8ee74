// On most systems a failed start ends in an emergency shell. In a car nobody can type, so it starts
// again.
import assert from 'node:assert/strict';
import { BOOT } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('emergency', {}, (car, step) => {
  let started;
  const bootId = () => car.inside('cat /proc/sys/kernel/random/boot_id');

  step('a car is online', 460, async () => {
    await car.flash();
    await car.powerOn();
    await car.online();
    started = await bootId();
  });

  step('systemd gives up: the car starts again, and is back', 460, async () => {
    const { position } = car.vm.serial;
    await car.inside('systemd-run -q --no-block systemctl isolate emergency.target', {
      may: [0, 255],
    });
    await car.vm.serial.waitFor(/rccar: slot A/, { since: position, within: BOOT });
    car.ssh = undefined;
    await car.online();
    assert.notEqual(await bootId(), started);
  });
});
