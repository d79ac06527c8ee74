// A person opens the page, sees the camera and drives.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, difference, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

describe('driving', () => {
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
    // Node 18 does not say whether the test passed; later versions do, and then the logs help.
    if (context.passed === false) console.log(world.logs());
  });

  it('shows a live picture after one click', async () => {
    cockpit = await Cockpit.open(browser, world);
    const { video, telemetry } = await cockpit.live();
    assert.deepEqual([video.width, video.height], [640, 360]);
    assert.equal(telemetry.state, 'disarmed');
    assert.deepEqual(cockpit.errors, []);
  });

  it('measures the age of the picture and the round trip', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    const seen = await cockpit.when(
      'figures',
      (s) => s.picture_age_ms !== null && s.rtt_ms !== null,
    );
    assert.ok(
      seen.picture_age_ms >= 0 && seen.picture_age_ms < 500,
      `age ${seen.picture_age_ms} ms`,
    );
    assert.ok(seen.rtt_ms > 0 && seen.rtt_ms < 500, `round trip ${seen.rtt_ms} ms`);
  });

  it('keys move the car and its picture', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    const still = [await cockpit.picture(), await cockpit.picture()];
    const before = (await cockpit.snapshot()).telemetry.odometry;
    const moving = await cockpit.drive(
      ['ArrowUp', 'ArrowRight'],
      'the car drives to the right',
      ({ telemetry: t }) => {
        return (
          t.odometry.speed_mm_s > 300 &&
          t.steering > 3000 &&
          Math.hypot(t.odometry.x_mm - before.x_mm, t.odometry.y_mm - before.y_mm) > 400
        );
      },
    );
    assert.equal(moving.telemetry.state, 'armed');
    await until(
      'the picture changes',
      async () =>
        difference(still[1], await cockpit.picture()) > 4 * difference(still[0], still[1]) + 2,
    );
    await cockpit.page.keyboard.up('ArrowRight');
    await cockpit.page.keyboard.up('ArrowUp');
    const stopped = await cockpit.when(
      'the car stops',
      ({ telemetry: t }) => t.odometry.speed_mm_s === 0 && t.throttle === 0,
    );
    assert.ok(
      stopped.telemetry.odometry.heading !== before.heading,
      'driving to the right turns the car',
    );
  });

  it('saves the picture that is on the screen, in its own size', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    const [download] = await Promise.all([
      cockpit.page.waitForEvent('download'),
      cockpit.page.getByTestId('snapshot').click(),
    ]);
    assert.match(download.suggestedFilename(), /^Test-car-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.png$/u);
    const png = readFileSync(await download.path());
    assert.equal(png.toString('latin1', 1, 4), 'PNG');
    const { video } = await cockpit.snapshot();
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [video.width, video.height]);
    // A black picture of this size has far fewer bytes.
    assert.ok(png.length > 5_000, `${png.length} B`);
  });

  it('gears limit what the car is asked for, and are shifted while driving', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    const gear = cockpit.page.getByTestId('gear');
    await cockpit.page.keyboard.press('1');
    await gear.filter({ hasText: 'Crawl' }).waitFor();
    const crawl = await cockpit.drive(['ArrowUp'], 'the car crawls', (s) => {
      return s.input.throttle === 0.25 && s.telemetry.throttle > 800;
    });
    await cockpit.page.keyboard.press('3');
    // The car's own limit is on top of the gear's.
    const more = 3 * crawl.telemetry.throttle;
    const full = await cockpit.when(
      'much more throttle',
      (s) => s.telemetry.throttle > more || !s.input.armWanted,
    );
    assert.ok(full.telemetry.throttle > more, `stopped by ${await cockpit.whyStopped()}`);
    assert.equal(full.telemetry.state, 'armed');
    await cockpit.page.keyboard.up('ArrowUp');
    await gear.click();
    await gear.filter({ hasText: 'Crawl' }).waitFor();
    await cockpit.page.reload();
    await cockpit.page.getByTestId('gear').filter({ hasText: 'Crawl' }).waitFor();
  });

  it('its instruments are whole on every screen', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.page.keyboard.press('p');
    for (const [width, height] of [
      [1280, 720],
      [800, 1100],
      [844, 390],
      [390, 844],
    ]) {
      await cockpit.page.setViewportSize({ width, height });
      const cut = await cockpit.page.locator('.dock').evaluate((dock) => {
        const beyond = (inner, outer) =>
          inner.top < outer.top ||
          inner.bottom > outer.bottom ||
          inner.left < outer.left ||
          inner.right > outer.right;
        const screen = { top: 0, left: 0, bottom: innerHeight, right: innerWidth };
        const shown = [
          ...dock.querySelectorAll('.bar, .bar-label, .bar-track, .speed, button'),
          ...document.querySelectorAll('.plot, .plot canvas, .plot button'),
        ].filter((one) => one.getClientRects().length);
        const whole = (one) =>
          !beyond(
            one.getBoundingClientRect(),
            one.closest('.bar')?.getBoundingClientRect() ?? screen,
          );
        return {
          shown: shown.length,
          cut: shown
            .filter((one) => !whole(one))
            .map((one) => `${one.className}: ${one.textContent}`),
        };
      });
      assert.ok(cut.shown >= 6, `${cut.shown} instruments on a screen of ${width}×${height}`);
      assert.deepEqual(cut.cut, [], `${width}×${height}`);
    }
    const plot = cockpit.page.locator('.plot canvas');
    const words =
      /age of the picture \d+ ms, at most \d+; round trip \d+ ms, .*; \d+ packets lost/u;
    assert.match(await plot.getAttribute('aria-label'), words);
    await cockpit.page.keyboard.press('p');
    assert.equal(await plot.count(), 0);
  });

  it('does not move without arming', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.page.keyboard.down('ArrowUp');
    await cockpit.when('the page sends throttle', (s) => s.input.throttle > 0.5);
    const start = await cockpit.snapshot();
    const later = await cockpit.when(
      'telemetry goes on',
      (s) => s.telemetry.seq > start.telemetry.seq + 25,
    );
    assert.equal(later.telemetry.throttle, 0);
    assert.equal(later.telemetry.odometry.speed_mm_s, 0);
    await cockpit.page.keyboard.up('ArrowUp');
  });

  it('a hidden tab stops the car, and showing it again does not start it', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.drive(
      ['KeyW'],
      'the car drives',
      ({ telemetry: t }) => t.odometry.speed_mm_s > 300,
    );
    // Headless Chromium shows every tab, so the test gives the page what it would see behind
    // another tab.
    await cockpit.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', {
        configurable: true,
        get: () => 'hidden',
      });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const stopped = await cockpit.when(
      'the car stops',
      ({ telemetry: t }) => !['armed', 'holding', 'braking'].includes(t.state) && t.throttle === 0,
    );
    assert.ok(['tripped', 'disarmed'].includes(stopped.telemetry.state));
    await cockpit.page.evaluate(() => {
      delete document.visibilityState;
      document.dispatchEvent(new Event('visibilitychange'));
    });
    const start = await cockpit.snapshot();
    const later = await cockpit.when(
      'telemetry goes on',
      (s) => s.telemetry.seq > start.telemetry.seq + 25,
    );
    assert.notEqual(later.telemetry.state, 'armed');
    await cockpit.page.keyboard.up('KeyW');
    await cockpit.arm();
  });

  it('a lost focus stops the car', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.drive(
      ['KeyW'],
      'the car drives',
      ({ telemetry: t }) => t.odometry.speed_mm_s > 300,
    );
    // Playwright pretends that every page has the focus; without that, another page takes it.
    const client = await cockpit.context.newCDPSession(cockpit.page);
    await client.send('Emulation.setFocusEmulationEnabled', { enabled: false });
    await (await cockpit.context.newPage()).bringToFront();
    await cockpit.when(
      'the car stops',
      ({ telemetry: t }) =>
        ['tripped', 'disarmed'].includes(t.state) && t.odometry.speed_mm_s === 0,
    );
  });

  it('a page that dies without a word stops the car', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.drive(
      ['KeyW'],
      'the car drives',
      ({ telemetry: t }) => t.odometry.speed_mm_s > 300,
    );
    const traced = world.trace().length;
    const client = await cockpit.context.newCDPSession(cockpit.page);
    client.send('Page.crash').catch(() => {});
    await until('the drive has tripped', () =>
      world
        .trace()
        .slice(traced)
        .some((line) => line.event === 'tripped'),
    );
  });

  it('a reloaded page drives again', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.page.reload();
    await cockpit.live();
    await cockpit.arm();
  });

  it('a gamepad drives, and its disappearance stops the car', async () => {
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await cockpit.page.evaluate(() => {
      const button = (value = 0) => ({ value, pressed: value > 0.1, touched: value > 0 });
      const pad = {
        id: 'Test pad',
        index: 0,
        connected: true,
        mapping: 'standard',
        timestamp: 0,
        axes: [0, 0, 0, 0],
        buttons: Array.from({ length: 17 }, () => button()),
      };
      globalThis.testPad = pad;
      globalThis.testButton = button;
      navigator.getGamepads = () => {
        // A real stick is never still to the last bit.
        const tremor = (Math.random() - 0.5) * 1e-3;
        pad.timestamp = performance.now();
        return [pad.connected ? { ...pad, axes: pad.axes.map((axis) => axis + tremor) } : null];
      };
      window.dispatchEvent(Object.assign(new Event('gamepadconnected'), { gamepad: pad }));
      pad.buttons[0] = button(1);
    });
    await cockpit.when('the pad is in use', (s) => s.input.source === 'gamepad');
    await cockpit.page.evaluate(() => (globalThis.testPad.buttons[0] = globalThis.testButton(0)));
    // The press may have armed already. The page knows it at once, telemetry a moment later. A
    // click would then disarm.
    if (!(await cockpit.snapshot()).input.armWanted) await cockpit.page.getByTestId('arm').click();
    await cockpit.arm();
    await cockpit.page.evaluate(() => {
      globalThis.testPad.axes[0] = -0.7;
      globalThis.testPad.buttons[7] = globalThis.testButton(0.8);
    });
    await cockpit.when(
      'the car drives to the left',
      ({ telemetry: t }) => t.steering < -3000 && t.odometry.speed_mm_s > 300,
    );
    await cockpit.page.evaluate(() => {
      globalThis.testPad.connected = false;
      window.dispatchEvent(
        Object.assign(new Event('gamepaddisconnected'), { gamepad: globalThis.testPad }),
      );
    });
    const stopped = await cockpit.when(
      'the car stops',
      ({ telemetry: t }) =>
        ['tripped', 'disarmed'].includes(t.state) && t.odometry.speed_mm_s === 0,
    );
    assert.notEqual(stopped.input.source, 'gamepad');
  });
});
