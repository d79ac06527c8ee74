// The real libcamera with its virtual camera. From `ci/camera` come RCCAR_CAR, a car that was built
// with libcamera, and VIRTUAL_CAMERA, the folder where its libcamera looks for the camera's
// description.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Cockpit, difference, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { skip } from '../lib/require.mjs';
import { until } from '../lib/wait.mjs';

const folder = process.env.VIRTUAL_CAMERA;
const description = new URL(
  '../../../overlays/usr/share/rccar/virtual-camera/virtual.yaml',
  import.meta.url,
);
const plugIn = async (model = 'rccar virtual camera') =>
  writeFile(
    join(folder, 'virtual.yaml'),
    (await readFile(description, 'utf8')).replace('rccar virtual camera', model),
  );
const unplugAll = () => rm(join(folder, 'virtual.yaml'), { force: true });

async function withCockpit(camera, tell) {
  const world = await World.start({
    camera: { source: 'libcamera', width: 320, height: 180, bitrate_kbps: 300, ...camera },
  });
  const browser = await launch();
  try {
    await tell(await Cockpit.open(browser, world), world);
  } finally {
    await browser.close();
    await world.stop();
  }
}

describe('libcamera', { skip: folder ? false : skip('libcamera', 'only in ci/camera') }, () => {
  it('the picture of a camera is shown and moves', async () => {
    await plugIn();
    await withCockpit({}, async (cockpit) => {
      const { video } = await cockpit.live();
      assert.deepEqual([video.width, video.height], [320, 180]);
      const first = await cockpit.picture();
      // Bars of different colours, not a grey surface.
      assert.ok(difference(first.slice(0, 16 * 4), first.slice(48 * 4, 64 * 4)) > 10);
      await until('the bars move', async () => difference(first, await cockpit.picture()) > 5);
    });
  });

  it('without any camera the car registers and says why there is no picture', async () => {
    await unplugAll();
    await withCockpit({}, async (cockpit, world) => {
      await cockpit.banner(/no camera: none is connected/);
      assert.match(
        world.carLog(),
        /no camera: none is connected; it will be looked for again and again/,
      );
    });
  });

  // If libcamera finds no virtual camera at first, it never looks again in that process. So another
  // camera is there from the start.
  it('a camera that comes later is found, and until then those that are connected are named', async () => {
    await plugIn('some webcam');
    await withCockpit({ device: 'rccar' }, async (cockpit) => {
      await cockpit.banner(/none is called `rccar`; connected: some webcam \(Virtual0\)/);
      await plugIn();
      await cockpit.live();
    });
  });
});
