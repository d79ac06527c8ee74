// A person's own account: password, sign-ins, a link for who forgot the password.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';

const OPEN = '[data-testid^="open-"]';
const SCREENS = { phone: [390, 844], tablet: [820, 1180], desktop: [1440, 900] };

/** With RCCAR_PICTURES, stores screenshots for people who want to look at the page. */
async function pictures(page, name) {
  if (!process.env.RCCAR_PICTURES) return;
  for (const [screen, [width, height]] of Object.entries(SCREENS)) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${process.env.RCCAR_PICTURES}/${name}-${screen}.png` });
  }
}

describe('an account', () => {
  let world, browser;
  before(async () => {
    world = await World.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const newPage = async () => (await browser.newContext()).newPage();

  async function choose(page, password) {
    await page.getByTestId('sign-in-password').fill(password);
    await page.getByTestId('sign-in-password-again').fill(password);
  }

  it('gets a password by a link that works once', async () => {
    const link = await world.passwordLink();
    const page = await newPage();
    await page.goto(link);
    await choose(page, 'Password123');
    await page.getByTestId('sign-in-submit').click();
    await page.getByText(/others try/).waitFor();
    await pictures(page, 'password-link');
    await choose(page, 'seven plum tractors');
    await page.getByTestId('sign-in-submit').click();
    await page.getByTestId('car-list').waitFor();

    const other = await newPage();
    await other.goto(link);
    await choose(other, 'eight plum tractors');
    await other.getByTestId('sign-in-submit').click();
    await other.getByText(/used before/).waitFor();
  });

  it('row 10: a lost browser is signed out from another, and its drive ends', async () => {
    const lost = await newPage();
    await lost.goto(await world.signInLink());
    await lost.locator(OPEN).first().click();
    await lost.locator('video').waitFor();

    const page = await newPage();
    await page.goto(world.url);
    await page.getByTestId('sign-in-name').fill('ada');
    await page.getByTestId('sign-in-password').fill('seven plum tractors');
    await page.getByTestId('sign-in-submit').click();
    await page.getByTestId('go-account').click();
    assert.match(await page.getByTestId('sign-in-this').innerText(), /Chrome on Linux/);
    await pictures(page, 'account');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByTestId('go-account').click({ timeout: 5_000 });
    await page.getByTestId('end-other-sign-ins').click();
    await page.getByTestId('sign-in-other').first().waitFor({ state: 'detached' });
    await lost
      .getByText(/may no longer drive|signed out|Sign in/i)
      .first()
      .waitFor();
  });

  it('row 10: the password changes, and only the new one signs in', async () => {
    const page = await newPage();
    await page.goto(await world.signInLink());
    await page.getByTestId('go-account').click();
    await page.getByTestId('present-password').fill('seven plum tractor');
    await choose(page, 'nine plum tractors');
    await page.getByTestId('change-password').click();
    await page.getByText(/present password is wrong/i).waitFor();
    await page.getByTestId('present-password').fill('seven plum tractors');
    await page.getByTestId('change-password').click();
    await page.getByTestId('password-changed').waitFor();
    assert.equal(await page.getByTestId('sign-in-other').count(), 0);

    const next = await newPage();
    await next.goto(world.url);
    await next.getByTestId('sign-in-name').fill('ada');
    await next.getByTestId('sign-in-password').fill('seven plum tractors');
    await next.getByTestId('sign-in-submit').click();
    await next.getByText(/wrong name or password/i).waitFor();
    await next.getByTestId('sign-in-password').fill('nine plum tractors');
    await next.getByTestId('sign-in-submit').click();
    await next.getByTestId('car-list').waitFor();
  });
});
