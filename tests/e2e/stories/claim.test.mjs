// A car without a token shows a code. Somebody claims it and gives it away, and somebody else
// claims it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe } from '../lib/looks.mjs';
import { Cockpit, launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

const CODE = /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/;
const PHONE = { width: 390, height: 844 };

/** With RCCAR_PICTURES, stores screenshots for people who want to look at the page. */
async function picture(page, name) {
  if (process.env.RCCAR_PICTURES)
    await page.screenshot({ path: `${process.env.RCCAR_PICTURES}/${name}.png`, fullPage: true });
}

/** The code that the car's own page shows on its network, without a sign-in. */
async function codeOnLanPage(browser, world, name) {
  const page = await (await browser.newContext({ viewport: PHONE })).newPage();
  await page.goto(`http://127.0.0.1:${world.lanPort}`);
  const code = await page.getByTestId('claim-code').innerText();
  await picture(page, name);
  await page.context().close();
  return code;
}

/** What a person fills in who has never seen this file, with names that are hard to write down. */
async function fillIn(page) {
  await page.getByTestId('card-wifi.country').selectOption({ label: 'Germany (DE)' });
  await page.getByTestId('card-wifi.0.ssid').fill('Tom\'s "5G" \\ Küche');
  await page.getByTestId('card-wifi.0.password').fill('short');
  await page.getByTestId('network-add').click();
  await page.getByTestId('card-wifi.1.ssid').fill('👨‍👩‍👧 home');
  await page.getByLabel('It hides its name').nth(1).check();
  await page.getByTestId('card-modem').getByText('Mobile network').click();
  await page.getByTestId('card-carrier').selectOption({ label: 'EE' });
  await page.getByTestId('card-modem.pin').fill('0042');
  await page.getByTestId('card-drive').getByText('Servo and motor').click();
  await page.getByTestId('card-drive.actuator').selectOption('pca9685');
  await page.getByTestId('card-drive.max_forward').fill('40');
  // A mistake is named at its field, and no file is made.
  await page.getByTestId('enrol-submit').click();
  await page.getByText(/8 to 63 characters, this has 5/u).waitFor();
  await page.getByTestId('card-wifi.0.password').fill('a "quoted" \\ #pass');
  await page.getByText('The file so far').click();
  for (const line of WRITTEN) await page.getByTestId('card-preview').getByText(line).waitFor();
}

const WRITTEN = [
  'country = "DE"',
  'ssid = "Tom\'s \\"5G\\" \\\\ Küche"',
  'password = "a \\"quoted\\" \\\\ #pass"',
  'ssid = "👨\\u200d👩\\u200d👧 home"',
  'hidden = true',
  'apn = "everywhere"',
  'user = "eesecure"',
  'pin = "0042"',
  'actuator = "pca9685"',
  'max_forward = 40',
];

async function signedIn(browser, world, user, size = { width: 1280, height: 800 }) {
  const page = await (await browser.newContext({ viewport: size })).newPage();
  await page.goto(await world.signInLink(user));
  await page.getByTestId('car-list').waitFor();
  return page;
}

/** What a phone opens that reads the QR code on the car's own page. */
async function linkOnLanPage(browser, world) {
  const page = await (await browser.newContext({ viewport: PHONE })).newPage();
  await page.goto(`http://127.0.0.1:${world.lanPort}`);
  const link = await page.getByTestId('claim-qr').getAttribute('data-text');
  await page.context().close();
  return link;
}

async function claim(page, code, picturedAs) {
  await page.getByTestId('add-car').first().click();
  await page.getByTestId('claim-code-field').fill(code);
  if (picturedAs) await picture(page, picturedAs);
  await page.getByTestId('claim-submit').click();
}

describe('a card without a token', () => {
  let world, browser, first, id;

  before(async () => {
    world = await World.start({ lan: true, card: '[car]\nname = “Blitz”\n[camera]\nfps = 99\n' });
    browser = await launch();
    await world.addUser('grace');
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('shows its code on its own page and to the console, and what is wrong with the card', async () => {
    first = await codeOnLanPage(browser, world, 'lan-phone');
    assert.match(first, CODE);
    assert.equal(readFileSync(world.file('run/claim-code'), 'utf8').trim(), first);
    assert.ok(!world.carLog().includes(first), 'a code does not belong into a log');
    const page = await (
      await browser.newContext({ viewport: { width: 1280, height: 800 } })
    ).newPage();
    await page.goto(`http://127.0.0.1:${world.lanPort}`);
    const faults = page.getByTestId('card-faults');
    await faults.getByText(/Line 6, camera.fps/).waitFor();
    assert.match(await faults.innerText(), /1 to 60/);
    await page
      .getByTestId('card-notices')
      .getByText(/curly quotation marks/)
      .waitFor();
    await picture(page, 'lan-desktop');
  });

  it('does not show it to a page that only pretends to be on the network', async () => {
    assert.equal((await world.statusByName('blitz.local')).claim, first);
    assert.deepEqual(await world.statusByName('rebound.example'), {
      near: false,
      car: null,
      name: null,
      host: null,
      claim: null,
      provision: null,
    });
  });

  it('is not in anybody’s list, and a wrong code claims nothing', async () => {
    const page = await signedIn(browser, world, 'ada');
    await page.getByText('No cars yet').waitFor();
    await picture(page, 'empty-desktop');
    await claim(page, '0000-0000');
    await page.getByText(/no car shows this code/i).waitFor();
  });

  it('belongs to whoever types the code, and drives', async () => {
    const page = await signedIn(browser, world, 'ada', PHONE);
    // As people type it.
    await claim(page, first.toLowerCase().replace('-', ' '), 'claim-phone');
    await page
      .getByTestId('claimed')
      .filter({ hasText: /Blitz is yours/ })
      .waitFor();
    await page.getByLabel('Close').click();
    const card = page.locator('[data-presence="available"]');
    await card.getByText('Yours').waitFor();
    id = (await card.getAttribute('data-testid')).slice('car-'.length);
    await picture(page, 'owned-phone');
    const cockpit = await Cockpit.open(browser, world, { user: 'ada' });
    await cockpit.live();
    await cockpit.arm();
    await cockpit.close();
    await until('the code is gone from the console', () => !world.has('run/claim-code'));
    const lan = await (await browser.newContext()).newPage();
    await lan.goto(`http://127.0.0.1:${world.lanPort}`);
    await lan
      .getByTestId('host-state')
      .getByText(/Registered with/)
      .waitFor();
    assert.equal(await lan.getByTestId('claim-code').count(), 0);
  });

  it('is removed by its owner only, and somebody else claims it with its new code', async () => {
    await world.share('grace');
    const grace = await signedIn(browser, world, 'grace');
    await grace.getByTestId(`owner-${id}`).getByText("ada's").waitFor();
    assert.equal(await grace.getByTestId(`remove-${id}`).count(), 0);
    await picture(grace, 'foreign-desktop');
    const ada = await signedIn(browser, world, 'ada');
    await ada.getByTestId(`remove-${id}`).click();
    await picture(ada, 'remove-desktop');
    // The button that takes the car away looks like it, and Enter does not press it.
    assert.match(await ada.getByTestId('remove-confirm').getAttribute('class'), /danger/u);
    assert.equal(await ada.evaluate(() => document.activeElement.textContent), 'Keep it');
    assert.deepEqual(await axe(ada), []);
    await ada.getByTestId('remove-confirm').click();
    await ada.getByText('No cars yet').waitFor();

    const second = await codeOnLanPage(browser, world, 'lan-again-phone');
    assert.match(second, CODE);
    assert.notEqual(second, first);
    await claim(grace, first);
    await grace.getByText(/no car shows this code/i).waitFor();
    // The QR code on the car's page leads there, also before a sign-in.
    const link = await linkOnLanPage(browser, world);
    assert.equal(link, `${world.url}/#/claim?code=${second}`);
    const phone = await (await browser.newContext({ viewport: PHONE })).newPage();
    await phone.goto(await world.signInLink('grace'));
    await phone.getByTestId('car-list').waitFor();
    await phone.goto(link);
    assert.equal(await phone.getByTestId('claim-code-field').inputValue(), second);
    await picture(phone, 'claim-link-phone');
    await phone.getByTestId('claim-submit').click();
    await phone.getByTestId('claimed').waitFor();
    const cockpit = await Cockpit.open(browser, world, { user: 'grace' });
    await cockpit.live();
    await cockpit.close();
  });
});

describe('a card with the file of the page', () => {
  let world, browser, file;

  before(async () => {
    world = await World.start({ lan: true, account: false });
    browser = await launch();
    await world.addUser('ada');
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('registers at its first start under the name and the owner that the page gave it', async () => {
    const page = await signedIn(browser, world, 'ada');
    await page.getByTestId('add-car').first().click();
    await page.getByTestId('enrol-name').fill('Roter Blitz');
    await fillIn(page);
    assert.deepEqual(await axe(page), []);
    await picture(page, 'card-desktop');
    await page.setViewportSize(PHONE);
    await picture(page, 'card-phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByTestId('enrol-submit').click();
    // The host listens to its own machine only: a car would not reach it, whatever its address.
    await page.getByTestId('local-only').waitFor();
    // This page was opened on the host itself, under an address that a car cannot use.
    await picture(page, 'address-desktop');
    await page.getByTestId('enrol-address').fill(world.url);
    await page.getByTestId('enrol-address-submit').click();
    await page
      .getByText(/the car itself/)
      .nth(1)
      .waitFor();
    await page.setViewportSize(PHONE);
    await picture(page, 'address-phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByTestId('enrol-address').fill(world.cardUrl);
    await page.getByTestId('enrol-address-submit').click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTestId('provision-download').click(),
    ]);
    assert.equal(download.suggestedFilename(), 'provision.toml');
    file = readFileSync(await download.path(), 'utf8');
    assert.ok(!file.includes('127.0.0.1') && !file.includes('localhost'), file);
    // The whole file, with every line explained, and what was filled in.
    assert.ok(file.includes('# provision.toml: what this car should know before it starts.'));
    for (const line of WRITTEN) assert.ok(file.split('\n').includes(line), `${line}\n${file}`);
    await picture(page, 'file-desktop');
    await page.setViewportSize(PHONE);
    await picture(page, 'file-phone');
    await page.getByLabel('Close').click();
    await world.provision(file);
    world.startDrive();
    await world.startCar();
    const card = page.locator('[data-presence="available"]');
    await card.getByText('Roter Blitz').waitFor();
    await card.getByText('Yours').waitFor();
    const cockpit = await Cockpit.open(browser, world, { user: 'ada' });
    await cockpit.live();
    await cockpit.close();
  });

  it('stays valid on the card and does no harm', async () => {
    await world.car.stop();
    await world.provision(file);
    await world.startCar();
    const { faults, unused, notices } = JSON.parse(
      readFileSync(world.file('root/run/rccar/provision.json'), 'utf8'),
    );
    assert.deepEqual({ faults, unused }, { faults: [], unused: [] });
    const said = notices.filter((notice) => notice.includes('provision.toml, line'));
    assert.deepEqual(said, []);
  });

  it('is worth nothing on a second card: that car waits to be claimed', async () => {
    await world.car.stop();
    await world.forgetCar();
    await world.provision(file);
    await world.startCar('unclaimed');
    assert.match(await codeOnLanPage(browser, world, 'second-phone'), CODE);
  });
});
