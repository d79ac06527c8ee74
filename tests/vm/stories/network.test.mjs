// A car that is switched on before there is a network.
import assert from 'node:assert/strict';
import { BOOT, seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('network comes late', { dhcp: false }, (car, step) => {
  step('the first boot does not wait for a network', 460, async () => {
    await car.flash();
    const { serial } = await car.powerOn();
    await car.vm.plug(false);
    await serial.waitFor(/no network yet/, { within: BOOT });
  });

  step('nothing registers while the plug is in and nobody gives addresses', 60, async () => {
    await car.vm.plug(true);
    await assert.rejects(
      car.online('online without an address', () => true, seconds(20)),
      /not within/,
    );
  });

  step('it registers when the network comes', 120, async () => {
    await car.net.startDhcp();
    await car.online('the car is online', () => true, seconds(100));
  });

  step('it comes back after a plug that was out', 180, async () => {
    await car.vm.plug(false);
    await car.offline(seconds(90));
    await car.vm.plug(true);
    await car.online('the car is back', () => true, seconds(80));
  });
});
