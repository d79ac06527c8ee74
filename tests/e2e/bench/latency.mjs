// Capture → presented latency in headless Chromium, read from the time code in the picture.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { quantile, startMeasuring } from '../lib/timecode.mjs';
import { sleep } from '../lib/wait.mjs';

const RUNS = Number(process.env.RUNS ?? 5);
const SECONDS = Number(process.env.SECONDS ?? 15);
const WARM_UP_MS = 3_000;
const SIZES = [
  { width: 640, height: 360, bitrate_kbps: 1_500, median: 12, p95: 25 },
  { width: 1280, height: 720, bitrate_kbps: 3_000, median: 18, p95: 35 },
];

const ms = (value) => value.toFixed(1).padStart(6);

async function measure(size) {
  // New programs for each run: the phase between camera and compositor is fixed within a run.
  const world = await World.start({ camera: { ...size, timecode: true } });
  const browser = await launch();
  try {
    const cockpit = await Cockpit.open(browser, world, { size: { width: 1280, height: 720 } });
    await cockpit.live();
    await sleep(WARM_UP_MS);
    await cockpit.page.evaluate(startMeasuring);
    await sleep(SECONDS * 1000);
    const { frames, unreadable } = await cockpit.page.evaluate(() => globalThis.stopMeasuring());
    const column = (name) => frames.map((frame) => frame[name]).filter((value) => value !== null);
    return {
      median: quantile(column('presented'), 0.5),
      p95: quantile(column('presented'), 0.95),
      received: quantile(column('received'), 0.5),
      called: quantile(column('called'), 0.5),
      fps: frames.length / SECONDS,
      unreadable,
    };
  } finally {
    await browser.close();
    await world.stop();
  }
}

const results = [];
const machine = `${cpus().length} × ${cpus()[0].model}, Linux ${release()}`;
console.log(
  `Capture → presented (requestVideoFrameCallback's presentationTime), ms. ${machine}, load ${loadavg()[0].toFixed(1)}`,
);
for (const size of SIZES) {
  const name = `${size.width}×${size.height}@30, ${size.bitrate_kbps} kbit/s`;
  console.log(`\n${name}\n  run  median     p95  received  callback    fps  unreadable`);
  const runs = [];
  for (let run = 1; run <= RUNS; run += 1) {
    const r = await measure(size);
    runs.push(r);
    console.log(
      `  ${String(run).padStart(3)}  ${ms(r.median)}  ${ms(r.p95)}    ${ms(r.received)}    ${ms(r.called)}  ${r.fps.toFixed(1)}  ${r.unreadable}`,
    );
  }
  const over = (field) =>
    quantile(
      runs.map((run) => run[field]),
      0.5,
    );
  const spread = (field) =>
    `${ms(Math.min(...runs.map((r) => r[field])))} …${ms(Math.max(...runs.map((r) => r[field])))}`;
  const reached = over('median') <= size.median && over('p95') <= size.p95;
  console.log(
    `  all  ${ms(over('median'))}  ${ms(over('p95'))}    ${ms(over('received'))}   (medians of the runs)`,
  );
  console.log(
    `  medians ${spread('median')}, p95 ${spread('p95')}; aim ≤ ${size.median} and ≤ ${size.p95}: ${reached ? 'reached' : 'missed'}`,
  );
  results.push({ size: name, median: over('median'), p95: over('p95'), runs });
}
mkdirSync(new URL('../../../out', import.meta.url), { recursive: true });
const file = new URL('../../../out/bench-latency.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ machine, seconds: SECONDS, results }, null, 2)}\n`);
console.log('\nEvery run is in out/bench-latency.json');
