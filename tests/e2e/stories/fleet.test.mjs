// A host that knows two thousand cars (CARS): a page gets the part of the list that it shows, finds
// a car among all of them, and drives. With RCCAR_PICTURES, stores what it looks like.
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

describe('row 2: a host with two thousand cars', () => {
  const present = [];
  let world, browser;

  before(async () => {
    world = await World.start({ inMemory: true, accounts: `max_cars = ${CARS + 1}\n` });
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
        if (number >= CARS - PRESENT) present[number - (CARS - PRESENT)] = socket;
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

  it('shows a part of them, finds each, sorts them, and lets one be driven', async () => {
    const frames = [];
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => frames.push(payload.toString())),
    );
    const begun = performance.now();
    await page.goto(await world.signInLink('ada'));
    const cards = page.getByTestId('car-list').locator('[data-presence]');
    const names = () => cards.locator('h2').allTextContents();
    const part = page.getByTestId('part');
    await page.getByText(`${(PRESENT + 1).toLocaleString('en')} of`).waitFor();
    const complete = performance.now() - begun;
    const bytes = frames.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    console.log(
      `${CARS + 1} cars: the first part is there after ${complete.toFixed(0)} ms, with ${bytes} bytes`,
    );
    assert.ok(frames.every((text) => Buffer.byteLength(text) <= MAX_MESSAGE_BYTES));
    assert.ok(bytes < 40_000, `${bytes} bytes for a page`);
    assert.equal(await part.textContent(), `1 to 48 of ${(CARS + 1).toLocaleString('en')}`);
    const presences = await cards.evaluateAll((all) => all.map((card) => card.dataset.presence));
    assert.deepEqual(presences.slice(0, PRESENT + 1), Array(PRESENT + 1).fill('available'));
    assert.ok(presences.slice(PRESENT + 1).every((presence) => presence === 'offline'));
    await pictures(page, 'cars');

    await page.getByTestId('next').click();
    await page.getByText(`49 to 96 of`).waitFor();
    await page.getByTestId('sort').selectOption('name');
    await page.getByText(`1 to 48 of`).waitFor();
    await page.waitForFunction(
      () => document.querySelectorAll('[data-presence] h2')[9]?.textContent === 'Car 9',
    );
    assert.deepEqual(
      (await names()).slice(0, 12),
      Array.from({ length: 12 }, (_, number) => `Car ${number}`),
    );
    await page.getByTestId('search').fill(`car ${CARS - 1}`);
    await page
      .getByText(new RegExp(`^1 of ${(CARS + 1).toLocaleString('en')} cars fit`, 'u'))
      .waitFor();
    assert.deepEqual(await names(), [`Car ${CARS - 1}`]);
    await pictures(page, 'found');
    // What is found stays true: the car that it shows goes away.
    present.at(-1).terminate();
    await page.locator('[data-presence="offline"] h2', { hasText: `Car ${CARS - 1}` }).waitFor();
    await page.getByTestId('search').fill('no such car');
    await page.getByTestId('no-match').waitFor();
    await page.getByTestId('no-match').getByRole('button').click();
    await page.getByText(`1 to 48 of`).waitFor();
    await page.getByTestId('show-ready').click();
    await page.getByText(`${PRESENT} of ${(CARS + 1).toLocaleString('en')} cars fit`).waitFor();
    await context.close();

    const cockpit = await Cockpit.open(browser, world, { user: 'ada', car: 'Test car' });
    await cockpit.live();
    await cockpit.arm();
    assert.deepEqual(cockpit.errors, []);
    await cockpit.close();
  });
});

/** A phone, a tablet, and a desk. */
const SCREENS = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };

async function pictures(page, name) {
  if (!process.env.RCCAR_PICTURES) return;
  for (const [screen, [width, height]] of Object.entries(SCREENS)) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${process.env.RCCAR_PICTURES}/${name}-${screen}.png` });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

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
