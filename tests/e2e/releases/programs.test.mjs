// Hosts, cars, drives and pages of the last release meet today's: they are updated at different
// times.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { lastRelease } from '../lib/releases.mjs';
import { until } from '../lib/wait.mjs';

const forward = ({ telemetry: t }) => t.odometry.speed_mm_s > 300 && t.throttle > 3000;

describe('the last release and today', () => {
  let old, browser, world, cockpit;
  before(async () => {
    old = await lastRelease('programs');
    browser = await launch();
  });
  after(() => browser?.close());
  afterEach(async (context) => {
    if (context.passed === false) console.log(world?.logs());
    await cockpit?.close();
    await world?.stop();
    cockpit = world = undefined;
  });

  /** The driver sees and drives the car, and it stops when the driver is silent. */
  async function drives(version, options = {}) {
    cockpit = await Cockpit.open(browser, world, options);
    const { control } = await cockpit.live();
    // A page of the last release does not report a version; then both are `undefined`.
    assert.equal(control.version, version);
    const seen = await cockpit.drive(['ArrowUp'], 'the car drives', forward);
    assert.deepEqual([seen.control.malformed, seen.telemetry.dropped], [0, 0]);
    assert.deepEqual(cockpit.errors, []);
    await cockpit.page.keyboard.up('ArrowUp');
    await cockpit.when(
      'the car stops',
      ({ telemetry: t }) => t.throttle === 0 && t.odometry.speed_mm_s === 0,
    );
  }

  it('a host of the last release, with its page, and a car of today', async () => {
    world = await World.start({ old: { 'rccar-host': old } });
    await drives(undefined);
  });

  it('a host of the last release, and page and car of today', async () => {
    world = await World.start({ old: { 'rccar-host': old } });
    await drives(2, { page: new URL('../../../web/dist', import.meta.url).pathname });
  });

  it('a car of the last release, and host and page of today', async () => {
    world = await World.start({ old: { 'rccar-car': old, 'rccar-drive': old } });
    await drives(1);
  });

  it('a drive of the last release, and everything else of today', async () => {
    world = await World.start({ old: { 'rccar-drive': old } });
    await drives(2);
  });

  it('a drive of today, and a car of the last release', async () => {
    world = await World.start({ old: { 'rccar-car': old } });
    await drives(1);
  });

  it('a host that is updated under a car and a page of the last release', async () => {
    world = await World.start({ old: { 'rccar-host': old, 'rccar-car': old, 'rccar-drive': old } });
    await drives(undefined);
    await world.host.stop();
    world.options.old = { 'rccar-car': old, 'rccar-drive': old };
    await world.startHost();
    await world.carOnline();
    await until(
      'the page has the host again',
      async () => (await cockpit.snapshot()).signaling === 'ready',
    );
    // A host that stops in good order ends its sessions, and the page opens a new one.
    await cockpit.live();
    const seen = await cockpit.drive(['ArrowUp'], 'the car drives', forward);
    assert.equal(seen.control.malformed, 0);
  });
});
