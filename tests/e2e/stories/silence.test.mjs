// The page must not show a silent car as if it were still heard.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

/**
 * A car counts as silent after half a second, and the display changes ten times a second. The rest
 * is for a busy machine.
 */
const LIMIT_MS = 1_000;

describe('a car that falls silent', () => {
  it('is shown as silent, and why it stopped is shown until it is armed again', async () => {
    const world = await World.start();
    const browser = await launch();
    try {
      const cockpit = await Cockpit.open(browser, world, { before: eyes });
      await cockpit.live();
      await cockpit.drive(
        ['KeyW'],
        'the car drives',
        ({ telemetry: t }) => t.odometry.speed_mm_s > 300,
      );
      // When a machine halts for a moment, the page may show that the car holds. With the next
      // frame it is armed again.
      const shown = () => cockpit.page.evaluate(() => globalThis.shown());
      const armed = await until('the car is shown as armed', async () => {
        const now = await shown();
        return now.state === 'Armed' && now;
      });
      assert.deepEqual(armed, {
        state: 'Armed',
        tone: 'state live',
        struck: 0,
        opacity: 1,
        path: 'good',
        arm: 'arm live',
      });

      world.car.process.kill('SIGSTOP');
      const silent = await cockpit.page.evaluate(whenSilent);
      world.car.process.kill('SIGCONT');
      console.log(`last word of the car → shown as silent: ${silent.after.toFixed(0)} ms`);
      assert.ok(silent.after <= LIMIT_MS, JSON.stringify(silent));
      assert.match(silent.state, /^No answer/);
      assert.equal(silent.tone, 'state bad');
      // Age, round trip, bit rate, path, and speed with the battery.
      assert.equal(silent.struck, 5);
      assert.equal(silent.opacity, 0.35);
      assert.equal(silent.path, 'bad');
      assert.notEqual(silent.arm, 'arm live');

      await cockpit.page.keyboard.up('KeyW');
      const back = await until('the car is heard again', async () => {
        const now = await shown();
        return now.struck === 0 && now.opacity === 1 && now.path === 'good' && now;
      });
      assert.match(back.state, /^(Stopped ·|Disarmed · Last stop:) The car did not answer$/);
      const { telemetry } = await cockpit.snapshot();
      await cockpit.when(
        'telemetry goes on',
        (s) => s.telemetry.seq > telemetry.seq + 100 && s.telemetry.state === 'disarmed',
      );
      await cockpit.page
        .getByTestId('hud-state')
        .filter({ hasText: /^Disarmed · Last stop: The car did not answer$/ })
        .waitFor();
      await cockpit.arm();
      await until('the car is shown as armed', async () => (await shown()).state === 'Armed');
    } finally {
      world.car.process.kill('SIGCONT');
      await browser.close();
      await world.stop();
    }
  });
});

/** Runs in the page before its own code: `shown()` returns what a driver sees. */
function eyes() {
  const find = (id) => document.querySelector(`[data-testid="${id}"]`);
  globalThis.shown = () => ({
    state: find('hud-state').textContent,
    tone: find('hud-state').className,
    struck: [...document.querySelectorAll('.metric dd, .speed')].filter(
      (one) => getComputedStyle(one).textDecorationLine === 'line-through',
    ).length,
    opacity: Number(getComputedStyle(find('video')).opacity),
    path: find('rung-path').className,
    arm: find('arm').className.trim(),
  });
}

/**
 * In the page: waits until the car is shown as silent. Returns what a driver sees then, and how
 * long after the last telemetry.
 */
async function whenSilent() {
  for (;;) {
    await new Promise((done) => requestAnimationFrame(done));
    const { telemetry_age_ms: age } = globalThis.rccar.snapshot();
    const seen = globalThis.shown();
    if (age > 300 && /^No answer/.test(seen.state)) return { ...seen, after: age };
  }
}
