// A driver in Debian's Chromium opens the car again and again. Prints as JSON, for each time, how
// many milliseconds after the click each step came, up to the first frame on the screen.
import { setTimeout as sleep } from 'node:timers/promises';
import { Cockpit, launch } from '../e2e/lib/page.mjs';

const [link, tries] = process.argv.slice(2);
const browser = await launch({ args: ['--ignore-certificate-errors'] });
const world = { url: new URL(link).origin, signInLink: () => link, logs: () => '' };
const cockpit = await Cockpit.open(browser, world, { before: noteSteps });
const { page } = cockpit;
await cockpit.live();
const steps = [];
while (steps.length < Number(tries)) {
  // Back to the list, as a driver goes.
  await page.evaluate(() => (location.hash = '#/'));
  const card = page.getByTestId(`open-${cockpit.carId}`);
  await card.waitFor();
  await sleep(700);
  await page.evaluate(() => globalThis.begin());
  await card.click();
  await page.waitForFunction(() => globalThis.steps.picture !== undefined, null, {
    timeout: 20_000,
  });
  steps.push(await page.evaluate(() => globalThis.steps));
}
console.log(JSON.stringify({ steps, errors: cockpit.errors }));
await browser.close();

/** Inside the page: notes when each step of a session was first seen after the click. */
function noteSteps() {
  globalThis.steps = {};
  let click = 0;
  const note = (name, at = performance.now()) => {
    globalThis.steps[name] ??= Math.round((at - click) * 10) / 10;
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
