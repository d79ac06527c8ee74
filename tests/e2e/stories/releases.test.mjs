// A release from the page of the host to a car.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { make, missingTools } from '../lib/bundles.mjs';
import { launch } from '../lib/page.mjs';
import { PlainCar } from '../lib/plain-car.mjs';
import { World } from '../lib/programs.mjs';
import { skip } from '../lib/require.mjs';

const BOARD = 'rccar-rpi-arm64';
const missing = missingTools();

describe('releases', { skip: missing ? skip('bundles', missing) : false }, () => {
  let world, browser, page, car, token;
  before(async () => {
    world = await World.start({ account: false });
    browser = await launch();
    await world.addUser('ada');
    await make(world.directory, 'key', 'own');
    copyFileSync(world.file('own.crt'), world.file('keyring.pem'));
    await make(world.directory, 'bundle', 'good.raucb', '0.4.0-dev.217', BOARD, 'own');
    const altered = readFileSync(world.file('good.raucb'));
    altered[123_456] ^= 1;
    writeFileSync(world.file('altered.raucb'), altered);
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(await world.signInLink());
    await page.getByTestId('go-releases').click();
    car = new PlainCar();
    const carPage = await browser.newPage();
    await carPage.goto(world.url);
    token = await car.register(carPage, {
      token: await world.enrolmentToken(),
      name: 'Blitz',
    });
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const offer = () =>
    fetch(
      `${world.url}/api/v1/car/releases/offer?channel=stable&compatible=${BOARD}&running=0.3.1`,
      {
        headers: { authorization: `Bearer ${token}` },
      },
    );

  const upload = async (file, { rollout = 100, notes = '' } = {}) => {
    await page.getByTestId('release-file').setInputFiles(world.file(file));
    await page.getByTestId('release-rollout').fill(String(rollout));
    await page.getByTestId('release-notes').fill(notes);
    await page.getByTestId('release-upload').click();
    return page.getByTestId('release-verdict').innerText();
  };

  it('refuses an altered bundle and says where it was altered', async () => {
    assert.match(await upload('altered.raucb'), /not what was signed: from byte 122880 on/);
    assert.deepEqual(readdirSync(world.file('releases')), []);
    assert.equal((await offer()).status, 204);
  });

  it('takes a signed bundle, offers it step by step, and serves it in parts', async () => {
    const verdict = await upload('good.raucb', {
      rollout: 0,
      notes: 'Less lag on 4G\nQuieter fan',
    });
    assert.match(verdict, /0\.4\.0-dev\.217 is whole and signed by CN=own/);
    await page.getByTestId('release-0.4.0-dev.217').getByText('For no car yet').waitFor();
    assert.equal((await offer()).status, 204);

    const announced = car.hears('release');
    await page.getByTestId('rollout-0.4.0-dev.217').fill('100');
    await page.getByTestId('release-0.4.0-dev.217').getByText('For all cars').waitFor();
    assert.equal((await announced).version, '0.4.0-dev.217');

    const bundle = readFileSync(world.file('good.raucb'));
    const offered = await (await offer()).json();
    assert.equal(offered.sha256, createHash('sha256').update(bundle).digest('hex'));
    assert.equal(offered.size, bundle.length);
    assert.equal(offered.notes, 'Less lag on 4G\nQuieter fan');
    const get = (range) =>
      fetch(world.url + offered.url, {
        headers: { authorization: `Bearer ${token}`, range },
      });
    const halves = [await get('bytes=0-299999'), await get('bytes=300000-')];
    assert.deepEqual(
      halves.map(({ status }) => status),
      [206, 206],
    );
    const parts = await Promise.all(
      halves.map(async (half) => Buffer.from(await half.arrayBuffer())),
    );
    assert.ok(Buffer.concat(parts).equals(bundle));
    assert.equal((await fetch(world.url + offered.url)).status, 401);
  });

  it('holds a release back and shows what the command line has changed', async () => {
    await page.getByTestId('pause-0.4.0-dev.217').click();
    await page.getByTestId('release-0.4.0-dev.217').getByText('Paused').waitFor();
    assert.equal((await offer()).status, 204);
    await world.release('resume', '0.4.0-dev.217');
    await world.release('rollout', '0.4.0-dev.217', '40');
    await page.getByTestId('release-0.4.0-dev.217').getByText('40 % of the cars').first().waitFor();
  });

  it("shows a car's update on its card", async () => {
    const update = { running: '0.3.1', version: '0.4.0-dev.217' };
    await page.getByTestId('go-cars').click();
    const line = page.getByTestId('update');
    await car.reports({
      state: 'downloading',
      ...update,
      percent: 41,
      bytes: 4_400_000,
    });
    await line.getByText('41 %').waitFor();
    assert.equal(await line.getByRole('progressbar').getAttribute('aria-valuenow'), '41');
    await car.reports({
      state: 'waiting',
      ...update,
      reason: 'somebody drives the car',
    });
    await line.getByText('Somebody drives the car.').waitFor();
    await car.reports({
      state: 'failed',
      ...update,
      reason: 'no camera picture within 90 s',
    });
    await line.getByText('The update to 0.4.0-dev.217 failed').waitFor();
    await line.getByText('No camera picture within 90 s.').waitFor();
    await page.getByTestId('go-releases').click();
  });

  it('removes a release after asking', async () => {
    await page.getByTestId('ask-remove-0.4.0-dev.217').click();
    await page.getByTestId('remove-0.4.0-dev.217').click();
    await page.getByText('Nothing here yet').waitFor();
    assert.deepEqual(readdirSync(world.file('releases')), []);
  });
});
