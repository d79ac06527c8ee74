import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { installable } from "./scripts/installable";

const manifest = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** Where `npm run dev` finds the host, or a car's own page. */
const host = process.env["RCCAR_HOST"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  plugins: [installable()],
  define: { __VERSION__: JSON.stringify(manifest.version) },
  build: {
    target: "es2022",
    // One script, one style sheet: the host serves few files, and the first paint needs all of them
    // anyway.
    cssCodeSplit: false,
    // No data: addresses, so that a strict content security policy fits.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
  server: {
    proxy: {
      "/api": { target: host, changeOrigin: true },
      "/ws": { target: host, changeOrigin: true, ws: true },
    },
  },
  test: {
    include: ["src/**/*.test.ts", "gallery/*.test.ts"],
    environment: "node",
    testTimeout: 20_000,
  },
});
