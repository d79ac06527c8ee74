// Draws the icons of the installed page from src/style/icon.svg with Chromium, for systems that take
// no SVG, and copies it beside them. Run it after a change of the drawing, and commit what it writes.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const svg = readFileSync(join(web, "src/style/icon.svg"), "utf8");
const drawing = svg.replace(/^[^>]*>|<\/svg>\s*$/gu, "");
const plain = drawing.replace(/<rect[^>]*>/u, "");
const background = /fill="(#[0-9a-f]{6})"/u.exec(drawing)?.[1];

/** Name, size in px, and how much of the whole the drawing takes. */
const ICONS = [
  { name: "icon-192", size: 192 },
  // Systems cut these to their own shapes: all that matters is in the middle four fifths (W3C,
  // Web Application Manifest, "Icon masks and safe zone").
  { name: "maskable-192", size: 192, share: 0.72 },
  { name: "apple-touch-icon", size: 180, share: 0.8 },
];

const folder = mkdtempSync(join(tmpdir(), "rccar-icons-"));
for (const { name, size, share } of ICONS) {
  const inner =
    share === undefined
      ? drawing
      : `<rect width="32" height="32" fill="${background}"/><g transform="translate(${16 * (1 - share)} ${16 * (1 - share)}) scale(${share})">${plain}</g>`;
  const page = `<!doctype html><style>body{margin:0}svg{display:block}</style><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="${size}" height="${size}">${inner}</svg>`;
  writeFileSync(join(folder, "icon.html"), page);
  execFileSync(process.env.CHROMIUM ?? "/usr/bin/chromium", [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--default-background-color=00000000",
    `--window-size=${size},${size}`,
    `--screenshot=${join(folder, `${name}.png`)}`,
    join(folder, "icon.html"),
  ]);
  copyFileSync(join(folder, `${name}.png`), join(web, "public/icons", `${name}.png`));
}
copyFileSync(join(web, "src/style/icon.svg"), join(web, "public/icons/icon.svg"));
rmSync(folder, { recursive: true });
