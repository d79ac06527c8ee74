// A host that knows two thousand cars: everybody gets the whole list, in messages that fit, and drives.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

const CARS = Number(process.env.CARS ?? 2000);
/** Cars that stay connected. */
const PRESENT = 20;
/** At once: a host lets 64 connections of one address in. */
const AT_ONCE = 40;
/** PROTOCOL.md, "WebSocket". */
const MAX_MESSAGE_BYTES = 65_536;

describe('a host with two thousand cars', () => {
  let world, browser;

  before(async () => {
    world = await World.start({ inMemory: true });
    browser = await launch();
    await world.addUser('bob');
    const page = await (await browser.newContext()).newPage();
    await page.goto(await world.signInLink('bob'));
    await page.getByTestId('car-list').waitFor();
    for (let first = 0; first < CARS; first += AT_ONCE) {
      const names = Array.from({ length: Math.min(AT_ONCE, CARS - first) }, (_, i) => `Car ${first + i}`);
      // The last ones stay.
      await register(page, world, names, first + AT_ONCE >= CARS ? PRESENT : 0);
    }
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('lists all of them in parts that fit, those that are there first, and lets one be driven', async () => {
    const sizes = [];
    const watch = (page) =>
      page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => sizes.push(Buffer.byteLength(payload))));
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    watch(page);
    const begun = performance.now();
    await page.goto(await world.signInLink('ada'));
    const cards = page.getByTestId('car-list').locator('[data-presence]');
    await page.waitForFunction((wanted) => document.querySelectorAll('[data-presence]').length === wanted, CARS + 1);
    const complete = performance.now() - begun;
    console.log(`${CARS + 1} cars in the list after ${complete.toFixed(0)} ms, in ${sizes.length} messages of ${Math.max(...sizes)} bytes at most`);
    assert.ok(Math.max(...sizes) <= MAX_MESSAGE_BYTES);
    const presences = await cards.evaluateAll((all) => all.map((card) => card.dataset.presence));
    assert.deepEqual(presences.slice(0, PRESENT + 1), Array(PRESENT + 1).fill('available'));
    assert.ok(presences.slice(PRESENT + 1).every((presence) => presence === 'offline'));
    if (process.env.RCCAR_PICTURES) await page.screenshot({ path: `${process.env.RCCAR_PICTURES}/fleet.png` });
    await context.close();

    const cockpit = await Cockpit.open(browser, world, { user: 'ada', car: 'Test car' });
    await cockpit.live();
    await cockpit.arm();
    assert.deepEqual(cockpit.errors, []);
    await cockpit.close();
  });
});

/** Lets new cars in and registers them; `stay` of them stay connected. */
async function register(page, world, names, stay) {
  const keys = names.map(() => generateKeyPairSync('ed25519'));
  const challenges = await page.evaluate(open, names);
  const base64 = (bytes) => bytes.toString('base64').replace(/=+$/, '');
  const messages = challenges.map(({ token, nonce }, i) => {
    const signed = Buffer.concat([
      Buffer.from(`rccar register v1\0${new URL(world.url).host}\0`),
      Buffer.from(nonce, 'base64'),
    ]);
    const key = keys[i].publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    const signature = base64(sign(null, signed, keys[i].privateKey));
    const about = { v: 1, name: names[i], software: 'rccar-e2e/1', enrolment: token };
    return { type: 'register', key: base64(key), signature, ...about };
  });
  await page.evaluate(registered, [messages, stay]);
}

/** Inside the page: a token and a challenge for each car. */
function open(names) {
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const heard = (socket, type) =>
    new Promise((resolve, reject) => {
      socket.addEventListener('close', ({ code }) => reject(new Error(`closed: ${code}`)));
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === type) resolve(message);
      });
    });
  globalThis.heard = heard;
  globalThis.opened = [];
  globalThis.staying ??= [];
  return Promise.all(
    names.map(async (name, i) => {
      const answer = await fetch('/api/v1/enrolments', { ...json, body: JSON.stringify({ name }) });
      const { token } = await answer.json();
      const socket = new WebSocket(`ws://${location.host}/ws/car`, 'rccar.v1');
      globalThis.opened[i] = socket;
      return { token, nonce: (await heard(socket, 'challenge')).nonce };
    }),
  );
}

/** Inside the page: registers the cars, and lets go of those that are not to stay. */
async function registered([messages, stay]) {
  await Promise.all(
    messages.map(async (message, i) => {
      const socket = globalThis.opened[i];
      const done = globalThis.heard(socket, 'registered');
      socket.send(JSON.stringify(message));
      await done;
      if (i < stay) globalThis.staying.push(socket);
      else await new Promise((closed) => (socket.addEventListener('close', closed), socket.close()));
    }),
  );
}
