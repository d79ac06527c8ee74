// A page that was loaded before an update still works with today's car and host.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { lastRelease } from '../lib/releases.mjs';

const forward = ({ telemetry: t }) => t.odometry.speed_mm_s > 300 && t.throttle > 3000;

describe('versions that meet', () => {
  let world, browser, cockpit;
  before(async () => {
    world = await World.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });
  afterEach(async (context) => {
    await cockpit?.close();
    cockpit = undefined;
    if (context.passed === false) console.log(world.logs());
  });

  it('page and car of today speak the newest version of their frames', async () => {
    cockpit = await Cockpit.open(browser, world);
    const { control } = await cockpit.live();
    assert.equal(control.version, 2);
    await cockpit.when('telemetry of version 2 comes', (s) => s.control.heard === 2);
    const seen = await cockpit.drive(['ArrowUp'], 'the car drives', forward);
    assert.deepEqual([seen.control.malformed, seen.telemetry.dropped], [0, 0]);
  });

  it('the page of the last release sees and drives the car of today', async () => {
    cockpit = await Cockpit.open(browser, world, { page: await lastRelease('page') });
    const { control } = await cockpit.live();
    assert.equal(control.version, undefined, 'this is the page of today');
    const seen = await cockpit.drive(
      ['ArrowUp', 'ArrowLeft'],
      'the car drives',
      (s) => forward(s) && s.telemetry.steering < -3000,
    );
    assert.deepEqual([seen.control.malformed, seen.telemetry.dropped], [0, 0]);
    assert.deepEqual(cockpit.errors, []);
    await cockpit.page.keyboard.up('ArrowUp');
    await cockpit.when(
      'the car stops',
      ({ telemetry: t }) => t.throttle === 0 && t.odometry.speed_mm_s === 0,
    );
  });
});
