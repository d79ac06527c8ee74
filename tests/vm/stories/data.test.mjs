// A data partition that is full, damaged or destroyed does not keep a car from starting.
import assert from 'node:assert/strict';
import { BOOT, seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

const MIB = 2 ** 20;
const FULL = [
  'The data partition was full: logs and caches have been removed.',
  'The data partition is full: until the next start, settings and logs are kept in memory only.',
];

story('data partition', {}, (car, step) => {
  let id;

  step('a first boot', 460, async () => {
    // A real card's size: only a large file system keeps copies of its superblock.
    await car.flash({}, { size: 2 ** 31 });
    await car.powerOn();
    ({ id } = await car.online());
  });

  step('full: it boots, and says so', 500, async () => {
    await car.inside(
      'fallocate -l $(($(df --output=avail -B1 /data | tail -n 1))) /data/full; cat /dev/zero >>/data/full 2>/dev/null; sync',
    );
    await car.restart();
    assert.equal((await car.online()).id, id);
    // Whether it is enough to remove the journal depends on its size.
    const [notice, ...more] = await car.notices();
    assert.deepEqual(more, []);
    assert.ok(FULL.includes(notice), notice);
    await car.inside('rm /data/full; sync');
  });

  step('damaged: it is repaired, and the car is still the same', 500, async () => {
    await car.vm.kill();
    // Destroys superblock, group descriptors and the root directory. The repair finds the
    // directories in it, but without their names.
    car.card.scribble('data', 0, 64 * 1024);
    await car.powerOn();
    assert.equal((await car.online()).id, id);
    assert.deepEqual(await car.notices(), [
      'The data partition was damaged and has been repaired.',
    ]);
  });

  step(
    'a kernel that cannot mount it: that start has failed, and the data is left alone',
    500,
    async () => {
      await car.vm.kill();
      await car.powerOn({ args: ['--without-loader', 'module_blacklist=ext4'] });
      await car.vm.serial.waitFor(/this kernel cannot mount the data partition; starting again/, {
        within: BOOT,
      });
      await car.vm.kill();
      await car.powerOn();
      assert.equal((await car.online()).id, id);
    },
  );

  step('destroyed: it is made anew, and the car joins with a new token', 500, async () => {
    await car.vm.kill();
    car.card.scribble('data', 0, Math.min(car.card.partition('data').size, 256 * MIB));
    await car.provision();
    await car.powerOn();
    const seen = await car.online('a new car is online', (found) => found.id !== id);
    assert.notEqual(seen.id, id);
    const remade = 'made anew: the car has lost its identity and must be enrolled again.';
    assert.deepEqual(await car.notices(), [
      `The data partition was damaged beyond repair and has been ${remade}`,
    ]);
  });

  step('its file system is without fault afterwards', 60, async () => {
    await car.inside('systemctl poweroff', { may: [0, 255] });
    await car.vm.stopped(seconds(45));
    const { code, stdout } = await car.card.checkData();
    assert.equal(code, 0, stdout);
  });
});
