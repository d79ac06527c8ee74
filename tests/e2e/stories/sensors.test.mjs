// The driver sees how the car is: battery, temperature, supply. The sensors are files that look
// like the kernel's.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

const SCREENS = {
  desktop: [1280, 720],
  tablet: [800, 1100],
  sideways: [844, 390],
  phone: [390, 844],
};
const BATTERY = 'class/hwmon/hwmon2';
const PROCESSOR = 'class/hwmon/hwmon0';
const SUPPLY = 'class/hwmon/hwmon1';

describe('sensors', () => {
  let world, browser, cockpit;
  before(async () => {
    world = await World.start({ sensors: true });
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

  const feel = ({ battery = 7600, degrees = 45, sags = 0 } = {}) => {
    world.sense(`${BATTERY}/name`, 'ina226');
    world.sense(`${PROCESSOR}/name`, 'cpu_thermal');
    world.sense(`${SUPPLY}/name`, 'rpi_volt');
    world.sense(`${BATTERY}/in1_input`, battery);
    world.sense(`${PROCESSOR}/temp1_input`, degrees * 1000);
    world.sense(`${SUPPLY}/in0_lcrit_alarm`, sags);
  };
  const shows = (id, text) =>
    cockpit.page.getByTestId(id).filter({ hasText: text }).first().waitFor({ timeout: 30_000 });
  const tone = (id) => cockpit.page.getByTestId(id).getAttribute('class');

  /** Nothing lies beyond the screen or upon something else. `RCCAR_SHOTS`: folder for pictures. */
  const whole = async (state) => {
    for (const [name, [width, height]] of Object.entries(SCREENS)) {
      await cockpit.page.setViewportSize({ width, height });
      const faults = await cockpit.page.evaluate(() => {
        const boxes = [
          ...document.querySelectorAll('.rungs, .metrics, .state, .speed, .arm, .brake, .banner'),
        ].map((one) => ({ name: one.className, box: one.getBoundingClientRect() }));
        const out = ({ box }) =>
          box.left < 0 || box.top < 0 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
        // A message may cover what is behind it, but not the state or the buttons.
        const cover = (a, b) =>
          a.box.left < b.box.right - 1 &&
          b.box.left < a.box.right - 1 &&
          a.box.top < b.box.bottom - 1 &&
          b.box.top < a.box.bottom - 1;
        const pairs = boxes.flatMap((a, at) => boxes.slice(at + 1).map((b) => [a, b]));
        return [
          ...boxes.filter(out).map(({ name }) => `${name} is cut`),
          ...pairs.filter(([a, b]) => cover(a, b)).map(([a, b]) => `${a.name} is upon ${b.name}`),
        ];
      });
      if (process.env.RCCAR_SHOTS) {
        mkdirSync(process.env.RCCAR_SHOTS, { recursive: true });
        const path = join(process.env.RCCAR_SHOTS, `${state}-${name}.png`);
        await cockpit.page.screenshot({ path });
      }
      assert.deepEqual(faults, [], `${state} on a screen of ${width}×${height}`);
    }
    await cockpit.page.setViewportSize({ width: 1280, height: 800 });
  };

  it('a car that is well shows its figures and no warning', async () => {
    feel();
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await shows('hud-battery', /· 7\.6 V$/);
    await shows('vital-heat', /^45 °C$/);
    assert.equal(await tone('vital-heat'), 'good');
    assert.equal(await cockpit.page.getByTestId('vital-supply').count(), 0);
    await whole('well');
    assert.deepEqual(cockpit.errors, []);
  });

  it('heat, a supply that sags and a low battery are said in plain words', async () => {
    feel();
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    feel({ degrees: 76, battery: 7100 });
    await shows('vital-heat', '76 °C · warm');
    await shows('hud-battery', '7.1 V · low');
    await whole('warning');
    feel({ degrees: 82 });
    await shows('vital-heat', '82 °C · hot');
    await cockpit.banner(/computer is hot/);
    await whole('hot');
    feel({ degrees: 82, sags: 1 });
    await shows('vital-supply', '5 V sags');
    await cockpit.banner(/The 5 V supply sags/);
    await whole('sags');
    feel();
    await shows('vital-supply', '5 V sagged');
    await shows('vital-heat', /^45 °C$/);
    await cockpit.page
      .getByTestId('banner')
      .filter({ hasText: 'sags' })
      .waitFor({ state: 'detached' });
  });

  it('an empty battery stops the car, which says so and cannot be armed', async () => {
    feel();
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await shows('hud-battery', /· 7\.6 V$/);
    await cockpit.drive(['ArrowUp'], 'it drives', ({ telemetry: t }) => t.throttle > 0);
    feel({ battery: 6400 });
    const stopped = await cockpit.when(
      'the battery stops the car',
      ({ telemetry: t }) => t.reason === 'battery-empty',
      { within: 30_000 },
    );
    assert.equal(stopped.telemetry.throttle, 0);
    await cockpit.page.keyboard.up('ArrowUp');
    await shows('hud-battery', '6.4 V · empty');
    await cockpit.banner(/The battery is empty/);
    await whole('empty');
    feel();
    await shows('hud-battery', /· 7\.6 V$/);
  });

  it('a sensor that is gone leaves no figure behind', async () => {
    feel();
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await shows('hud-battery', /· 7\.6 V$/);
    for (const sensor of [BATTERY, PROCESSOR, SUPPLY]) world.sense(sensor);
    await shows('hud-battery', 'battery not guarded');
    await shows('vital-heat', /^\? °C$/);
    assert.equal(await cockpit.page.getByTestId('vital-supply').count(), 0);
    await whole('gone');
  });

  it('a battery with a mistake in its settings is shown as not guarded, and the car drives', async () => {
    feel();
    await world.drive.stop();
    world.writeDriveConfig('faulty = true\n');
    world.startDrive();
    cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await shows('hud-battery', '7.6 V · not guarded');
    await whole('not-guarded');
    await cockpit.drive(['ArrowUp'], 'it drives', ({ telemetry: t }) => t.throttle > 0);
    await cockpit.page.keyboard.up('ArrowUp');
  });
});
