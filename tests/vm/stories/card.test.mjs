// Checks the image for what a Raspberry Pi needs and no emulator shows.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { image } from '../lib/images.mjs';
import { seconds } from '../lib/patience.mjs';
import { tool } from '../lib/tools.mjs';

const contents = new URL('../tools/contents', import.meta.url).pathname;
const checkout = new URL('../../..', import.meta.url).pathname;

describe('the card', () => {
  let lines;
  before(async () => {
    lines = (await tool(contents, [image()], { within: seconds(120) })).stdout.split('\n');
  });
  const all = (kind) =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  const modules = (kind) =>
    all(kind)
      .map((path) => path.match(/([^/]+)\.ko(\.xz)?$/)?.[1])
      .filter(Boolean);

  it('has every file that the firmware loads with little graphics memory, of a Pi 3 to 5', () => {
    const files = all('fw');
    const wanted = [
      'bootcode.bin',
      'start.elf',
      'fixup.dat',
      'start_cd.elf',
      'fixup_cd.dat',
      'start4.elf',
      'fixup4.dat',
      'start4cd.elf',
      'fixup4cd.dat',
      'u-boot.bin',
      'uboot.env',
      'boot.scr',
      'bcm2837-rpi-3-b.dtb',
      'bcm2837-rpi-3-b-plus.dtb',
      'bcm2837-rpi-zero-2-w.dtb',
      'bcm2711-rpi-4-b.dtb',
      'bcm2711-rpi-400.dtb',
      'bcm2711-rpi-cm4-io.dtb',
      'bcm2712-rpi-5-b.dtb',
      'overlays/bcm2712d0.dtbo',
    ];
    for (const name of wanted) assert.ok(files.includes(name), `${name} is not among ${files}`);
  });

  it('gives all of the USB its current on a Pi 5', () => {
    const settings = all('setting');
    const section = settings.slice(settings.indexOf('[pi5]'), settings.indexOf('[all]'));
    assert.ok(section.includes('usb_max_current_enable=1'), `${settings}`);
  });

  it('has the overlays of every kind of board in the slot, where the kernel is', () => {
    const overlays = all('boot').filter((path) => path.endsWith('.dtbo'));
    for (const kind of [
      'brcm,bcm2711',
      'brcm,bcm2712',
      'brcm,bcm2837',
      'raspberrypi,4-compute-module',
      'raspberrypi,model-zero-2-w',
    ])
      for (const name of ['i2c', 'camera-imx219', 'camera-ov9281', 'power-ina226'])
        assert.ok(
          overlays.includes(`overlays/${kind}/${name}.dtbo`),
          `${kind}/${name}: ${overlays}`,
        );
    // A Pi 5 has a fan that Linux has no driver for, and no PWM that Linux has one for.
    const only = (name) => overlays.filter((path) => path.endsWith(`/${name}.dtbo`));
    assert.deepEqual(only('board'), ['overlays/brcm,bcm2712/board.dtbo']);
    assert.ok(only('pwm').length === 4 && !only('pwm').some((path) => path.includes('bcm2712')));
  });

  it('has no tree with which U-Boot waits for a key', () => {
    const trees = all('bootdelay');
    assert.ok(trees.length >= 9, `${trees}`);
    for (const tree of trees) assert.match(tree, /\.dtb -2$/);
  });

  it('has the drivers that a board starts with, in the initial RAM disk and in the root', () => {
    const wanted = [
      'bcm2835_wdt',
      'fixed',
      'gpio-regulator',
      'gpio-brcmstb',
      'pinctrl-brcmstb-bcm2712',
      'reset-gpio',
      'phy-generic',
      'xhci-pci',
      'i2c-dev',
      'sdhci-iproc',
      'sdhci-brcmstb',
    ];
    for (const place of ['initrd', 'root']) {
      const found = modules(place);
      for (const name of wanted) assert.ok(found.includes(name), `${name} is not in the ${place}`);
    }
  });

  it('loads the driver that restarts a Pi 4 before any other', () => {
    assert.equal(all('modules')[0], 'bcm2835_wdt');
  });
});

describe('a list of modules', () => {
  const choose = async (list) => {
    const folder = mkdtempSync(join(tmpdir(), 'rccar-modules-'));
    try {
      writeFileSync(
        join(folder, 'modules.dep'),
        'kernel/a/one-thing.ko.xz: kernel/a/needed.ko.xz\nkernel/a/needed.ko.xz:\n',
      );
      writeFileSync(join(folder, 'modules.builtin'), 'kernel/b/built_in.ko\n');
      for (const file of ['modules.builtin.modinfo', 'modules.order'])
        writeFileSync(join(folder, file), '');
      await tool('mkdir', ['-p', join(folder, 'kernel/a'), join(folder, 'to')]);
      for (const name of ['one-thing', 'needed'])
        writeFileSync(join(folder, `kernel/a/${name}.ko.xz`), '');
      writeFileSync(join(folder, 'some.list'), list);
      const script =
        '. ci/lib.sh; . image/lib/modules.sh; cd "$1"; choose_modules . to some.list; find to -name "*.ko*"';
      return (await tool('bash', ['-c', script, 'ci/x', folder], { cwd: checkout })).stdout
        .trim()
        .split('\n')
        .sort();
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('brings what its lines need; what is built in need not come', async () => {
    assert.deepEqual(await choose('# words\none_thing\nlate built-in\n'), [
      'to/kernel/a/needed.ko.xz',
      'to/kernel/a/one-thing.ko.xz',
    ]);
  });

  it('ends the build when a line matches nothing, and says which', async () => {
    await assert.rejects(
      choose('one-*\n\nlate mispelt # a word\n'),
      /some\.list:3: late mispelt.*\n.*error: /,
    );
  });
});
