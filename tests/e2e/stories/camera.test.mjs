// Cameras other than the simulator's usual one.
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { startMeasuring } from '../lib/timecode.mjs';
import { sleep, until } from '../lib/wait.mjs';

async function withCockpit(camera, tell) {
  const world = await World.start({ camera });
  const browser = await launch();
  try {
    await tell(await Cockpit.open(browser, world), world);
  } finally {
    await browser.close();
    await world.stop();
  }
}

describe('cameras', () => {
  it('the time code in the picture can be read from the screen', () =>
    withCockpit(
      { width: 1280, height: 720, bitrate_kbps: 2500, timecode: true },
      async (cockpit) => {
        const { video } = await cockpit.live();
        assert.deepEqual([video.width, video.height], [1280, 720]);
        await cockpit.page.evaluate(startMeasuring);
        const seen = await until('30 codes are read', async () => {
          const seen = await cockpit.page.evaluate(() => globalThis.stopMeasuring());
          return seen.frames.length >= 30 && seen;
        });
        assert.equal(seen.unreadable, 0);
        // Wide bounds: this checks that the code is the time, not how fast this machine is.
        for (const { presented } of seen.frames)
          assert.ok(presented > 0 && presented < 2000, `${presented} ms`);
      },
    ));

  // Level 4.0 of H.264, which the browser does not name in its answer. At 5 Hz, because it is drawn
  // and encoded in software here.
  it('a picture larger than level 3.1 of H.264 has room for is shown', () =>
    withCockpit({ width: 1920, height: 1080, fps: 5, bitrate_kbps: 4000 }, async (cockpit) => {
      const { video } = await cockpit.live();
      assert.deepEqual([video.width, video.height], [1920, 1080]);
    }));

  it('raw frames from a pipe are shown', () =>
    withCockpit(
      { source: 'pipe', width: 320, height: 180, bitrate_kbps: 500 },
      async (cockpit, world) => {
        const [luma, chroma] = [320 * 180, (320 * 180) / 4];
        // BT.709 limited range: a strong red.
        const red = Buffer.concat([
          Buffer.alloc(luma, 63),
          Buffer.alloc(chroma, 102),
          Buffer.alloc(chroma, 240),
        ]);
        const pipe = await open(world.file('camera.i420'), 'w');
        let writing = true;
        const writer = (async () => {
          while (writing) {
            await pipe.write(red);
            await sleep(33);
          }
        })();
        try {
          await cockpit.live();
          const [r, g, b] = await cockpit.picture();
          assert.ok(r > 150 && g < 80 && b < 80, `red, not ${[r, g, b]}`);
        } finally {
          writing = false;
          await writer.catch(() => {});
          await pipe.close();
        }
      },
    ));
});
