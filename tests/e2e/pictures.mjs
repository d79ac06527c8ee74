// Pictures of all states of the cockpit for docs/, one sheet for each kind of screen.
import { mkdirSync, writeFileSync } from 'node:fs';
import { buildGallery, Gallery } from './lib/gallery.mjs';
import { launch } from './lib/page.mjs';

const SHEETS = [
  { name: 'phone', size: [390, 844], touch: true, width: 190, columns: 8 },
  { name: 'phone-on-its-side', size: [844, 390], touch: true, width: 380, columns: 4 },
  { name: 'tablet', size: [820, 1180], touch: true, width: 220, columns: 7 },
  { name: 'desktop', size: [1440, 900], width: 380, columns: 4 },
  { name: 'sun', size: [844, 390], touch: true, width: 380, columns: 4, display: { theme: 'sun' } },
];
const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
await buildGallery();
const browser = await launch();
for (const { name, width, columns, ...how } of SHEETS) {
  const gallery = await Gallery.open(browser, how);
  const shots = [];
  for (const scene of gallery.names) {
    await gallery.show(scene);
    shots.push({ scene, png: (await gallery.page.screenshot()).toString('base64') });
  }
  await gallery.close();
  const page = await browser.newPage();
  const webp = await page.evaluate(
    async ({ shots, width, columns, ratio }) => {
      const [gap, words] = [12, 22];
      const height = Math.round(width * ratio);
      const rows = Math.ceil(shots.length / columns);
      const sheet = new OffscreenCanvas(
        columns * (width + gap) + gap,
        rows * (height + words + gap) + gap,
      );
      const context = sheet.getContext('2d');
      context.fillStyle = '#fff';
      context.fillRect(0, 0, sheet.width, sheet.height);
      context.imageSmoothingQuality = 'high';
      for (const [index, { scene, png }] of shots.entries()) {
        const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
        const image = await createImageBitmap(new Blob([bytes]), {
          resizeWidth: width,
          resizeHeight: height,
          resizeQuality: 'high',
        });
        const x = gap + (index % columns) * (width + gap);
        const y = gap + Math.floor(index / columns) * (height + words + gap);
        context.drawImage(image, x, y + words);
        context.fillStyle = '#111';
        context.font = '13px sans-serif';
        context.fillText(scene, x, y + 15, width);
      }
      const blob = await sheet.convertToBlob({ type: 'image/webp', quality: 0.8 });
      const all = new Uint8Array(await blob.arrayBuffer());
      let text = '';
      for (const byte of all) text += String.fromCharCode(byte);
      return btoa(text);
    },
    { shots, width, columns, ratio: how.size[1] / how.size[0] },
  );
  await page.close();
  const bytes = Buffer.from(webp, 'base64');
  writeFileSync(`${folder}/cockpit-${name}.webp`, bytes);
  console.log(`${folder}/cockpit-${name}.webp ${bytes.length} B`);
}
await browser.close();
