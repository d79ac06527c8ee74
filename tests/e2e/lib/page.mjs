// A driver's page in Debian's Chromium.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { until } from './wait.mjs';

/**
 * A test may replace the host's page. For Chromium such a page comes from the Internet and must not
 * talk to this machine, unlike the host's own. This flag allows it.
 */
const PAGES_OF_TESTS = '--disable-features=LocalNetworkAccessChecks';

/**
 * `loopback`: lets ICE use the browser's loopback addresses, too (for stories that use only `::1`).
 */
export function launch({ loopback = false, args = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      PAGES_OF_TESTS,
      '--autoplay-policy=no-user-gesture-required',
      ...(loopback ? ['--allow-loopback-in-peer-connection'] : []),
      ...args,
    ],
  });
}

/**
 * Reasons for a stop when the test machine halts for a moment: no picture, late answers, or input
 * that comes late or not at all.
 */
const OF_A_BUSY_MACHINE = new Set([
  'picture-stopped',
  'picture-old',
  'link-slow',
  'car-silent',
  'silent',
  'stale-input',
  'no-device',
]);

/**
 * The cockpit of the world's first car, or of the car with the name `car`. `before` runs in the
 * page before its own code, `signIn` replaces the one-time link, `page` is a folder with another
 * page than the host's own, such as a release's, or, while somebody works on the page, RCCAR_PAGE:
 * the host need not be compiled for it. `received` lists the types of all signaling
 * messages so far.
 */
