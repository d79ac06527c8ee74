// Every change must keep this working: the image boots, registers, is driven, and updates itself.
import assert from 'node:assert/strict';
import { bundles } from '../lib/bundles.mjs';
import { lookUp } from '../lib/mdns.mjs';
import { seconds } from '../lib/patience.mjs';
import { story } from '../lib/story.mjs';

story('quick', {}, (car, step) => {
  step('flash, power on, registered', 460, async (test) => {
    await car.flash({}, { size: 2 ** 31 });
    const { serial } = await car.powerOn();
    const seen = await car.online();
    assert.equal(seen.name, 'Emulated car');
    const [, uptime] = (await car.inside('cat /proc/uptime')).match(/^(\S+)/);
    test.diagnostic(
      `registered ${car.vm.seconds().toFixed(0)} s after power-on; the kernel has run for ${uptime} s`,
    );
    assert.match(serial.text, /rccar: slot A \(attempts left: A 2, /);
  });

  step('is found by its name on its own network', 60, async () => {
    assert.equal(await lookUp('emulated-car.local', seconds(30)), car.address);
  });

  step('grew its data partition to the card', 60, async () => {
    const kilobytes = Number(await car.inside('df -k --output=size /data | tail -n 1'));
    assert.ok(kilobytes > 2 ** 20, `${kilobytes} KiB`);
  });

  step('shows its picture and obeys the driver', 180, async () => {
    const slow = { within: seconds(60) };
    const cockpit = await car.drive();
    const { video, telemetry } = await cockpit.live(slow);
    assert.ok(
      video.width >= 160 && telemetry.state === 'disarmed',
      JSON.stringify({ video, telemetry }),
    );
    const keys = ['ArrowRight', 'ArrowUp'];
    const turning = ({ telemetry: t }) => t.steering > 3000 && t.odometry.speed_mm_s > 300;
    // When the emulator halts for a moment, the car disarms, as it must. Then the driver lets go
    // and arms again.
    for (let tries = 1; ; tries++) {
      await cockpit.arm(slow);
      for (const key of keys) await cockpit.page.keyboard.down(key);
      const seen = await cockpit.when(
        'the wheels turn',
        (s) => turning(s) || s.telemetry.state !== 'armed',
        slow,
      );
      for (const key of keys) await cockpit.page.keyboard.up(key);
      if (turning(seen)) break;
      assert.ok(
        tries < 5,
        `armed ${tries} times, each time disarmed before the wheels turned: ${JSON.stringify(seen.telemetry)}`,
      );
    }
    await cockpit.when('the car stops', ({ telemetry: t }) => t.odometry.speed_mm_s === 0, slow);
    assert.deepEqual(cockpit.errors, []);
    await cockpit.close();
    // The drive's own log. Not while somebody drives: opening a shell takes so much of an emulated
    // car's time that the car misses its driver.
    assert.match(
      await car.inside('journalctl -b -o cat -u rccar-drive'),
      /armed: the wheels follow the driver/,
    );
  });

  step('takes a release over the air and keeps it', 600, async () => {
    await car.parkAtOnce();
    const { version, file } = await bundles.next();
    await car.host.release(file);
    await car.car(
      'the car loads the release',
      ({ update }) => update?.state === 'downloading' || update?.state === 'rebooting',
    );
    await car.online(
      'the car runs the release',
      ({ update }) => update?.running === version && update.state === 'idle',
    );
    const status = JSON.parse(await car.inside('rauc status --output-format=json'));
    assert.equal(status.booted, 'B');
    const booted = status.slots.flatMap(Object.values).find(({ bootname }) => bootname === 'B');
    assert.equal(booted.boot_status, 'good');
  });
});
