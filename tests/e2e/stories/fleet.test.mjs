// A host that knows two thousand cars: everybody gets the whole list, in messages that fit, and
// drives.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

const CARS = Number(process.env.CARS ?? 2000);
/** Cars that stay connected. */
const PRESENT = 20;
/**
 * Cars that register at the same time. Each has a connection for HTTP and one for its WebSocket,
 * and a host accepts 64 from one address.
 */
const AT_ONCE = 16;
/** PROTOCOL.md, "WebSocket". */
const MAX_MESSAGE_BYTES = 65_536;

describe('a host with two thousand cars', () => {
  const present = [];
  let world, browser;

  before(async () => {
    world = await World.start({ inMemory: true });
    browser = await launch();
    await world.addUser('bob');
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(await world.signInLink('bob'));
    await page.getByTestId('car-list').waitFor();
    const cookie = (await context.cookies())
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    await context.close();
    let next = 0;
    const someone = async () => {
      while (next < CARS) {
        const number = next++;
        const socket = await register(world, cookie, `Car ${number}`);
        // The last ones stay.
        if (number >= CARS - PRESENT) present.push(socket);
        else await new Promise((closed) => socket.on('close', closed).close());
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, someone));
  });
  after(async () => {
    present.forEach((socket) => socket.terminate());
    await browser?.close();
    await world?.stop();
  });

  it('lists all of them in parts that fit, those that are there first, and lets one be driven', async () => {
    const sizes = [];
    const watch = (page) =>
      page.on('websocket', (socket) =>
        socket.on('framereceived', ({ payload }) => sizes.push(Buffer.byteLength(payload))),
      );
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    watch(page);
    const begun = performance.now();
    await page.goto(await world.signInLink('ada'));
    const cards = page.getByTestId('car-list').locator('[data-presence]');
    await page.waitForFunction(
      (wanted) => document.querySelectorAll('[data-presence]').length === wanted,
      CARS + 1,
    );
    const complete = performance.now() - begun;
    console.log(
      `${CARS + 1} cars in the list after ${complete.toFixed(0)} ms, in ${sizes.length} messages of ${Math.max(...sizes)} bytes at most`,
    );
    assert.ok(Math.max(...sizes) <= MAX_MESSAGE_BYTES);
    const presences = await cards.evaluateAll((all) => all.map((card) => card.dataset.presence));
    assert.deepEqual(presences.slice(0, PRESENT + 1), Array(PRESENT + 1).fill('available'));
    assert.ok(presences.slice(PRESENT + 1).every((presence) => presence === 'offline'));
    if (process.env.RCCAR_PICTURES)
      await page.screenshot({ path: `${process.env.RCCAR_PICTURES}/fleet.png` });
    await context.close();

    const cockpit = await Cockpit.open(browser, world, { user: 'ada', car: 'Test car' });
    await cockpit.live();
    await cockpit.arm();
    assert.deepEqual(cockpit.errors, []);
    await cockpit.close();
  });
});

/** Enrols and registers a new car of Bob's; returns its socket. */
async function register(world, cookie, name) {
  const answer = await fetch(`${world.url}/api/v1/enrolments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify({ name }),
  });
  const { token } = await answer.json();
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const socket = new WebSocket(`${world.url.replace('http', 'ws')}/ws/car`, 'rccar.v1');
  const { nonce } = await heard(socket, 'challenge');
  const signed = Buffer.concat([
    Buffer.from(`rccar register v1\0${new URL(world.url).host}\0`),
    Buffer.from(nonce, 'base64'),
  ]);
  const base64 = (bytes) => bytes.toString('base64').replace(/=+$/, '');
  const key = base64(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  const signature = base64(sign(null, signed, privateKey));
  const about = { v: 1, name, software: 'rccar-e2e/1', enrolment: token };
  socket.send(JSON.stringify({ type: 'register', key, signature, ...about }));
  await heard(socket, 'registered');
  return socket;
}

function heard(socket, type) {
  return new Promise((resolve, reject) => {
    socket.on('close', (code) => reject(new Error(`closed with ${code} before ${type}`)));
    socket.on('error', reject);
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type === type) resolve(message);
    });
  });
}
