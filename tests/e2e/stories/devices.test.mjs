// Wheels, pedals and pads without the standard mapping: known, taught, or refused in words.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { fakePads } from '../lib/pads.mjs';
import { World } from '../lib/programs.mjs';

describe('wheels and pedals', () => {
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
    await cockpit.when('the driver sees', ({ blind }) => blind === null);
    return cockpit.page;
  };
  /** Moves an axis there in ten steps, stays for a moment, and goes back. */
  const move = (page, axis, to) =>
    page.evaluate(
      async ([axis, to]) => {
        const moment = (ms) => new Promise((done) => setTimeout(done, ms));
        const { axes } = globalThis.pads[0];
        const from = axes[axis];
        for (let step = 1; step <= 10; step += 1) {
          axes[axis] = from + ((to - from) * step) / 10;
          await moment(25);
        }
        await moment(150);
        axes[axis] = from;
      },
      [axis, to],
    );

  it('a wheel that is known drives by its gas pedal, and is shown by its name', async () => {
    const page = await open();
    await page.evaluate(() =>
      globalThis.plugPad(0, {
        id: 'Logitech G29 Driving Force Racing Wheel (Vendor: 046d Product: c24f)',
        mapping: '',
        axes: [0, 1, 1, 1, 0, 0],
      }),
    );
    await cockpit.armedBy('the wheel has armed', async () => {
      await page.evaluate(() => globalThis.pressPad(0, 0, 0));
      await page.waitForTimeout(100);
      await page.evaluate(() => globalThis.pressPad(0, 0, 1));
    });
    await page
      .getByTestId('hud-device')
      .filter({ hasText: 'Logitech G29 Driving Force' })
      .waitFor();
    await page.evaluate(() => (globalThis.pads[0].axes[1] = -1));
    await cockpit.when('the clutch does nothing', (s) => s.input.throttle === 0);
    await page.evaluate(() => (globalThis.pads[0].axes[2] = -0.6));
    await cockpit.when('the gas pedal drives', ({ telemetry: t }) => t.odometry.speed_mm_s > 300);
  });

  it('pedals that nobody knows are refused in words, are taught, and then drive', async () => {
    const page = await open();
    await page.evaluate(() =>
      globalThis.plugPad(0, { id: 'Mystery box', mapping: '', axes: [0, -1, 0.3] }),
    );
    await cockpit.when('the device is there', (s) => s.video.frames > 0);
    await move(page, 1, 1);
    await cockpit.banner(/Mystery box is not set up/);
    assert.equal((await cockpit.snapshot()).input.source, 'none');
    await page.getByTestId('action-controls').click();
    await page.getByTestId('wizard-start').click();
    const asked = (words) => page.getByTestId('wizard').filter({ hasText: words }).waitFor();
    await asked(/to the left/);
    await move(page, 0, -1);
    await asked(/to the right/);
    await move(page, 0, 1);
    await asked(/full throttle/);
    await move(page, 1, 1);
    await asked(/backward/);
    await page.getByTestId('wizard-skip').click();
    await asked(/to arm/);
    await page.evaluate(() => globalThis.pressPad(0, 5, 1));
    await asked(/to brake/);
    await page.evaluate(() => globalThis.pressPad(0, 5, 0));
    await page.getByTestId('wizard-skip').click();
    await page.getByTestId('device').filter({ hasText: 'Set up by you' }).waitFor();
    assert.equal((await cockpit.snapshot()).input.notice, 'setting-up');
    await page.getByRole('button', { name: 'Close keys and devices' }).click();
    await cockpit.armedBy('the device has armed', async () => {
      await page.evaluate(() => globalThis.pressPad(0, 5, 0));
      await page.waitForTimeout(100);
      await page.evaluate(() => globalThis.pressPad(0, 5, 1));
    });
    await page.evaluate(() => (globalThis.pads[0].axes[1] = 0.4));
    await cockpit.when('the pedal drives', ({ telemetry: t }) => t.odometry.speed_mm_s > 300);
    const kept = await page.evaluate(() => localStorage.getItem('rccar-controls'));
    assert.match(kept, /Mystery box/u);
  });

  it('a key without a place arms, and keys can be chosen', async () => {
    const page = await open();
    await cockpit.armedBy('Enter without a code arms', () =>
      page.evaluate(() => {
        for (const type of ['keydown', 'keyup'])
          window.dispatchEvent(new KeyboardEvent(type, { key: 'Enter', code: '' }));
      }),
    );
    await page.keyboard.press('?');
    await page.getByTestId('open-controls').click();
    await cockpit.when('opening them disarms', (s) => !s.input.armWanted);
    await page.getByTestId('key-forward').click();
    await page.keyboard.press('KeyI');
    await page.getByRole('button', { name: 'Close keys and devices' }).click();
    await cockpit.drive(
      ['KeyI'],
      'the chosen key drives',
      (s) => s.telemetry.odometry.speed_mm_s > 300,
    );
  });
});
