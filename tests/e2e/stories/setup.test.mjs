// Somebody sets the car up from its cockpit: the wheels are off the ground.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

describe('setting the car up', () => {
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

  const kept = () => readFileSync(world.file('calibration.toml'), 'utf8');

  async function open(options) {
    cockpit = await Cockpit.open(browser, world, options);
    await cockpit.live();
    await cockpit.page.getByTestId('open-setup').click();
    await cockpit.page.locator('[data-testid=jog-left]:not([disabled])').waitFor();
    return cockpit.page.getByTestId('setup');
  }

  it('a button moves the car only while it is held', async () => {
    const panel = await open();
    const button = panel.getByTestId('jog-left');
    await button.scrollIntoViewIfNeeded();
    await button.hover();
    await cockpit.page.mouse.down();
    const held = await cockpit.when(
      'the wheels turn left',
      ({ telemetry: t }) => t.state === 'jogging' && t.steering < -9_000,
    );
    assert.equal(held.telemetry.throttle, 0);
    await cockpit.page.mouse.up();
    await cockpit.when(
      'straight again',
      ({ telemetry: t }) => t.state === 'disarmed' && t.steering === 0,
    );
    await panel.getByTestId('jog-forward').scrollIntoViewIfNeeded();
    await panel.getByTestId('jog-forward').hover();
    await cockpit.page.mouse.down();
    await cockpit.when('the motor turns', ({ telemetry: t }) => t.throttle > 4_000);
    // The page goes away in the middle of it.
    await cockpit.page.evaluate(() => window.dispatchEvent(new Event('blur')));
    await cockpit.page.mouse.up();
    await cockpit.when('neutral', ({ telemetry: t }) => t.state === 'disarmed' && t.throttle === 0);
  });

  it('what is set holds at once, is kept, and can be forgotten', async () => {
    const panel = await open();
    const trim = panel.locator('input[name=trim]');
    await trim.fill('1000');
    await cockpit.when('the wheels stand there', ({ telemetry: t }) => t.steering === 1_000);
    await until('the car keeps it', async () =>
      (await panel.getByTestId('setup-kept').innerText()).includes('Kept on the car'),
    );
    assert.match(kept(), /trim = 0\.1000/u);
    await panel.locator('input[name=brake-first]').check();
    await until('the car keeps that, too', () => kept().includes('kind = "brake-first"'));
    // The other end of the steering is nearer than its middle: the car names the mistake.
    await panel.locator('input[name=right]').fill('1000');
    await trim.fill('3000');
    await panel.getByTestId('setup-notice').filter({ hasText: 'steering.trim' }).waitFor();
    assert.match(kept(), /trim = 0\.1000/u);
    await panel.getByTestId('setup-forget').click();
    await cockpit.when('the middle', ({ telemetry: t }) => t.steering === 0);
    assert.throws(kept, { code: 'ENOENT' });
    assert.deepEqual(cockpit.errors, []);
  });

  it('an armed car changes nothing, and one that jogged drives as ever', async () => {
    const panel = await open();
    await cockpit.page.getByRole('button', { name: 'Close the set-up' }).click();
    await cockpit.drive(['ArrowUp'], 'it drives', ({ telemetry: t }) => t.throttle > 0);
    await cockpit.page.getByTestId('open-setup').click();
    await panel.getByTestId('setup-notice').filter({ hasText: 'Disarm' }).waitFor();
    assert.ok(await panel.getByTestId('jog-forward').isDisabled());
    await cockpit.page.keyboard.up('ArrowUp');
  });

  it('fits every screen', async () => {
    const panel = await open();
    for (const [name, width, height] of [
      ['desktop', 1280, 800],
      ['tablet', 800, 1100],
      ['phone', 390, 844],
      ['phone-turned', 844, 390],
    ]) {
      await cockpit.page.setViewportSize({ width, height });
      const { SCREENSHOTS } = process.env;
      if (SCREENSHOTS) await cockpit.page.screenshot({ path: `${SCREENSHOTS}/setup-${name}.png` });
      const box = await panel.boundingBox();
      assert.ok(
        box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height,
        `${name}: ${JSON.stringify(box)}`,
      );
      const wide = await panel.evaluate((element) => element.scrollWidth - element.clientWidth);
      assert.ok(wide <= 0, `${name}: ${wide} pixels too wide`);
      await panel.getByTestId('setup-forget').scrollIntoViewIfNeeded();
      for (const id of ['jog-left', 'jog-brake', 'jog-reverse']) {
        const button = panel.getByTestId(id);
        await button.scrollIntoViewIfNeeded();
        const { height: tall } = await button.boundingBox();
        assert.ok(tall >= 44, `${name}: ${id} is ${tall} pixels high`);
      }
    }
  });
});
