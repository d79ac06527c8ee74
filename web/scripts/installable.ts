/**
 * What makes the page one that can be installed: its manifest, what it shows while nothing answers,
 * and the service worker that keeps only this.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { de } from "../src/words/de";
import { en } from "../src/words/en";
import { LANGUAGES } from "../src/words/language";

const CATALOGUES = { en, de };
const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

/** Colours of the dark theme (src/style/base.css), before any theme is chosen. */
const BACKGROUND = "#0b0d11";

function manifest(): string {
  const icon = (name: string, sizes: string, type: string, purpose = "any") => ({
    src: `icons/${name}`,
    sizes,
    type,
    purpose,
  });
  return JSON.stringify({
    name: "rccar",
    short_name: "rccar",
    description: en.offline.description,
    description_localized: { de: { value: de.offline.description, lang: "de" } },
    lang: "en",
    id: "./",
    start_url: "./",
    scope: "./",
    display: "standalone",
    background_color: BACKGROUND,
    theme_color: BACKGROUND,
    icons: [
      icon("icon.svg", "any", "image/svg+xml"),
      icon("icon-192.png", "192x192", "image/png"),
      icon("maskable-192.png", "192x192", "image/png", "maskable"),
    ],
  });
}

function offlinePage(language: (typeof LANGUAGES)[number]): string {
  const { title, text, tryAgain } = CATALOGUES[language].offline;
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – rccar</title>
<link rel="stylesheet" href="offline.css">
<script type="module" src="offline.js"></script>
<main><h1>${title}</h1><p>${text}</p><p><button type="button">${tryAgain}</button></p></main>
</html>
`;
}

export function installable(): Plugin {
  return {
    name: "installable",
    apply: "build",
    generateBundle() {
      const pages = LANGUAGES.map((language) => [language, offlinePage(language)] as const);
      const style = read("../src/offline/offline.css");
      const source = read("../src/offline/worker.js");
      const script = read("../src/offline/offline.js");
      const kept = [style, script, source, ...pages.map(([, page]) => page)].join("\0");
      // Another number makes another worker, which fetches all of this again.
      const version = createHash("sha256").update(kept).digest("hex").slice(0, 16);
      const emit = (fileName: string, content: string) =>
        this.emitFile({ type: "asset", fileName, source: content });
      emit("manifest.webmanifest", manifest());
      emit("offline.css", style);
      emit("offline.js", script);
      emit("sw.js", source.replace("__OFFLINE__", version));
      for (const [language, page] of pages) emit(`offline.${language}.html`, page);
    },
  };
}
