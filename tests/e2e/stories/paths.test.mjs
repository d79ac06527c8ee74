// Every way from the browser to the car, and the change from one to another.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

describe('paths', () => {
  let world, browser;
  before(async () => {
    world = await World.start();
    browser = await launch({ loopback: true });
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const story = (name, options, tell) =>
    it(name, async () => {
      const cockpit = await Cockpit.open(browser, world, options);
      try {
        await cockpit.live();
        await tell(cockpit);
        assert.deepEqual(cockpit.errors, []);
      } finally {
        await cockpit.close();
      }
    });

  /** After a restart the number of frames rises, and the same data channel answers. */
  async function survives(cockpit, restart) {
    const before = await cockpit.snapshot();
    await restart();
    const after = await cockpit.when(
      'the new path carries picture and telemetry',
      (s) =>
        s.peer.generation > before.peer.generation &&
        s.peer.ice !== 'checking' &&
        s.peer.connection === 'connected' &&
        s.video.frames > before.video.frames + 30 &&
        s.telemetry.echo?.seq > before.telemetry.echo.seq + 25,
    );
    assert.equal(after.peer.channelId, before.peer.channelId, 'the data channel is the same');
    assert.equal(after.peer.instance, before.peer.instance, 'no second connection was made');
  }

  story('a direct path is used where there is one', {}, async (cockpit) => {
    const { stats } = await cockpit.when('the path is known', (s) => s.stats?.path);
    assert.equal(stats.path.relayed, false);
  });

  story('the driver can restart ICE', {}, (cockpit) =>
    survives(cockpit, () => cockpit.page.evaluate(() => globalThis.rccar.restartIce())),
  );

  story('the car can restart ICE', {}, (cockpit) =>
    survives(cockpit, () => world.car.process.kill('SIGUSR1')),
  );

  story(
    'relay only goes through the embedded TURN server',
    { query: 'path=relay' },
    async (cockpit) => {
      const { stats } = await cockpit.when('the path is known', (s) => s.stats?.path);
      assert.equal(stats.path.relayed, true);
      await cockpit.arm();
    },
  );

  story('relay only survives a restart', { query: 'path=relay' }, (cockpit) =>
    survives(cockpit, () => cockpit.page.evaluate(() => globalThis.rccar.restartIce())),
  );

  story(
    'a peer that cannot trickle gets all candidates in the offer',
    { query: 'trickle=0' },
    async (cockpit) => {
      // What was prepared for the list is not used.
      const received = cockpit.received.slice(cockpit.received.lastIndexOf('connecting'));
      assert.ok(received.includes('offer'));
      assert.ok(!received.includes('candidate'), 'no candidate came by itself');
      await cockpit.arm();
    },
  );

  it('IPv6 loopback works', async () => {
    const origin = `http://[::1]:${world.port}`;
    const cockpit = await Cockpit.open(browser, world, { origin, before: onlyIpv6Candidates });
    try {
      await cockpit.live();
      // The path is known before the addresses of its ends.
      const { stats } = await cockpit.when(
        'the path and its family are known',
        (s) => s.stats?.path?.family,
      );
      assert.equal(stats.path.family, 'IPv6');
      await cockpit.arm();
    } finally {
      await cockpit.close();
    }
  });
});

/** In the page: hides the car's IPv4 candidates. */
function onlyIpv6Candidates() {
  const add = RTCPeerConnection.prototype.addIceCandidate;
  RTCPeerConnection.prototype.addIceCandidate = function (candidate, ...rest) {
    const address = candidate?.candidate?.split(' ')[4];
    if (address && !address.includes(':')) return Promise.resolve();
    return add.call(this, candidate, ...rest);
  };
}
