// Drivers that Debian's kernel lacks and the image has (image/boards/own-modules.list): the card's
// kernel takes each of them. With them, the modules that only stories have.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { story } from '../lib/story.mjs';

const top = new URL('../../../', import.meta.url);
const modules = readFileSync(new URL('image/boards/own-modules.list', top), 'utf8')
  .split('\n')
  .map((line) => line.replace(/#.*/, '').split(/\s+/))
  .filter(([name]) => name);
const named = (use) => modules.filter((words) => words[1] === use).map(([name]) => name);

story('drivers', {}, (car, step) => {
  const asRoot = (command) =>
    car.inside(`systemd-run -q --pipe --wait sh -ec '${command}'`).then((text) => text.trim());

  const lacking = (files) =>
    asRoot(`for file in ${files.join(' ')}; do test -s $file || echo $file; done`);

  step('the kernel takes the drivers of the image', 460, async () => {
    await car.flash({});
    await car.powerOn();
    await car.online();
    assert.ok(named('image').length > 0);
    await asRoot(`for name in ${named('image').join(' ')}; do modprobe $name; done`);
    const loaded = await asRoot('ls /sys/module');
    for (const name of named('image'))
      assert.match(loaded, new RegExp(`^${name.replaceAll('-', '_')}$`, 'm'));
  });

  step("the Pi 5's libcamera has its files for each sensor", 120, async () => {
    // As libcamera calls the sensors; docs/cameras.md has the list.
    const sensors = ['imx219', 'imx290', 'imx296', 'ov5647', 'ov9281_mono'];
    const files = [
      '/usr/lib/aarch64-linux-gnu/libcamera/ipa/ipa_rpi_pisp.so',
      '/usr/lib/aarch64-linux-gnu/libcamera/ipa/ipa_rpi_pisp.so.sign',
      '/usr/share/libpisp/backend_default_config.json',
      ...sensors.map((name) => `/usr/share/libcamera/ipa/rpi/pisp/${name}.json`),
    ];
    assert.equal(await lacking(files), '');
    await asRoot('modprobe rp1-cfe; modprobe pisp-be');
  });

  step("the Pi 4's libcamera knows its receiver, and makes pictures in software", 120, async () => {
    assert.equal(
      await lacking([
        '/usr/lib/aarch64-linux-gnu/libcamera/ipa/ipa_soft_simple.so',
        '/usr/lib/aarch64-linux-gnu/libcamera/ipa/ipa_soft_simple.so.sign',
        '/usr/share/libcamera/ipa/simple/uncalibrated.yaml',
      ]),
      '',
    );
    assert.match(await asRoot('cat /etc/libcamera/configuration.yaml'), /^ +mode: cpu$/m);
    const edits = readFileSync(new URL('image/packages/edits.list', top), 'utf8');
    const [, path, sum] = edits.match(/^(\S+) \S+ (\S+) qcom-camss unicam$/m);
    assert.equal(await asRoot(`sha256sum </${path}`), `${sum}  -`);
  });

  step('no car has those of the stories', 120, async () => {
    for (const name of named('test'))
      assert.equal(await asRoot(`find /usr/lib/modules -name "${name}.ko*"`), '');
  });

  step(
    'a story adds them: a bus whose chips only store, with one that hwmon knows',
    180,
    async () => {
      await car.addTestModules();
      await asRoot('modprobe i2c-stub chip_addr=0x41');
      const bus = await asRoot(
        'grep -l "SMBus stub" /sys/bus/i2c/devices/i2c-*/name | cut -d/ -f6',
      );
      assert.match(bus, /^i2c-\d+$/);
      await asRoot(`test -c /dev/${bus}; echo ina226 0x41 >/sys/bus/i2c/devices/${bus}/new_device`);
      const chip = `/sys/bus/i2c/devices/${bus.slice(4)}-0041/hwmon/hwmon*`;
      assert.equal(await asRoot(`cat ${chip}/name ${chip}/in1_input`), 'ina226\n0');
    },
  );

  step('an encoder of pictures, and the far ends of a bus and of pins', 120, async () => {
    await asRoot('modprobe vicodec; modprobe i2c-virtio; modprobe gpio-virtio');
    assert.match(await asRoot('cat /sys/class/video4linux/video*/name'), /stateful-encoder/);
  });
});
