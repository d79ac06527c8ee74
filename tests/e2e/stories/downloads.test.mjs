// The page that people download a release from (ci/release.d/page.html), of a release of small
// files: on phones and desks, in both themes, with everything unfolded.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { axe, small, tooWide } from '../lib/looks.mjs';
import { launch } from '../lib/page.mjs';

const STANDIN = new URL('../../packaging/standin.py', import.meta.url).pathname;

describe('the page of downloads', () => {
  let folder, browser, address;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rccar-downloads-'));
    const { stdout } = await promisify(execFile)('python3', [STANDIN, join(folder, 'standin')]);
    address = `${pathToFileURL(stdout.trim())}/index.html`;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [width, height] of [
    [320, 568],
    [390, 844],
    [1440, 900],
  ])
    for (const colorScheme of ['light', 'dark'])
      it(`can be read and touched at ${width}×${height}, ${colorScheme}`, async () => {
        const page = await browser.newPage({ viewport: { width, height }, colorScheme });
        await page.goto(address);
        const folded = page.locator('details:not([open]) > summary');
        while ((await folded.count()) > 0) await folded.first().click();
        assert.deepEqual(await axe(page), []);
        assert.deepEqual(await small(page), []);
        assert.equal(await tooWide(page), 0);
        assert.match(await page.locator('a.button').textContent(), /Download the image \(.* kB\)/);
        await page.close();
      });
});
