// A driver's page in Debian's Chromium.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { until } from './wait.mjs';

/**
 * To Chromium a page that a test puts in place of the host's comes from the Internet, and may not
 * talk to this machine; the host's own may.
 */
const PAGES_OF_TESTS = '--disable-features=LocalNetworkAccessChecks';

/**
 * `loopback`: let ICE use loopback addresses of the browser's side, too (needed where only `::1` is
 * wanted).
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
 * Stops of a machine that halts for a moment: no picture, late answers, or input that the car gets
 * late or not at all because of them.
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
 * The cockpit of the world's first car, or of the one with this name. `before` runs in the page
 * before its own code, `signIn` instead of the one-time link; `received` lists signaling messages.
 * `page`: folder of another page than the host's own, such as a release's.
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
      page,
    } = {},
  ) {
    const context = await browser.newContext({ viewport: size });
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

  /** What the banner says, once it says it. */
  async banner(pattern) {
    await this.page.getByTestId('banner').filter({ hasText: pattern }).first().waitFor();
  }

  /** The picture is live: frames rise and telemetry comes. */
  async live(options) {
    const first = await this.when(
      'the picture is live',
      (s) => s.video?.frames > 0 && s.telemetry,
      options,
    );
    return this.when('frames rise', (s) => s.video.frames > first.video.frames + 15, options);
  }

  /**
   * Arms; presses again when the wish was dropped, as a person would: a machine that halts for a
   * moment is a link too slow to drive.
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
   * Arms by `press` and returns what is seen then. Presses anew when the wish was dropped before
   * the car was armed, as a machine that halts for a moment makes it.
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
   * Arms and holds the keys until the condition holds. Begins anew when the car was disarmed by
   * what a busy machine does, as a person would: one that halts for a moment shows no picture to
   * drive by. Any other stop is a fault.
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
   * Why the car was last stopped, which the page notes some time after it has disarmed; `null` if
   * it notes nothing.
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

/** The host answers as ever, but its page comes from a folder. */
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
