// Who gets in, who drives, and what the page says when it does not work.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

describe('a new host', () => {
  let world, browser;
  before(async () => {
    world = await World.start({ account: false });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('is set up by its one-time link, and by nobody after that', async () => {
    const page = await browser.newPage();
    const link = world.host.log().match(/http\S+#\/setup\?token=\S+/)[0];
    await page.goto(link);
    await page.getByTestId('sign-in-name').fill('Grace');
    await page.getByTestId('sign-in-password').fill('a long enough passphrase');
    await page.getByTestId('sign-in-password-again').fill('a long enough passphrase');
    await page.getByTestId('sign-in-submit').click();
    await page.getByTestId('car-list').waitFor();

    const stranger = await (await browser.newContext()).newPage();
    const refused = await stranger.request.post(`${world.url}/api/v1/setup`, {
      headers: { Origin: world.url },
      data: {
        token: link.split('token=')[1],
        name: 'Mallory',
        password: 'a long enough passphrase',
      },
    });
    assert.equal(refused.status(), 409, 'the link has made its account');
    await stranger.goto(world.url);
    await stranger.getByTestId('sign-in-name').fill('Grace');
    await stranger.getByTestId('sign-in-password').fill('not the passphrase');
    await stranger.getByTestId('sign-in-submit').click();
    await stranger.getByText(/wrong/i).first().waitFor();
    await stranger.getByTestId('sign-in-password').fill('a long enough passphrase');
    await stranger.getByTestId('sign-in-submit').click();
    await stranger.getByTestId('car-list').waitFor();
  });

  it('gives out the configuration of a new car', async () => {
    const page = await browser.newPage();
    await world.addUser('ada');
    await page.goto(await world.signInLink());
    await page.getByTestId('add-car').first().click();
    await page.getByTestId('enrol-submit').click();
    await page.getByText('For a car without a card').click();
    const config = await page.getByTestId('enrolment-config').innerText();
    assert.match(config, /\[host\]/);
    assert.match(config, new RegExp(`url = "${world.url}"`));
    assert.match(config, /enrolment = "\S{20,}"/);
  });
});

describe('one car, several people', () => {
  let world, browser;
  before(async () => {
    world = await World.start({ lan: true });
    browser = await launch();
    await world.addUser('grace');
    await world.share('grace');
  });
  afterEach(async () => {
    // A failed story leaves its pages open; they would keep the car busy.
    for (const context of browser.contexts()) await context.close();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('nobody sees a car without signing in', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(world.url);
    await page.getByTestId('sign-in-submit').waitFor();
    assert.equal(await page.getByTestId('car-list').count(), 0);
  });

  it('an answer from before the sign-in does not undo it', async () => {
    const page = await (await browser.newContext()).newPage();
    const release = resolvers();
    let asked = 0;
    await page.route('**/api/v1/sign-in', async (route) => {
      asked += 1;
      if (asked > 1) return route.continue();
      const early = await route.fetch();
      await release.promise;
      return route.fulfill({ response: early });
    });
    await page.goto(await world.signInLink());
    await page.locator('[data-testid^="open-"]').first().waitFor();
    const late = page.waitForResponse('**/api/v1/sign-in');
    release.resolve();
    await (await late).finished();
    await page.evaluate(() => new Promise((done) => setTimeout(done, 0)));
    assert.equal(await page.getByTestId('sign-in-submit').count(), 0);
    assert.ok((await page.locator('[data-testid^="open-"]').count()) > 0);
  });

  it('a second driver is refused and told who drives', async () => {
    const first = await Cockpit.open(browser, world);
    await first.live();
    const second = await (await browser.newContext()).newPage();
    await second.goto(await world.signInLink('grace'));
    await second.getByTestId('car-list').getByText(/ada/).waitFor();
    await second.goto(`${world.url}/#/car/${first.carId}`);
    await second.getByTestId('banner').filter({ hasText: /ada/ }).first().waitFor();
    assert.ok((await first.live()).telemetry, 'the first driver goes on');
  });

  it('row 4: the owner takes the car back, and the driver reads by whom', async () => {
    const driver = await Cockpit.open(browser, world, { user: 'grace' });
    await driver.live();
    await driver.arm();
    const owner = await (await browser.newContext()).newPage();
    await owner.goto(await world.signInLink('ada'));
    await owner.locator('[data-testid^="open-"]').first().click();
    await owner.getByTestId('action-take').click();
    await owner.getByTestId('take-confirm').click();
    await driver.page.getByTestId('banner').getByText('ada took the car back').waitFor();
    assert.equal(await driver.page.getByTestId('action-connect').count(), 0);
    await owner.waitForFunction(
      () => globalThis.rccar.snapshot().session?.phase?.name === 'connected',
    );
  });

  it('row 4: a driver may not take the car, and loses it with the right', async () => {
    await world.carOnline();
    const first = await Cockpit.open(browser, world, { user: 'grace' });
    await first.live();
    await world.share('grace', 'spectator');
    await first.page
      .getByTestId('banner')
      .getByText(/may no longer drive/)
      .waitFor();
    await first.page.goto(world.url);
    await first.page.locator('[data-testid^="spectator-"]').waitFor();
    await world.share('grace');
    await first.page.locator('[data-testid^="open-"]').waitFor();
  });

  it("the car's own page drives with its access code, and keeps others out meanwhile", async () => {
    const origin = `http://127.0.0.1:${world.lanPort}`;
    const signIn = async (page) => {
      await page.goto(origin);
      await page.getByTestId('sign-in-code').fill(world.accessCode());
      await page.getByTestId('sign-in-submit').click();
    };
    const cockpit = await Cockpit.open(browser, world, { origin, signIn });
    await cockpit.live();
    await cockpit.arm();
    const other = await (await browser.newContext()).newPage();
    await other.goto(await world.signInLink('grace'));
    await other.goto(`${world.url}/#/car/${cockpit.carId}`);
    await other
      .getByTestId('banner')
      .filter({ hasText: /drives this car/ })
      .first()
      .waitFor();
  });

  for (const [signal, how] of [
    ['SIGKILL', 'killed'],
    ['SIGTERM', 'stopped in order'],
  ])
    it(`row 11: the drive goes on while the host is ${how}, and the host is found again`, async () => {
      await world.carOnline();
      const cockpit = await Cockpit.open(browser, world);
      await cockpit.live();
      await cockpit.arm();
      await world.host.stop(signal);
      await cockpit.when('the page has noticed', (s) => s.signaling !== 'ready');
      const without = await cockpit.live();
      assert.equal(without.telemetry.state, 'armed');
      await world.startHost();
      await cockpit.when('the page is back', (s) => s.signaling === 'ready');
      const again = await cockpit.live();
      assert.equal(again.telemetry.state, 'armed');
      assert.equal(again.peer.instance, without.peer.instance, 'the connection stayed');
      await cockpit.page.close();
    });

  it('a car that goes away is told, and comes back by itself', async () => {
    await world.carOnline();
    const cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await world.car.stop();
    await cockpit.banner(/stopped|offline|left|gone/i);
    const gone = await cockpit.snapshot();
    await world.startCar();
    await cockpit.when(
      'the page connects again',
      (s) => s.peer?.connection === 'connected' && s.peer.instance > (gone.peer?.instance ?? 0),
    );
    await cockpit.live();
  });

  it('a drive service that dies is told, and its restart drives again', async () => {
    await world.carOnline();
    const cockpit = await Cockpit.open(browser, world);
    await cockpit.live();
    await world.drive.stop('SIGKILL');
    await cockpit.when('the page knows', (s) => s.telemetry?.reason === 'drive-service-lost');
    await cockpit.banner(/drive/i);
    world.startDrive();
    await cockpit.when('the drive is back', (s) => s.telemetry?.reason !== 'drive-service-lost');
    await cockpit.arm();
  });

  it('a browser without H.264 is told so', async () => {
    await world.carOnline();
    const cockpit = await Cockpit.open(browser, world, {
      before: () => {
        RTCRtpReceiver.getCapabilities = () => ({
          codecs: [{ mimeType: 'video/VP8', clockRate: 90000 }],
          headerExtensions: [],
        });
      },
    });
    await cockpit.banner(/H\.264/);
  });
});

/** A promise with its `resolve`. */
function resolvers() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}
