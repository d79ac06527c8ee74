// A driver who does not see where the car is cannot drive it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { PipeCamera } from '../lib/pipe-camera.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

const SIZE = { width: 320, height: 180 };
/**
 * Blind at 500 ms, neutral 250 ms later. The rest is for the way of the picture, and for a busy
 * machine.
 */
const LIMIT_MS = 1_200;

async function withCamera(options, tell) {
  const world = await World.start({ camera: { source: 'pipe', ...SIZE, bitrate_kbps: 500 } });
  const browser = await launch();
  let camera;
  try {
    const cockpit = await Cockpit.open(browser, world, options);
    camera = await PipeCamera.open(world, SIZE);
    await tell(cockpit, camera, world);
    assert.deepEqual(cockpit.errors, []);
  } finally {
    await browser.close();
    await world.stop();
    await camera?.close().catch(() => {});
  }
}

/**
 * Stops the camera in mid-drive; returns how long after the last frame the car was at neutral, in
 * ms.
 */
async function driveIntoTheDark(cockpit, camera, world) {
  await cockpit.live();
  await cockpit.drive(
    ['KeyW'],
    'the car drives',
    ({ telemetry: t }) => t.odometry.speed_mm_s > 300,
  );
  const traced = world.trace().length;
  const last = await camera.stop();
  const neutral = await until('the wheels are at neutral', () =>
    world
      .trace()
      .slice(traced)
      .find(({ output }) => output?.motor === 'neutral'),
  );
  await cockpit.page.keyboard.up('KeyW');
  return (neutral.at - last) / 1000;
}

async function cannotBeArmed(cockpit) {
  for (const press of [
    () => cockpit.page.keyboard.press('Enter'),
    () => cockpit.page.getByTestId('arm').click(),
  ]) {
    await press();
    const { control, input } = await cockpit.snapshot();
    assert.equal(input.armWanted, false);
    const later = await cockpit.when('frames are sent', (s) => s.control.sent > control.sent + 30);
    assert.deepEqual([later.input.armWanted, later.input.source], [false, 'none']);
    assert.notEqual(later.telemetry.state, 'armed');
  }
}

describe('a driver who does not see', () => {
  it('is stopped when the picture stops, and arms again when it is back', () =>
    withCamera({}, async (cockpit, camera, world) => {
      await cockpit.banner(/Waiting for the picture/);
      await cockpit.when('the car answers', (s) => s.telemetry && s.control);
      await cannotBeArmed(cockpit);
      camera.start();
      const ms = await driveIntoTheDark(cockpit, camera, world);
      console.log(`last frame of the camera → neutral: ${ms.toFixed(0)} ms`);
      assert.ok(ms <= LIMIT_MS, `${ms} ms`);

      await cockpit.banner(/The picture has stopped/);
      await cannotBeArmed(cockpit);
      const { picture_age_ms: age } = await cockpit.snapshot();
      await cockpit.when('the age that is shown rises', (s) => s.picture_age_ms > age + 500);
      const look = (id) => cockpit.page.getByTestId(id);
      assert.equal(
        await look('video').evaluate((video) => Number(getComputedStyle(video).opacity)),
        0.35,
      );
      assert.match((await look('rung-path').getAttribute('class')) ?? '', /bad/);

      camera.start();
      const seen = await cockpit.when('the picture is back', (s) => s.blind === null);
      const later = await cockpit.when(
        'frames are sent',
        (s) => s.control.sent > seen.control.sent + 50,
      );
      assert.deepEqual([later.input.armWanted, later.last_stop], [false, 'picture-stopped']);
      assert.notEqual(later.telemetry.state, 'armed');
      await look('hud-state').filter({ hasText: 'Last stop: The picture stopped' }).waitFor();
      await cockpit.arm();
      await look('hud-state')
        .filter({ hasText: /^Armed$/ })
        .waitFor();
    }));

  it('is stopped when the picture stops in a browser that does not call back for each frame', () =>
    withCamera(
      { before: () => delete HTMLVideoElement.prototype.requestVideoFrameCallback },
      async (cockpit, camera, world) => {
        camera.start();
        const ms = await driveIntoTheDark(cockpit, camera, world);
        console.log(`last frame of the camera → neutral, without callbacks: ${ms.toFixed(0)} ms`);
        assert.ok(ms <= LIMIT_MS, `${ms} ms`);
        await cannotBeArmed(cockpit);
        camera.start();
        await cockpit.when('the picture is back', (s) => s.blind === null);
        await cockpit.arm();
      },
    ));

  it('cannot arm while the picture flows but is two seconds old', () =>
    withCamera({ before: makeOld }, async (cockpit, camera) => {
      camera.start();
      await cockpit.live();
      await cockpit.banner(/The picture is [2-4]\.\d s old/);
      await cannotBeArmed(cockpit);
      await cockpit.page.evaluate(() => (globalThis.picturesOlderMs = 0));
      await cockpit.when('the picture is young', (s) => s.blind === null);
      await cockpit.arm();
      await cockpit.page.evaluate(() => (globalThis.picturesOlderMs = 2_000));
      await cockpit.when(
        'the car is disarmed',
        (s) => !s.input.armWanted && s.telemetry.state !== 'armed' && s.last_stop === 'picture-old',
      );
    }));
});

/** In the page: makes frames look as if they were taken earlier. */
function makeOld() {
  globalThis.picturesOlderMs = 2_000;
  const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
  HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
    return ask.call(this, (now, metadata) => {
      const rtpTimestamp = (metadata.rtpTimestamp - globalThis.picturesOlderMs * 90) >>> 0;
      callback(now, { ...metadata, rtpTimestamp });
    });
  };
}
