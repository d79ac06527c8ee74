// A car with a stick that looks like Ethernet, all the way: USB, udev, the kernel's driver,
// `rccar-modem`, and a network behind the stick.
import assert from 'node:assert/strict';
import { until } from '../../e2e/lib/wait.mjs';
import { internet } from '../lib/internet.mjs';
import { supervisor } from '../lib/modem.mjs';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('stick', {}, (car, step) => {
  const slow = { within: seconds(90) };
  const stick = async () => (await supervisor(car))?.sticks[0];
  const untilStick = (what, condition, within) =>
    until(
      what,
      async () => {
        const seen = await stick();
        return seen && condition(seen);
      },
      { within: seconds(within), every: 3000 },
    );
  const registrations = () => car.host.program.log().split(' car online').length;
  let cockpit;

  step('it has a lease before anybody has set anything up', 600, async () => {
    const somebody = await internet();
    car.atEnd(() => somebody.close());
    await car.flash({});
    await car.powerOn({ args: ['--usb-stick'] });
    await car.online();
    await untilStick('the stick is up', ({ state }) => state === 'up', 120);
    const { driver, interface: name, addresses } = await stick();
    assert.equal(driver, 'cdc_ether');
    assert.match(addresses[0], /^192\.168\.8\./);
    assert.match(await car.inside(`ip route show default dev ${name}`), /metric 701/);
    assert.equal((await car.inside('systemctl --failed --plain --no-legend')).trim(), '');
  });

  step(
    'the cable is out: the car registers over the stick, and shows its picture',
    300,
    async () => {
      cockpit = await car.drive();
      await cockpit.live(slow);
      const before = registrations();
      await car.vm.plug(false);
      await until('the car has registered again', () => registrations() > before, {
        within: seconds(150),
      });
      await cockpit.live(slow);
      await cockpit.close();
    },
  );

  step(
    'its network is silent for minutes: it is taken off the USB, comes back and is up again',
    600,
    async () => {
      await car.vm.plug(true);
      await car.vm.plug(false, 'stick');
      await untilStick('it is not up any more', ({ state }) => state !== 'up', 60);
      await untilStick('it is taken off the USB', ({ climbed }) => climbed['cycle-usb'] === 1, 400);
      await car.vm.plug(true, 'stick');
      await untilStick('the stick is up', ({ state }) => state === 'up', 120);
      // The kernel's view of it.
      const log = await car.inside('journalctl -b -k -o cat');
      assert.match(log, /unregister 'cdc_ether'/);
      assert.equal(log.match(/register 'cdc_ether'/g).length, 3, log);
    },
  );
});
