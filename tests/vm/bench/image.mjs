// Figures of the image, for docs/performance.md: time from power-on to registered and its parts,
// memory, sizes. Boots RUNS (3) fresh cards one after the other.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { bundle, image, result } from '../lib/images.mjs';
import { story } from '../lib/story.mjs';

const RUNS = Number(process.env.RUNS ?? 3);
// Limits: bytes of a root slot; KiB of memory that our services use together while nobody drives.
const ROOT_AT_MOST = 55e6;
const SERVICES_AT_MOST = 60e6 / 1024;

story('bench image', {}, (car, step) => {
  const runs = [];

  for (let run = 1; run <= RUNS; run += 1) {
    step(`boot ${run} of ${RUNS}`, 460, async () => {
      await car.flash({}, { size: 2 ** 31 });
      const { serial } = await car.powerOn();
      const at = async (expression) => {
        await serial.waitFor(expression, { within: 400_000 });
        return { wall: car.vm.seconds(), cpu: car.vm.cpuSeconds };
      };
      const marks = {
        'kernel started': await at(/Booting Linux on physical CPU/),
        'kernel ready (runs /init)': await at(/Run \/init as init process/),
        registered: (await car.online(), { wall: car.vm.seconds(), cpu: car.vm.cpuSeconds }),
      };
      const kernel = Number(serial.text.match(/\[\s*(\d+\.\d+)\] Run \/init/)[1]);
      marks.uptime = Number((await car.inside('cat /proc/uptime')).split(' ')[0]);
      runs.push({ ...marks, kernel });
    });
  }

  step('inside', 300, async () => {
    await car.inside('systemctl is-system-running --wait || true');
    for (const command of [
      'systemd-analyze time',
      'systemd-analyze blame --no-pager | head -n 20',
      'systemd-analyze critical-chain --no-pager rccar-car.service',
    ]) {
      console.log(`\n$ ${command}\n${await car.inside(command).catch((error) => error.message)}`);
    }
    // The owner's shell must not look into other processes; a separate unit may.
    const pss =
      'for s in /proc/[0-9]*; do p=$(sed -n "s/^Pss: *\\([0-9]*\\).*/\\1/p" $s/smaps_rollup 2>/dev/null); [ -n "$p" ] && echo "$p $(tr "\\0" " " <$s/cmdline | cut -c1-40)"; done | sort -rn';
    const shares = await car.inside(`systemd-run -q --pipe --wait sh -c '${pss}'`);
    const ours = shares
      .split('\n')
      .filter((line) => /^\d+ (\S*\/)?rccar-/.test(line))
      .map((line) => Number(line.split(' ')[0]));
    const sum = ours.reduce((all, share) => all + share, 0);
    console.log(`\nPSS in KiB\n${shares}\nour ${ours.length} services: ${sum} KiB`);
    assert.ok(
      ours.length >= 3 && sum <= SERVICES_AT_MOST,
      `our ${ours.length} services hold ${sum} KiB`,
    );
    console.log(await car.inside('free -k; df -k; cat /proc/uptime; rauc --version'));
  });

  step('figures', 10, async () => {
    const spread = (values) =>
      `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)})`;
    for (const mark of ['kernel started', 'kernel ready (runs /init)', 'registered']) {
      console.log(
        `${mark}: ${spread(runs.map((run) => run[mark].wall))} s, ${spread(runs.map((run) => run[mark].cpu))} s of processor time`,
      );
    }
    console.log(`kernel's own boot time: ${spread(runs.map(({ kernel }) => kernel))} s`);
    console.log(
      `registered after power-on, as a multiple of it: ${spread(runs.map((run) => run.registered.wall / run.kernel))}`,
    );
    const files = {
      image: image(),
      bundle: bundle(),
      root: result('root', 'root.img'),
      kernel: result('kernel', 'Image.gz'),
      'initial RAM disk': result('boot', 'files/initrd.img'),
    };
    assert.ok(
      statSync(files.root).size <= ROOT_AT_MOST,
      `the root slot has ${statSync(files.root).size} bytes`,
    );
    for (const [name, file] of Object.entries(files))
      console.log(`${name}: ${statSync(file).size} bytes`);
  });
});

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
