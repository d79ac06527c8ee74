// The cockpit in each state of the table, without a host and a car (`web/gallery`).
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const web = fileURLToPath(new URL('../../../web', import.meta.url));
const built = fileURLToPath(new URL('../../../out/gallery', import.meta.url));

export async function buildGallery() {
  await promisify(execFile)('npm', ['run', '--silent', 'gallery'], { cwd: web });
}

/** A page of its own; `display`: what the driver has chosen, as the browser keeps it. */
export class Gallery {
  static async open(browser, { size: [width, height], touch = false, display, forced }) {
    const gallery = new Gallery();
    gallery.context = await browser.newContext({
      viewport: { width, height },
      hasTouch: touch,
      forcedColors: forced ? 'active' : 'none',
    });
    const page = (gallery.page = await gallery.context.newPage());
    gallery.errors = [];
    page.on('pageerror', (error) => gallery.errors.push(error.message));
    await page.addInitScript(
      (text) => {
        if (text !== undefined) localStorage.setItem('rccar-display', text);
      },
      display && JSON.stringify(display),
    );
    await page.route('http://gallery.localhost/**', (route) => {
      const { pathname } = new URL(route.request().url());
      return route.fulfill({ path: `${built}${pathname === '/' ? '/index.html' : pathname}` });
    });
    await page.goto('http://gallery.localhost/');
    gallery.names = await page.evaluate(() => globalThis.sceneNames);
    return gallery;
  }

  /** Shows a state, and waits until it is drawn. */
  async show(name) {
    await this.page.evaluate(async (hash) => {
      location.hash = hash;
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    }, encodeURIComponent(name));
  }

  close() {
    return this.context.close();
  }
}
