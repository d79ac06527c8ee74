// What can be done before the driver decides is done before: the page and the car find each other
// while the driver still looks at the list.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

describe('a prepared session', () => {
  let world, browser;
  const open = [];
  before(async () => {
    world = await World.start();
    await world.addUser('bob');
    await world.share('bob');
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });
  afterEach(async (context) => {
    for (const cockpit of open.splice(0)) await cockpit.close();
    if (context.passed === false) console.log(world.logs());
  });

  /** Somebody who has driven, and looks at the list of cars again. */
  async function atTheList(options = {}) {
    const cockpit = await Cockpit.open(browser, world, { ...options, before: countPeers });
    open.push(cockpit);
    await cockpit.live();
    await toTheList(cockpit);
    return cockpit;
  }

  async function toTheList(cockpit) {
    const before = await cockpit.page.evaluate(() => globalThis.peers.length);
    await cockpit.page.evaluate(() => (location.hash = '#/'));
    await until('the car is free', () => presence(cockpit, 'available'));
    return before;
  }

  const presence = async ({ page, carId }, is) =>
    (await page.getByTestId(`car-${carId}`).getAttribute('data-presence')) === is;
  const peers = ({ page }) =>
    page.evaluate(() => globalThis.peers.map(({ connectionState }) => connectionState));
  const drives = () => world.carLog().match(/a driver connects/gu)?.length ?? 0;

  it('is connected before the click, takes nobody’s place, and begins with it', async () => {
    const cockpit = await atTheList();
    await until(
      'page and car are connected',
      async () => (await peers(cockpit))[1] === 'connected',
    );
    const [before, received] = [drives(), cockpit.received.length];
    assert.ok(await presence(cockpit, 'available'), 'the car is free');
    assert.equal(await cockpit.page.locator('video').count(), 0);
    await cockpit.page.getByTestId(`open-${cockpit.carId}`).click();
    const { telemetry } = await cockpit.live();
    assert.equal(telemetry.state, 'disarmed');
    assert.equal(drives(), before + 1);
    assert.equal((await peers(cockpit)).length, 2, 'the click needs no other connection');
    assert.ok(!cockpit.received.slice(received).includes('offer'), 'and no other offer');
    await cockpit.drive(['ArrowUp'], 'the car drives', ({ telemetry: t }) => {
      return t.odometry.speed_mm_s > 300;
    });
    assert.deepEqual(cockpit.errors, []);
  });

  it('gives way to somebody who drives, and is made again', async () => {
    const ada = await atTheList();
    await until('they are connected', async () => (await peers(ada))[1] === 'connected');
    const bob = await Cockpit.open(browser, world, { user: 'bob', before: countPeers });
    open.push(bob);
    await bob.live();
    await until('Ada’s is over', async () => (await peers(ada))[1] === 'closed');
    await bob.close();
    open.splice(open.indexOf(bob), 1);
    await until('the car is free', () => presence(ada, 'available'));
    const card = ada.page.getByTestId(`open-${ada.carId}`);
    await card.hover();
    await until('her hand prepares another', async () => (await peers(ada)).length === 3);
    // At once: the click does not wait for it.
    await card.click();
    await ada.live();
    assert.equal((await peers(ada)).length, 3);
    assert.deepEqual(ada.errors, []);
  });

  it('is given back when the page is hidden', async () => {
    const cockpit = await atTheList();
    await until('they are connected', async () => (await peers(cockpit))[1] === 'connected');
    await cockpit.page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await until('it is over', async () => (await peers(cockpit))[1] === 'closed');
  });

  it('that the car has lost is no obstacle to a click', async () => {
    const cockpit = await atTheList();
    await until('they are connected', async () => (await peers(cockpit))[1] === 'connected');
    await world.car.stop('SIGKILL');
    await world.startCar();
    await until('the car is back', () => presence(cockpit, 'available'));
    await cockpit.page.getByTestId(`open-${cockpit.carId}`).click();
    await cockpit.live();
    assert.deepEqual(cockpit.errors, []);
  });
});

/** Inside the page: keeps its peer connections. */
function countPeers() {
  globalThis.peers = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      globalThis.peers.push(this);
    }
  };
}
