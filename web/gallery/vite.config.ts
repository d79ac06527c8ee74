/** Builds the gallery for the stories and the pictures in `docs/`; no host serves it. */

import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  define: { __VERSION__: JSON.stringify("gallery") },
  build: {
    target: "es2022",
    outDir: fileURLToPath(new URL("../../out/gallery", import.meta.url)),
    emptyOutDir: true,
    reportCompressedSize: false,
  },
});
