// A driver in Debian's Chromium whose picture is old or stops. "arm": holds the arming key all the
// time. "drive": arms, drives, says so, and holds on to the throttle whatever comes.
import { setTimeout as sleep } from 'node:timers/promises';
import { Cockpit, launch } from '../e2e/lib/page.mjs';

const [link, what, seconds] = process.argv.slice(2);
const browser = await launch({ args: ['--ignore-certificate-errors'] });
const world = { url: new URL(link).origin, signInLink: () => link, logs: () => '' };
const cockpit = await Cockpit.open(browser, world);
await cockpit.live();
if (what === 'drive') await drive();
console.log(what);
const ends = performance.now() + Number(seconds) * 1_000;
while (performance.now() < ends) {
  if (what === 'arm') await cockpit.page.keyboard.press('Enter');
  await sleep(250);
}
console.log(JSON.stringify({ errors: cockpit.errors }));
await browser.close();

/** A busy machine may make the link slow for a moment: then this tries again, as a person would. */
async function drive(tries = 3) {
  try {
    await cockpit.drive(['KeyW'], 'the car drives', ({ telemetry: t }) => t.throttle > 2_500);
  } catch (error) {
    if (tries === 0) throw error;
    await cockpit.page.keyboard.up('KeyW');
    await drive(tries - 1);
  }
}
