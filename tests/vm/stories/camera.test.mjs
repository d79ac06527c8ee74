// A camera on the ribbon cable of a Pi 4, as far as no board is needed: a sensor and a receiver
// that the kernel plays (vimc, as image/boards/own-modules/vimc.sed changes it), libcamera with the
// receiver's name (image/packages/edits.list), pictures made by the processor, to the cockpit.
import assert from 'node:assert/strict';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('camera', {}, (car, step) => {
  const asRoot = (command) =>
    car.inside(`systemd-run -q --pipe --wait sh -ec '${command}'`).then((text) => text.trim());

  step('without the sensor the car says which one it misses', 460, async () => {
    await car.flash({ camera: { device: 'imx219' } });
    await car.powerOn();
    await car.online();
    const cockpit = await car.drive();
    await cockpit.banner(/none is called `imx219`; connected: rccar virtual camera/);
    await cockpit.close();
  });

  step('libcamera takes the receiver, and its pictures from the software ISP', 240, async () => {
    await car.addTestModules();
    await asRoot('modprobe vimc; udevadm settle');
    const listed = await asRoot('LIBCAMERA_LOG_LEVELS=*:DEBUG rccar-car cameras 2>&1');
    assert.match(listed, /^\d: imx219 \(\S*platform\/unicam\.\d+\S* imx219\)$/m, listed);
    // Sizes to measure, cut out of the sensor's only one, without a pixel of Bayer at each side.
    assert.match(listed, /^ +RGB888: 2x2 to 636x480$/m, listed);
    // Not in a process of its own, where its errors and its age would be others.
    assert.match(listed, /ipa_soft_simple\.so signature is valid/, listed);
    assert.doesNotMatch(listed, /DebayerEGL|eGL:|No valid configuration/, listed);
  });

  step("the sensor's picture is in the cockpit, with its colours", 300, async () => {
    const cockpit = await car.drive();
    const { video } = await cockpit.live({ within: seconds(120) });
    assert.deepEqual([video.width, video.height], [320, 180]);
    // Of the eight bars of a 640 pixels wide picture, the middle four.
    const bars = { cyan: [0, 1, 1], green: [0, 1, 0], magenta: [1, 0, 1], red: [1, 0, 0] };
    const picture = await cockpit.picture();
    const [width, row] = [64, 18];
    Object.entries(bars).forEach(([name, parts], index) => {
      const at = (row * width + ((index + 0.5) / 4) * width) * 4;
      const pixel = picture.slice(at, at + 3);
      const [lit, dark] = [1, 0].map((on) => pixel.filter((_, part) => parts[part] === on));
      assert.ok(Math.min(...lit) > Math.max(...dark) + 60, `${name}: ${pixel}`);
    });
    assert.deepEqual(cockpit.errors, []);
    await cockpit.close();
    const log = await car.inside('journalctl -b -o cat -u rccar-car');
    assert.match(log, /camera opened: 320x180 RGB888/);
  });
});
