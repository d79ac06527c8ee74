// All states of the cockpit and all pages: for every screen, both themes, and people who see less.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { buildGallery, Gallery } from '../lib/gallery.mjs';
import { axe, crowded, faint, small, tooWide } from '../lib/looks.mjs';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

const PHONE = { size: [390, 844], touch: true };
const DESKTOP = { size: [1440, 900] };
const SCREENS = [
  PHONE,
  DESKTOP,
  { size: [844, 390], touch: true },
  { size: [320, 568], touch: true },
  { size: [568, 320], touch: true },
  { size: [820, 1180], touch: true },
  { size: [1180, 820], touch: true },
  // A window of 1280×800 at 200 %.
  { size: [640, 400] },
  // And one of 1280×1024 at 400 % (WCAG 2, 1.4.10): nothing is beside the screen.
  { size: [320, 256], scrolls: true },
];
const SUN = { theme: 'sun' };

/** What is wrong in any of the states, with their names. */
async function inAllStates(browser, how, check) {
  const gallery = await Gallery.open(browser, how);
  const found = new Map();
  for (const name of gallery.names) {
    await gallery.show(name);
    for (const line of await check(gallery.page))
      found.set(line, [...(found.get(line) ?? []), name]);
  }
  assert.ok(gallery.names.length > 25, `${gallery.names.length} states`);
  assert.deepEqual(gallery.errors, []);
  await gallery.close();
  return [...found].map(([line, states]) => `${line} (${states.join(', ')})`);
}

describe('all states of the cockpit', () => {
  let browser;
  before(async () => {
    await buildGallery();
    browser = await launch();
  });
  after(() => browser?.close());

  it('are clean for axe in the dark theme', async () => {
    assert.deepEqual(await inAllStates(browser, PHONE, (page) => axe(page)), []);
  });

  it('are clean for axe in the light theme', async () => {
    const check = (page) => axe(page, { enhanced: true });
    assert.deepEqual(await inAllStates(browser, { ...DESKTOP, display: SUN }, check), []);
  });

  it('can be read over any picture, and in sunlight', async () => {
    for (const how of [PHONE, DESKTOP, { size: [844, 390], touch: true }]) {
      const dark = (page) => faint(page, { least: 4.5, ofLarge: 3 });
      assert.deepEqual(await inAllStates(browser, how, dark), [], `dark ${how.size}`);
      const sun = (page) => faint(page, { least: 7 });
      assert.deepEqual(await inAllStates(browser, { ...how, display: SUN }, sun), [], 'sun');
    }
  });

  it('keep their parts apart on every screen, at 200 %, and with large figures', async () => {
    for (const { scrolls, ...how } of SCREENS)
      for (const display of [undefined, { figures: 'large' }]) {
        const check = async (page) => [
          ...(await crowded(page, { scrolls: scrolls || display !== undefined })),
          ...(await small(page)),
        ];
        const found = await inAllStates(browser, { ...how, display }, check);
        assert.deepEqual(found, [], `${how.size} ${JSON.stringify(display)}`);
      }
  });

  it('have room for German words, too', async () => {
    const screens = [
      PHONE,
      DESKTOP,
      { size: [320, 568], touch: true },
      { size: [568, 320], touch: true },
    ];
    for (const how of screens) {
      const check = async (page) => [
        ...((await page.evaluate(() => document.documentElement.lang)) === 'de'
          ? []
          : ['no German']),
        ...(await crowded(page, {})),
        ...(await small(page)),
      ];
      const found = await inAllStates(browser, { ...how, display: { language: 'de' } }, check);
      assert.deepEqual(found, [], `${how.size}`);
    }
  });

  it('look different where the system chooses the colours', async () => {
    const gallery = await Gallery.open(browser, { ...DESKTOP, forced: true });
    const looks = (state, part) =>
      gallery.show(state).then(() =>
        gallery.page.evaluate((part) => {
          const element = document.querySelector(part);
          const { backgroundColor, color, borderColor, outlineStyle } = getComputedStyle(element);
          return `${backgroundColor} ${color} ${borderColor} ${outlineStyle}`;
        }, part),
      );
    for (const [part, ...states] of [
      ['.state', 'disarmed', 'armed', 'slowed', 'stopped'],
      ['.arm', 'disarmed', 'armed'],
      ['.brake', 'armed', 'braking'],
      ['.banner', 'calling', 'stopped', 'path lost'],
      ['[data-testid="rung-path"] .dot', 'armed', 'another path', 'finding a path'],
      ['[data-testid="hud-age"]', 'armed', 'picture old'],
    ]) {
      const seen = [];
      for (const state of states) seen.push(await looks(state, part));
      assert.equal(new Set(seen).size, states.length, `${part}: ${seen.join(' | ')}`);
    }
    await gallery.close();
  });

  it('have panels that are clean, too, and a theme that is remembered', async () => {
    for (const how of [PHONE, DESKTOP]) {
      const gallery = await Gallery.open(browser, how);
      const { page } = gallery;
      const open = async (tool) => {
        const button = page.getByTestId(tool);
        if (!(await button.isVisible())) await page.getByTestId('more').click();
        await button.click();
      };
      const clean = async (what, options) => {
        assert.deepEqual(await axe(page, options), [], what);
        assert.deepEqual(await small(page), [], what);
      };
      await open('open-plot');
      await clean('plot');
      await open('open-help');
      const more = page.getByTestId('help').locator('summary');
      if (await more.isVisible()) await more.click();
      await clean('help');
      const keys = await page.getByTestId('help').locator('kbd').allInnerTexts();
      assert.ok(keys.length > 10 && keys.every((text) => text.trim() !== ''), `keys: ${keys}`);
      await page.getByTestId('choose-sun').check();
      await page.getByTestId('choose-large').check();
      await clean('help in sunlight', { enhanced: true });
      await page.getByTestId('choose-language').selectOption('de');
      await page.getByTestId('help').getByRole('heading', { name: 'So wird gefahren' }).waitFor();
      await clean('help in German', { enhanced: true });
      await page.getByTestId('open-controls').click();
      await clean('keys and devices', { enhanced: true });
      await page.reload();
      const chosen = () => page.evaluate(() => ({ ...document.documentElement.dataset }));
      assert.deepEqual(await chosen(), { theme: 'sun', figures: 'large' });
      await gallery.close();
    }
  });
});

