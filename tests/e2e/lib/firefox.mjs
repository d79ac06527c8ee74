// A driver's page in Debian's Firefox, by WebDriver BiDi.
import puppeteer from 'puppeteer-core';
import { until } from './wait.mjs';

/**
 * Firefox decodes H.264 of WebRTC with its OpenH264 plugin, which it downloads from its maker, or
 * with the machine's own decoder where it trusts that. Tests must not download, and a machine
 * without a graphics card is not on Firefox's list: it is told to trust it (1: nothing speaks
 * against it). The decoder is then FFmpeg's.
 */
const DECODER = {
  'media.webrtc.hw.h264.enabled': true,
  'media.navigator.mediadatadecoder_h264_enabled': true,
  'gfx.blacklist.webrtc.hw.acceleration': 1,
  'gfx.blacklist.webrtc.hw.acceleration.h264': 1,
};

/**
 * `decoder: false` is a Firefox that cannot decode H.264 in WebRTC, `loopback` one that gathers
 * loopback addresses.
 */
export function launchFirefox({ decoder = true, loopback = false } = {}) {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    extraPrefsFirefox: {
      ...(decoder ? DECODER : {}),
      'media.autoplay.default': 0,
      'media.peerconnection.ice.loopback': loopback,
    },
  });
}

export class FoxCockpit {
  /** The cockpit of the world's first car. `before` runs in the page before its own code. */
  static async open(browser, world, { before } = {}) {
    const cockpit = new FoxCockpit();
    cockpit.context = await browser.createBrowserContext();
    cockpit.page = await cockpit.context.newPage();
    await cockpit.page.setViewport({ width: 1280, height: 800 });
    cockpit.errors = [];
    // Firefox reports its advice as errors of the page, too.
    cockpit.page.on('pageerror', ({ message }) => {
      if (!message.startsWith('WebRTC: Using five or more')) cockpit.errors.push(message);
    });
    if (before) await cockpit.page.evaluateOnNewDocument(before);
    await cockpit.page.goto(await world.signInLink());
    await cockpit.enter();
    return cockpit;
  }

  /** From the list into the cockpit. */
  async enter() {
    const card = await this.page.waitForSelector('[data-testid^="open-"]:not([disabled])');
    await card.click();
  }

  /** Back to the list; the car is free again. */
  async leave() {
    await this.page.evaluate(() => (location.hash = '#/'));
    await this.page.waitForSelector('[data-testid^="open-"]');
  }

  snapshot() {
    return this.page.evaluate(() => globalThis.rccar?.snapshot() ?? null);
  }

  async when(what, condition, options) {
    let last;
    try {
      return await until(
        what,
        async () => {
          last = await this.snapshot();
          return last !== null && (await condition(last)) && last;
        },
        options,
      );
    } catch (error) {
      error.message += `\nlast: ${JSON.stringify(last)}\npage errors: ${this.errors}`;
      throw error;
    }
  }

  async live(options) {
    const first = await this.when(
      'the picture is live',
      (s) => s.video?.frames > 0 && s.telemetry,
      options,
    );
    return this.when('frames rise', (s) => s.video.frames > first.video.frames + 15, options);
  }

  /** Arms and holds the key until the condition holds; again if a busy machine disarmed the car. */
  async drive(key, what, condition) {
    for (let tries = 5; ; tries -= 1) {
      await this.arm();
      await this.page.keyboard.down(key);
      const seen = await this.when(what, (s) => condition(s) || !s.input.armWanted);
      if (condition(seen)) return seen;
      await this.page.keyboard.up(key);
      if (tries === 0) throw new Error(`disarmed each time before this: ${what}`);
    }
  }

  /** Arms, and presses again if a busy machine made the page drop the wish. */
  async arm() {
    let pressed = -Infinity;
    await this.when('the car is armed', async ({ telemetry, input }) => {
      if (telemetry?.state === 'armed') return true;
      if (!input.armWanted && performance.now() - pressed > 1_000) {
        await this.page.click('[data-testid="arm"]');
        pressed = performance.now();
      }
      return false;
    });
  }

  banners() {
    return this.page.$$eval('[data-testid="banner"]', (all) => all.map((one) => one.innerText));
  }

  close() {
    return this.context.close();
  }
}
