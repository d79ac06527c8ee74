// A driver in Debian's Chromium opens the car again and again, in three ways: from the list, after
// a look at it; by its address, in a page that is there already; and in a new page. Prints as JSON,
// for each way and time, how many milliseconds after the click each step came, up to the first
// frame on the screen.
import { setTimeout as sleep } from 'node:timers/promises';
import { Cockpit, launch } from '../e2e/lib/page.mjs';

const [link, tries] = process.argv.slice(2);
const browser = await launch({ args: ['--ignore-certificate-errors'] });
const world = { url: new URL(link).origin, signInLink: () => link, logs: () => '' };
const cockpit = await Cockpit.open(browser, world, { before: noteSteps });
const { page, carId } = cockpit;
await cockpit.live();

/** Steps of one time, when the picture is there. */
async function steps(page) {
  await page.waitForFunction(() => globalThis.steps.picture !== undefined, null, {
    timeout: 20_000,
  });
  return await page.evaluate(() => globalThis.steps);
}

const ways = {
  'after a look': async () => {
    await page.evaluate(() => (location.hash = '#/'));
    const card = page.getByTestId(`open-${carId}`);
    await card.waitFor();
    await sleep(1_500);
    await page.evaluate(() => globalThis.begin());
    await card.click();
    return await steps(page);
  },
  'by its address': async () => {
    await page.evaluate(() => (location.hash = '#/account'));
    await sleep(700);
    await page.evaluate((car) => {
      globalThis.begin();
      document.body.click();
      location.hash = `#/car/${car}`;
    }, carId);
    return await steps(page);
  },
  'in a new page': async () => {
    await page.evaluate(() => (location.hash = '#/account'));
    await sleep(700);
    const other = await page.context().newPage();
    await other.addInitScript(noteSteps);
    await other.goto(`${world.url}/#/car/${carId}`);
    const seen = await steps(other);
    await other.close();
    await sleep(300);
    return seen;
  },
};
const seen = {};
for (const [name, way] of Object.entries(ways)) {
  seen[name] = [];
  while (seen[name].length < Number(tries)) seen[name].push(await way());
}
console.log(JSON.stringify({ ways: seen, errors: cockpit.errors }));
await browser.close();

/** Inside the page: notes when each step of a session was first seen after the click. */
function noteSteps() {
  globalThis.steps = {};
  let click = 0;
  const note = (name, at = performance.now()) => {
    if (click !== Infinity) globalThis.steps[name] ??= Math.round((at - click) * 10) / 10;
  };
  globalThis.begin = () => {
    globalThis.steps = {};
    click = Infinity;
  };
  globalThis.addEventListener(
    'click',
    () => {
      if (click === Infinity) click = performance.now();
    },
    true,
  );
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    note(`sent ${JSON.parse(text).type}`);
    send.call(this, text);
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => note(`got ${JSON.parse(data).type}`));
    }
  };
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      note('peer');
      this.addEventListener('iceconnectionstatechange', () =>
        note(`ice ${this.iceConnectionState}`),
      );
      this.addEventListener('connectionstatechange', () => note(`peer ${this.connectionState}`));
      this.addEventListener('datachannel', () => note('channel'));
    }
  };
  // The element of the picture comes with the cockpit.
  const watched = new WeakSet();
  const look = () => {
    const video = document.querySelector('video');
    if (video && !watched.has(video)) {
      watched.add(video);
      const shown = (_, { presentationTime }) => {
        note('picture', presentationTime);
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    }
    requestAnimationFrame(look);
  };
  look();
}
