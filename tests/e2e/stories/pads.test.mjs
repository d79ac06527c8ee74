// Devices that nobody touches do not drive, and one press of arm counts once.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { fakePads } from '../lib/pads.mjs';
import { World } from '../lib/programs.mjs';

describe('gamepads', () => {
  let world, browser, cockpit;
  before(async () => {
    world = await World.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });
  afterEach(() => cockpit?.close());

  const open = async () => {
    cockpit = await Cockpit.open(browser, world, { before: fakePads });
    await cockpit.live();
    // Before the driver sees, no press arms.
    await cockpit.when('the driver sees', ({ blind }) => blind === null);
    return cockpit.page;
  };
  /** Waits until the page has sent this many more control frames. */
  const told = async (frames) => {
    const { control } = await cockpit.snapshot();
    return cockpit.when(`${frames} frames are sent`, (s) => s.control.sent > control.sent + frames);
  };
  const arms = (s) => s.input.armWanted && s.telemetry.state === 'armed';

  it('pedals that rest at their end and flicker leave the car to the keyboard', async () => {
    const page = await open();
    await page.evaluate(() =>
      globalThis.plugPad(0, { id: 'Pedals', mapping: '', axes: [0, -1, 0], steady: true }),
    );
    await cockpit.armedBy('the keyboard has armed', () => page.keyboard.press('Enter'));
    const traced = world.trace().length;
    await page.evaluate(() => {
      let up = false;
      globalThis.flicker = setInterval(
        () => (globalThis.pads[0].axes[1] = (up = !up) ? -0.99997 : -1),
        16,
      );
    });
    const seen = await told(100);
    assert.deepEqual(
      [seen.input.source, seen.input.throttle, seen.input.armWanted],
      ['keyboard', 0, true],
    );
    await cockpit.when('the car is armed', arms);
    const driven = world
      .trace()
      .slice(traced)
      .filter(({ output }) => (output?.motor?.drive ?? 0) !== 0 || (output?.steering ?? 0) !== 0);
    assert.deepEqual(driven, []);
    await page.keyboard.down('KeyW');
    await cockpit.when('the keyboard drives', ({ telemetry: t }) => t.odometry.speed_mm_s > 300);
    await page.keyboard.up('KeyW');
  });

  it('a pad that is moved takes over from the keyboard, disarms, and says so', async () => {
    const page = await open();
    await page.evaluate(() => globalThis.plugPad(0));
    await cockpit.armedBy('the keyboard has armed', () => page.keyboard.press('Enter'));
    await page.evaluate(() => (globalThis.pads[0].axes[0] = 0.6));
    await cockpit.banner(/The gamepad steers now.*Arm again/);
    const taken = await cockpit.when('the car is disarmed', (s) => s.telemetry.state !== 'armed');
    assert.deepEqual([taken.input.source, taken.input.armWanted], ['gamepad', false]);
    await page
      .getByTestId('hud-state')
      .filter({ hasText: /^(Stopped ·|Disarmed · Last stop:) The gamepad took over$/ })
      .waitFor();
    await cockpit.armedBy('the pad has armed', async () => {
      await page.evaluate(() => globalThis.pressPad(0, 0, 0));
      await told(5);
      await page.evaluate(() => globalThis.pressPad(0, 0, 1));
    });
    await page.evaluate(() => {
      globalThis.pressPad(0, 0, 0);
      globalThis.pressPad(0, 7, 0.8);
    });
    await cockpit.when('the pad drives', ({ telemetry: t }) => t.odometry.speed_mm_s > 300);
  });

  it('one press of a pad that is listed twice, and is Enter as well, arms once', async () => {
    const page = await open();
    await page.evaluate(() => [0, 1].forEach((index) => globalThis.plugPad(index)));
    await told(5);
    const pressEverything = () =>
      page.evaluate(async () => {
        const moment = () => new Promise((done) => setTimeout(done, 24));
        const key = (type) =>
          window.dispatchEvent(
            new KeyboardEvent(type, { code: 'Enter', key: 'Enter', bubbles: true }),
          );
        for (const report of [
          () => key('keydown'),
          () => globalThis.pressPad(0, 0, 1),
          () => globalThis.pressPad(1, 0, 1),
        ]) {
          report();
          await moment();
        }
        key('keyup');
        [0, 1].forEach((index) => globalThis.pressPad(index, 0, 0));
      });
    await cockpit.armedBy('the car is armed', pressEverything);
    await page.evaluate(() => {
      globalThis.pads[0].axes[0] = -0.7;
      globalThis.pressPad(0, 7, 0.5);
      setTimeout(() => {
        globalThis.pads[1].axes[0] = -0.7;
        globalThis.pressPad(1, 7, 0.5);
      }, 40);
    });
    await cockpit.when(
      'the pad drives',
      ({ telemetry: t }) => t.odometry.speed_mm_s > 300 && t.steering < -3000,
    );
    const seen = await told(50);
    assert.deepEqual([seen.input.source, seen.input.armWanted], ['gamepad', true]);
    await page.evaluate(() => [0, 1].forEach((index) => globalThis.pressPad(index, 0, 1)));
    await cockpit.when(
      'the next press disarms',
      (s) => !s.input.armWanted && s.telemetry.state === 'disarmed',
    );
    assert.equal((await told(20)).input.armWanted, false);
  });

  it('Enter that is held is one press, on the page and on the button that has the focus', async () => {
    const page = await open();
    const holdEnter = async (wanted) => {
      // Each further `down` is a repetition, as of a held key.
      for (let times = 0; times < 6; times += 1) {
        await page.keyboard.down('Enter');
        await cockpit.when(`arm is ${wanted}`, (s) => s.input.armWanted === wanted);
      }
      await page.keyboard.up('Enter');
      assert.equal((await told(15)).input.armWanted, wanted);
    };
    await holdEnter(true);
    await holdEnter(false);
    await page.getByTestId('arm').focus();
    await holdEnter(true);
  });
});
