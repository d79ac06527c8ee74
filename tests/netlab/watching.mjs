// Somebody watches in Debian's Chromium for a while. Prints the number of frames in each second as
// JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { Cockpit, launch } from '../e2e/lib/page.mjs';

const [link, seconds] = process.argv.slice(2);
const browser = await launch({ args: ['--ignore-certificate-errors'] });
const world = { url: new URL(link).origin, signInLink: () => link, logs: () => '' };
const cockpit = await Cockpit.open(browser, world);
await cockpit.live();
console.log('live');
const frames = [];
let before = (await cockpit.snapshot()).video.frames;
for (let second = 0; second < Number(seconds); second += 1) {
  await sleep(1000);
  const now = (await cockpit.snapshot()).video.frames;
  frames.push(Math.max(0, now - before));
  before = now;
}
console.log(JSON.stringify({ frames, errors: cockpit.errors }));
await browser.close();
