// Brake and sign-in for people and networks that cannot do what most can.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

describe('the cockpit without a pointer', () => {
  let world, browser, cockpit;
  before(async () => {
    world = await World.start();
    browser = await launch();
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
  });
  after(async () => {
    await cockpit?.close();
    await browser?.close();
    await world?.stop();
  });

  it('brakes while Enter is held on the button, and by one press of a switch', async () => {
    const { page } = cockpit;
    const brakes = (wanted) => cockpit.when(`brake is ${wanted}`, (s) => s.input.brake === wanted);
    await page.getByTestId('brake').focus();
    await page.keyboard.down('Enter');
    await brakes(true);
    await page.keyboard.up('Enter');
    await brakes(false);
    const press = () => page.getByTestId('brake').evaluate((button) => button.click());
    await press();
    await brakes(true);
    await press();
    await brakes(false);
    assert.equal((await cockpit.snapshot()).input.armWanted, false);
  });

  it('has no label below 12 px and no target below 24 px, on any screen', async () => {
    for (const [width, height] of [
      [390, 844],
      [844, 390],
      [820, 1180],
      [1280, 800],
      [320, 640],
    ]) {
      await cockpit.page.setViewportSize({ width, height });
      const small = await cockpit.page.evaluate(() => {
        const seen = (element) => element.getClientRects().length > 0;
        const texts = [...document.querySelectorAll('.cockpit *')]
          .filter(
            (e) => seen(e) && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()),
          )
          .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 12)
          .map((e) => `${e.className || e.tagName}: ${getComputedStyle(e).fontSize}`);
        const targets = [...document.querySelectorAll('.cockpit button')]
          .filter(seen)
          .map((e) => [e.getAttribute('aria-label') ?? e.textContent, e.getBoundingClientRect()])
          .filter(([, { width, height }]) => width < 24 || height < 24)
          .map(([name]) => name);
        return { texts, targets };
      });
      assert.deepEqual(small, { texts: [], targets: [] }, `${width}×${height}`);
    }
  });
});
