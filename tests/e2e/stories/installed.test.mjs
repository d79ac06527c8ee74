// The page as an installed one: it says when nothing answers, and is never an old one.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from '../lib/page.mjs';
import { World } from '../lib/programs.mjs';
import { until } from '../lib/wait.mjs';

const dist = fileURLToPath(new URL('../../../web/dist', import.meta.url));

/** Waits until a service worker of this page works and rules it. */
async function worker(page) {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller)
      await new Promise((done) =>
        navigator.serviceWorker.addEventListener('controllerchange', done, { once: true }),
      );
  });
}

/** All that service workers have kept, by path. */
const kept = (page) =>
  page.evaluate(async () => {
    const paths = [];
    for (const name of await caches.keys())
      for (const { url } of await (await caches.open(name)).keys())
        paths.push(new URL(url).pathname);
    return paths.sort();
  });

describe('the page of a host', () => {
  let world, browser;
  before(async () => {
    world = await World.start({ lan: true });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('can be installed, from the host and from the car itself', async () => {
    for (const origin of [world.url, `http://127.0.0.1:${world.lanPort}`]) {
      const page = await (await browser.newContext()).newPage();
      const refused = [];
      page.on('console', (message) => {
        if (/content security policy|manifest/iu.test(message.text())) refused.push(message.text());
      });
      await page.goto(origin);
      await worker(page);
      const devtools = await page.context().newCDPSession(page);
      const { errors } = await devtools.send('Page.getAppManifest');
      assert.deepEqual(errors, [], origin);
      const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
      // A window without traces installs nothing.
      const others = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito');
      assert.deepEqual(others, [], origin);
      assert.deepEqual(refused, [], origin);
      await page.context().close();
    }
  });

  for (const [locale, title] of [
    ['en-GB', 'No connection'],
    ['de-AT', 'Keine Verbindung'],
  ])
    it(`says in the language ${locale} that nothing answers, and goes on by itself`, async () => {
      const page = await (await browser.newContext({ locale })).newPage();
      await page.goto(await world.signInLink());
      await page.locator('[data-presence]').first().waitFor();
      await worker(page);
      const files = ['css', 'de.html', 'en.html', 'js'].map((end) => `/offline.${end}`);
      assert.deepEqual(await kept(page), files);
      await world.host.stop();
      await page.reload();
      await page.getByRole('heading', { name: title }).waitFor();
      assert.equal(await page.evaluate(() => getComputedStyle(document.body).display), 'grid');
      await world.startHost();
      await page.locator('[data-presence]').first().waitFor();
      assert.deepEqual(await kept(page), files);
      await page.context().close();
    });
});

describe('a page after an update of its host', () => {
  let folder, server, browser, url;
  /** Paths that were asked for. */
  let asked = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'rccar-page-'));
    cpSync(dist, folder, { recursive: true });
    const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
    server = createServer(({ url }, response) => {
      const path = url.split('?')[0];
      asked.push(path);
      try {
        const body = readFileSync(join(folder, path === '/' ? 'index.html' : path));
        const type = types[path === '/' ? 'html' : path.split('.').at(-1)];
        // As a careless proxy may have it: kept for an hour.
        response.writeHead(200, {
          'content-type': type ?? '',
          'cache-control': 'max-age=3600',
          'content-security-policy': "default-src 'self'",
        });
        response.end(body);
      } catch {
        response.writeHead(404).end();
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${server.address().port}/`;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  it('is the new one at the next visit, and so is what it shows while nothing answers', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(url);
    await worker(page);
    const change = (file, from, to) => {
      const path = join(folder, file);
      const text = readFileSync(path, 'utf8');
      assert.match(text, from, file);
      writeFileSync(path, text.replace(from, to));
    };
    change('index.html', /<title>rccar<\/title>/u, '<title>rccar, new</title>');
    change('offline.en.html', /No connection/gu, 'Nothing there');
    change('sw.js', /rccar-offline-[0-9a-f]{16}/u, 'rccar-offline-another');
    asked = [];
    const answer = await page.goto(`${url}?again`);
    assert.match(await answer.text(), /rccar, new/u);
    assert.ok(asked.includes('/'), `${asked}`);
    // The worker is another one: it has fetched its files again, and forgotten the old ones.
    const names = () => page.evaluate(() => caches.keys());
    await until(
      'the new worker rules alone',
      async () => (await names()).join() === 'rccar-offline-another',
    );
    server.closeAllConnections();
    server.close();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Nothing there' }).waitFor();
    await page.context().close();
  });
});
