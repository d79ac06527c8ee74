// Firefox drives, too, and both browsers find their way on the machine of the car itself, where the
// car offers loopback addresses.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { FoxCockpit, launchFirefox } from '../lib/firefox.mjs';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

/** Connections that are made one after the other; TRIES=50 for more. */
const TRIES = Number(process.env.TRIES ?? 10);

describe('browsers', () => {
  let world, firefox, cockpit;
  before(async () => {
    world = await World.start();
    firefox = await launchFirefox();
  });
  after(async () => {
    await firefox?.close();
    await world?.stop();
  });
  afterEach(async () => {
    await cockpit?.close();
    cockpit = undefined;
  });

  it('Firefox shows the picture and its age, arms, and drives by keys', async () => {
    cockpit = await FoxCockpit.open(firefox, world);
    const { video } = await cockpit.live();
    assert.deepEqual([video.width, video.height], [640, 360]);
    await cockpit.when('figures', (s) => s.picture_age_ms !== null && s.rtt_ms !== null);
    await cockpit.drive('ArrowUp', 'the car drives', (s) => s.telemetry.odometry.speed_mm_s > 300);
    await cockpit.page.keyboard.up('ArrowUp');
    await cockpit.when('the car stops', (s) => s.telemetry.odometry.speed_mm_s === 0);
    assert.deepEqual(cockpit.errors, []);
  });

  it('a Firefox without H.264 is told what to do in Firefox', async () => {
    const browser = await launchFirefox({ decoder: false });
    try {
      cockpit = await FoxCockpit.open(browser, world);
      await cockpit.when('the drive ended', (s) => s.session.phase.name === 'ended');
      const banner = (await cockpit.banners()).join('\n');
      assert.match(banner, /cannot show the picture/);
      assert.match(banner, /about:addons/);
    } finally {
      await browser.close();
      cockpit = undefined;
    }
  });

  /** Connects again and again. A path is found within a second or two, or it is not. */
  async function connects(enter, leave) {
    const times = [];
    for (let n = 0; n < TRIES; n += 1) {
      const begun = performance.now();
      if (n > 0) await enter();
      await cockpit.live({ within: 15_000 });
      times.push(Math.round(performance.now() - begun));
      await leave();
    }
    times.sort((a, b) => a - b);
    console.log(`${TRIES} times, live after ${times[TRIES >> 1]} ms, at most ${times.at(-1)}`);
  }

  for (const loopback of [false, true]) {
    const own = loopback ? 'with loopback addresses of its own' : 'without';
    it(`Firefox ${own} connects each time`, async () => {
      const browser = loopback ? await launchFirefox({ loopback }) : firefox;
      try {
        cockpit = await FoxCockpit.open(browser, world);
        await connects(
          () => cockpit.enter(),
          () => cockpit.leave(),
        );
      } finally {
        await cockpit?.close();
        cockpit = undefined;
        if (loopback) await browser.close();
      }
    });

    it(`Chromium ${own} connects each time`, async () => {
      const browser = await launch({ loopback });
      try {
        cockpit = await Cockpit.open(browser, world);
        await connects(
          () => cockpit.page.locator('[data-testid^="open-"]').first().click(),
          () => cockpit.page.evaluate(() => (location.hash = '#/')),
        );
      } finally {
        await browser.close();
        cockpit = undefined;
      }
    });
  }
});
