// Somebody watches in Debian's Chromium for a while. Prints as JSON the number of frames and the
// height of the picture in each second, and when each frame was on the screen and how old it was.
import { setTimeout as sleep } from 'node:timers/promises';
import { Cockpit, launch } from '../e2e/lib/page.mjs';

const [link, seconds] = process.argv.slice(2);
const browser = await launch({ args: ['--ignore-certificate-errors'] });
const world = { url: new URL(link).origin, signInLink: () => link, logs: () => '' };
const cockpit = await Cockpit.open(browser, world);
await cockpit.live();
await cockpit.page.evaluate(noteFrames);
const epoch = await clockOfThePage();
console.log('live');
const [frames, heights] = [[], []];
const begun = monotonic();
let before = (await cockpit.snapshot()).video.frames;
for (let second = 0; second < Number(seconds); second += 1) {
  await sleep(1000);
  const now = (await cockpit.snapshot()).video.frames;
  frames.push(Math.max(0, now - before));
  before = now;
  heights.push(await cockpit.page.evaluate(() => document.querySelector('video').videoHeight));
}
const noted = await cockpit.page.evaluate(() => globalThis.noted);
const shown = noted.map(([at, rtp]) => [epoch + at - begun, ageAt(epoch + at, rtp)]);
console.log(JSON.stringify({ frames, heights, shown, errors: cockpit.errors }));
await browser.close();

/** Inside the page: notes presentation time and RTP time stamp of each frame. */
function noteFrames() {
  globalThis.noted = [];
  const video = document.querySelector('video');
  const note = (_, { presentationTime, rtpTimestamp }) => {
    globalThis.noted.push([presentationTime, rtpTimestamp]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}

/** CLOCK_MONOTONIC, the clock of the car's time stamps, in milliseconds. */
function monotonic() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * `monotonic()` at the page's time 0: from the quickest of many questions, so that the way to the
 * page and back hardly counts.
 */
async function clockOfThePage() {
  const asked = [];
  for (let n = 0; n < 50; n += 1) {
    const from = monotonic();
    const there = await cockpit.page.evaluate(() => performance.now());
    const to = monotonic();
    asked.push({ took: to - from, epoch: (from + to) / 2 - there });
  }
  return asked.sort((a, b) => a.took - b.took)[0].epoch;
}

/** Age of the frame with this RTP time stamp: 90 kHz of the car's clock, in 32 bits. */
function ageAt(now, rtp) {
  const ticks = BigInt(Math.round(now * 90)) - BigInt(rtp);
  return Number(BigInt.asIntN(32, ticks)) / 90;
}
