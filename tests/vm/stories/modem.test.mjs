// A car on a modem, all the way: serial port, udev, ModemManager, `rccar-modem`, pppd and the
// kernel's PPP, and a network behind the call.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { until } from '../../e2e/lib/wait.mjs';
import { SerialModem, supervisor } from '../lib/modem.mjs';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('modem', {}, (car, step) => {
  const { addresses, settings } = SerialModem;
  const slow = { within: seconds(90) };
  const status = () => supervisor(car);
  const registrations = () => car.host.program.log().split(' car online').length;
  const pppd = async () =>
    (await car.inside('systemctl show --value -p MainPID rccar-ppp@ttyS0')).trim();
  const isRouted = async (family = '-4') => {
    assert.match(
      await car.inside(`ip ${family} route show default dev ppp-ttyS0 metric 700`),
      /default/,
    );
    assert.match(
      await car.inside('resolvectl dns ppp-ttyS0'),
      new RegExp(`: ${addresses.here}\\b`),
    );
  };
  let modem, cockpit;

  step('without a modem nothing supervises one', 460, async () => {
    modem = await SerialModem.start(car.directory);
    car.atEnd(() => modem.stop());
    await car.flash({ modem: settings });
    await car.powerOn({ args: modem.args });
    await car.online();
    assert.equal(
      (await car.inside('systemctl is-active rccar-modem', { may: [3] })).trim(),
      'inactive',
    );
  });

  step(
    'once udev knows it, it is dialled, and PPP gives an address to whoever has the password',
    300,
    async () => {
      await modem.announce(car);
      const up = async () => (await status())?.interface;
      await until('the link is up', up, { within: seconds(240), every: 3000 });
      const {
        state,
        interface: name,
        addresses: [first],
      } = await status();
      assert.deepEqual([state, name, first], ['up', 'ppp-ttyS0', addresses.car]);
      assert.match(modem.program.log(), new RegExp(`${settings.user} is known`));
      await isRouted();
      assert.equal((await car.inside('systemctl --failed --plain --no-legend')).trim(), '');
    },
  );

  step('it has IPv6, too: the kernel hears the router, the route has our metric', 120, async () => {
    const ours = async () =>
      (await status()).addresses.find((address) => address.startsWith(addresses.prefix));
    const address = await until('the supervisor knows an address of the prefix', ours, {
      within: seconds(60),
      every: 3000,
    });
    await isRouted('-6');
    // Through the call and back: the car's shell answers.
    const socket = connect({ host: address, port: 22 });
    try {
      const [greeting] = await once(socket, 'data', { signal: AbortSignal.timeout(seconds(30)) });
      assert.match(greeting.toString(), /^SSH-2\.0/);
    } finally {
      socket.destroy();
    }
  });

  step('a driver sees the operator and the signal', 180, async () => {
    cockpit = await car.drive();
    await cockpit.live(slow);
    // The cable of these stories leads nowhere, so it is no uplink.
    await cockpit.page
      .getByTestId('rung-uplink')
      .filter({ hasText: /TestNet [0-9]+ %/ })
      .waitFor({ timeout: seconds(60) });
  });

  step(
    'the cable is out: the car registers over the modem, and shows its picture',
    260,
    async () => {
      const before = registrations();
      await car.vm.plug(false);
      await until('the car has registered again', () => registrations() > before, {
        within: seconds(150),
      });
      await cockpit.live(slow);
    },
  );

  step('the call breaks: it is dialled again, and the picture comes back', 300, async () => {
    const [before, calls] = [registrations(), modem.calls()];
    await modem.hangUp();
    await until('there is another call', () => modem.calls() > calls, { within: seconds(120) });
    await until('the car has registered again', () => registrations() > before, {
      within: seconds(120),
    });
    await cockpit.live(slow);
    await cockpit.close();
  });

  step(
    'a supervisor that is started again takes over the call; nothing heavier than another call was needed',
    120,
    async () => {
      await car.vm.plug(true);
      const { climbed, interface: name } = await status();
      assert.equal(name, 'ppp-ttyS0');
      assert.deepEqual(
        Object.keys(climbed).filter((rung) => !['reconnect', 'cycle-bearer'].includes(rung)),
        [],
        JSON.stringify(climbed),
      );
      const [process, calls] = [await pppd(), modem.calls()];
      await car.inside('systemd-run -q --pipe --wait systemctl restart rccar-modem');
      const up = async () => (await status())?.interface;
      await until('the link is up', up, { within: seconds(60), every: 1000 });
      assert.deepEqual([await pppd(), modem.calls()], [process, calls]);
      for (const family of ['-4', '-6']) await isRouted(family);
    },
  );
});