describe('all pages', () => {
  let world, browser, context, page;
  before(async () => {
    world = await World.start({ lan: true });
    browser = await launch();
    context = await browser.newContext();
    page = await context.newPage();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  /** Clean for axe in both themes, and never wider than the window. */
  async function isClean(what, ready) {
    for (const theme of ['dark', 'sun']) {
      await page.evaluate((theme) => (document.documentElement.dataset.theme = theme), theme);
      for (const [width, height] of [
        [390, 844],
        [320, 568],
        [1440, 900],
      ]) {
        await page.setViewportSize({ width, height });
        await ready.waitFor();
        assert.equal(await tooWide(page), 0, `${what}, ${width} px`);
        assert.deepEqual(await small(page), [], `${what}, ${width} px`);
        if (width === 320) continue;
        const found = await axe(page, { enhanced: theme === 'sun' });
        assert.deepEqual(found, [], `${what}, ${theme}, ${width} px`);
      }
    }
  }
  const at = (testid) => page.getByTestId(testid).first();

  it('are clean before a sign-in', async () => {
    await page.goto(world.url);
    await isClean('sign-in', at('sign-in-name'));
    await page.goto(`${world.url}/#/setup?token=abc`);
    await isClean('set-up', at('sign-in-password-again'));
    await page.goto(`${world.url}/#/link?token=abc`);
    await isClean('a link that does not work', at('banner'));
    await page.goto(`${world.url}/no/such/place`);
    await isClean('404', page.getByRole('link'));
    await page.goto(`http://127.0.0.1:${world.lanPort}`);
    await isClean("the car's own page", at('sign-in-code'));
  });

  it('are clean for people who are signed in', async () => {
    await page.goto(await world.signInLink());
    await isClean('cars', page.locator('[data-presence]').first());
    await at('add-car').click();
    await isClean('add a car', at('enrol-name'));
    await at('enrol-submit').click();
    await page.keyboard.press('Escape');
    await at('go-releases').click();
    await isClean('releases', at('release-list'));
    await at('go-people').click();
    await isClean('people', at('people'));
    await at('person-name').fill('a somewhat long name of an account');
    await at('add-person').click();
    await isClean('a link for somebody new', at('person-link'));
    await page.locator('[data-testid^="remove-"]').first().click();
    await isClean('removing somebody', at('remove-person-confirm'));
    await page.keyboard.press('Escape');
    await at('go-cars').click();
    await page.locator('[data-testid^="share-"]').first().click();
    await at('share-name').fill('a somewhat long name of an account');
    await at('share-submit').click();
    await isClean('sharing a car', page.locator('[data-testid^="unshare-"]'));
    await page.keyboard.press('Escape');
    const name = await page.getByRole('button', { name: 'Sign out' }).count();
    assert.equal(name, 1);
  });

  it('say in words that the host is gone', async () => {
    await at('go-cars').click();
    await page.setViewportSize({ width: 390, height: 844 });
    await world.host.stop();
    const status = page.locator('.host-status', { hasText: /server/iu });
    await status.waitFor();
    const { width } = await status.boundingBox();
    assert.ok(width > 60, `${width} px`);
    await isClean('host gone', status);
    await world.startHost();
  });
});