export class Cockpit {
  static async open(
    browser,
    world,
    {
      query = '',
      origin,
      user,
      signIn,
      car,
      size = { width: 1280, height: 800 },
      before,
      page = process.env.RCCAR_PAGE,
    } = {},
  ) {
    // A service worker would fetch the host's own page in place of this one.
    const serviceWorkers = page ? 'block' : 'allow';
    const context = await browser.newContext({ viewport: size, serviceWorkers });
    const cockpit = new Cockpit();
    cockpit.context = context;
    cockpit.page = await context.newPage();
    cockpit.errors = [];
    cockpit.said = [];
    cockpit.page.on('console', (message) => {
      cockpit.said.push(message.text());
      if (/cannot be read.*malformed/u.test(message.text())) cockpit.errors.push(message.text());
    });
    cockpit.received = [];
    cockpit.page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        const { type, code, text } = JSON.parse(payload);
        cockpit.received.push(type);
        // What only a later release says (grease) is no mistake to anybody.
        if (code === 'malformed') cockpit.errors.push(`the host says: ${text}`);
      });
    });
    await cockpit.page.addInitScript(() => (globalThis.rccarGrease = true));
    if (page) await servePage(cockpit.page, origin ?? world.url, page);
    if (before) await cockpit.page.addInitScript(before);
    cockpit.page.on('pageerror', (error) => cockpit.errors.push(error.message));
    if (signIn) {
      await signIn(cockpit.page);
    } else {
      const link = await world.signInLink(user);
      await cockpit.page.goto(origin ? link.replace(world.url, origin) : link);
    }
    const cards = cockpit.page.locator('[data-presence]');
    const card = (car ? cards.filter({ hasText: car }) : cards)
      .locator('[data-testid^="open-"]')
      .first();
    await card.waitFor().catch(async (error) => {
      const seen = {
        ...(await cockpit.snapshot()),
        received: cockpit.received,
        errors: cockpit.errors,
        said: cockpit.said,
      };
      throw new Error(
        `${error.message}\nno car is listed: ${JSON.stringify(seen)}\n${world.logs()}`,
      );
    });
    cockpit.carId = (await card.getAttribute('data-testid')).slice('open-'.length);
    if (query) await cockpit.page.goto(`${origin ?? world.url}/#/car/${cockpit.carId}?${query}`);
    else await card.click();
    return cockpit;
  }

  snapshot() {
    return this.page.evaluate(() => globalThis.rccar.snapshot());
  }

  /** Waits until the snapshot satisfies the condition; returns it. */
  async when(what, condition, options) {
    let last;
    try {
      return await until(
        what,
        async () => {
          last = await this.snapshot();
          return (await condition(last)) && last;
        },
        options,
      );
    } catch (error) {
      const banner = await this.page.getByTestId('banner').allInnerTexts();
      throw new Error(
        `${error.message}\nlast: ${JSON.stringify(last)}\nbanner: ${banner}\npage errors: ${this.errors}`,
      );
    }
  }

  /** Waits until the banner matches. */
  async banner(pattern) {
    await this.page.getByTestId('banner').filter({ hasText: pattern }).first().waitFor();
  }

  /** Waits until the picture is live: the number of frames rises and telemetry comes. */
  async live(options) {
    const first = await this.when(
      'the picture is live',
      (s) => s.video?.frames > 0 && s.telemetry,
      options,
    );
    return this.when('frames rise', (s) => s.video.frames > first.video.frames + 15, options);
  }

  /**
   * Arms. Presses again if the page dropped the wish, as a person would: when a machine halts for a
   * moment, the link counts as too slow to drive.
   */
  async arm(options) {
    await this.when(
      'the drive is there',
      (s) => s.telemetry?.reason !== 'drive-service-lost',
      options,
    );
    await this.page.bringToFront();
    let pressed = -Infinity;
    const press = async ({ telemetry, input }) => {
      if (telemetry.state === 'armed') return true;
      if (!input.armWanted && performance.now() - pressed > 1_000) {
        await this.page.getByTestId('arm').click();
        pressed = performance.now();
      }
      return false;
    };
    await this.when('the car is armed', press, options);
  }

  /**
   * Arms by `press` and returns the snapshot then. Presses again if the page dropped the wish
   * before the car was armed, as it does when a machine halts for a moment.
   */
  async armedBy(what, press) {
    for (let tries = 5; ; tries -= 1) {
      await press();
      await this.when(`${what}: the press counts`, (s) => s.input.armWanted);
      const seen = await this.when(
        what,
        (s) => s.telemetry.state === 'armed' || !s.input.armWanted,
      );
      if (seen.input.armWanted) return seen;
      if (tries === 0)
        throw new Error(
          `the wish is dropped each time before this: ${what}\nlast: ${JSON.stringify(seen)}`,
        );
    }
  }

  /**
   * Arms and holds the keys until the condition holds. Begins again if a busy machine made the car
   * disarm, as a person would: when it halts for a moment, there is no picture to drive by. Any
   * other stop is a fault.
   */
  async drive(keys, what, condition, options) {
    for (let tries = 5; ; tries -= 1) {
      await this.arm(options);
      for (const key of keys) await this.page.keyboard.down(key);
      const seen = await this.when(what, (s) => condition(s) || !s.input.armWanted, options);
      if (condition(seen)) return seen;
      for (const key of keys) await this.page.keyboard.up(key);
      const why = await this.whyStopped();
      if (!OF_A_BUSY_MACHINE.has(why))
        throw new Error(`disarmed by ${why} before this: ${what}\nlast: ${JSON.stringify(seen)}`);
      if (tries === 0)
        throw new Error(`disarmed each time before this: ${what}; the last time by ${why}`);
    }
  }

  /**
   * Why the car last stopped; `null` without a reason. The page notes the reason some time after it
   * has disarmed.
   */
  async whyStopped() {
    const noted = this.when('the reason of the stop', (s) => s.last_stop, { within: 2_000 });
    return (await noted.catch(() => null))?.last_stop ?? null;
  }

  /** The picture, scaled down to 64×36, as bytes of red, green, blue and alpha. */
  picture() {
    return this.page.evaluate(() => {
      const video = document.querySelector('video');
      const [w, h] = [64, 36];
      const canvas = new OffscreenCanvas(w, h);
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0, w, h);
      return Array.from(context.getImageData(0, 0, w, h).data);
    });
  }

  close() {
    return this.context.close();
  }
}

/** The host still answers requests, but its page comes from a folder. */
async function servePage(page, origin, folder) {
  const file = (path) => join(folder, path === '/' ? 'index.html' : path);
  const isOfThePage = ({ origin: from, pathname }) => from === origin && existsSync(file(pathname));
  await page.route(isOfThePage, (route) =>
    route.fulfill({ path: file(new URL(route.request().url()).pathname) }),
  );
}

/** Mean difference per colour channel of two pictures, 0…255. */
export function difference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}
