// A car on a modem, all the way: serial port, udev, ModemManager, the supervisor, pppd and the kernel's PPP, and a network behind the call.
import assert from 'node:assert/strict';
import { until } from '../../e2e/lib/wait.mjs';
import { SerialModem } from '../lib/modem.mjs';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('modem', {}, (car, step) => {
  let modem;
  const slow = { within: seconds(90) };
  const status = async () => JSON.parse(JSON.parse(await car.inside('busctl --json=short call org.rccar.Modem /org/rccar/Modem org.rccar.Modem1 GetStatus')).data[0]);
  const registrations = () => car.host.program.log().split(' car online').length;

  step('without a modem nothing supervises one', 460, async () => {
    modem = await SerialModem.start(car.directory);
    car.atEnd(() => modem.stop());
    await car.flash({ modem: { apn: 'internet' } });
    await car.powerOn({ args: modem.args });
    await car.online();
    assert.equal((await car.inside('systemctl is-active rccar-modem', { may: [3] })).trim(), 'inactive');
  });

  step('once udev knows it, it is dialled and PPP gives an address', 300, async () => {
    await modem.announce(car);
    const up = async () => (await car.inside('systemctl is-active rccar-modem', { may: [0, 3] })).startsWith('active') && (await status()).interface;
    await until('the link is up', up, { within: seconds(240), every: 3000 });
    const { state, interface: name, addresses } = await status();
    assert.deepEqual([state, name, addresses], ['up', 'ppp-ttyS0', ['10.0.2.15']]);
    assert.match(await car.inside('ip route show default dev ppp-ttyS0'), /metric 700/);
    // slirp gives that of this machine.
    assert.match(await car.inside('resolvectl dns ppp-ttyS0'), /: [0-9]+(\.[0-9]+){3}/);
    assert.equal((await car.inside('systemctl --failed --plain --no-legend')).trim(), '');
  });

  step('a driver sees the operator and the signal', 180, async () => {
    const cockpit = await car.drive();
    await cockpit.live(slow);
    // The cable of these stories leads nowhere else, so it is no uplink.
    await cockpit.page.getByTestId('rung-uplink').filter({ hasText: /TestNet [0-9]+ %/ }).waitFor({ timeout: seconds(60) });
  });

  step('the car registers over it when its cable is out', 200, async () => {
    const before = registrations();
    await car.vm.plug(false);
    await until('the car has registered again', () => registrations() > before, { within: seconds(150) });
    // Whoever wants to know more needs a way in.
    await car.vm.plug(true);
    const { climbed, interface: name } = await status();
    assert.equal(name, 'ppp-ttyS0');
    // Nothing heavier than another call.
    assert.deepEqual(Object.keys(climbed).filter((rung) => !['reconnect', 'cycle-bearer'].includes(rung)), [], JSON.stringify(climbed));
  });
});
