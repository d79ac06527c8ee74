/**
 * Tests the lint rules of this folder and of `protocol`: tries each way to a clock, to chance or to
 * the browser.
 */

import { ESLint } from "eslint";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import tseslint from "typescript-eslint";

/** New files, one in each folder: the rule names folders, not files. */
const PURE = [
  "src/core/app/new.ts",
  "src/core/input/new.ts",
  "src/core/link/deeper/new.ts",
  "src/protocol/new.ts",
];
const SHELL = ["src/app/new.ts", "src/input/new.ts", "src/link/new.ts", "src/view/new.tsx"];

const FORBIDDEN = [
  "Date.now()",
  "new Date()",
  "Math.random()",
  "Math['random']()",
  "new Intl.DateTimeFormat().format()",
  "performance.now()",
  "setTimeout(f, 1)",
  "setInterval(f, 1)",
  "clearTimeout(1)",
  "requestAnimationFrame(f)",
  "requestIdleCallback(f)",
  "queueMicrotask(f)",
  "AbortSignal.timeout(1)",
  "crypto.getRandomValues(f)",
  "window.f",
  "document.hasFocus()",
  "navigator.onLine",
  "globalThis.f",
  "self.f",
  "top.f",
  "screen.width",
  "location.hash",
  "history.back()",
  "matchMedia('')",
  "localStorage.f",
  "sessionStorage.f",
  "indexedDB.f",
  "fetch('')",
  "new XMLHttpRequest()",
  "new WebSocket('')",
  "new RTCPeerConnection()",
  "new MediaStream()",
  "new Worker('')",
  "addEventListener('', f)",
  "console.log(1)",
  "process.env",
  "eval('')",
  "new Function('')",
  "import.meta.env",
  "import('../../app/app')",
  // These are in no list: a name that is not part of the language does not exist here.
  "new Notification('')",
  "innerWidth",
  "new AudioContext()",
  "visualViewport.scale",
  "f.innerHTML",
];

const ALLOWED = [
  "Math.max(1, 2)",
  "new Map()",
  "new URLSearchParams('')",
  "new TextEncoder()",
  "new TextDecoder()",
  "new Intl.Collator()",
];

describe("the lint", { timeout: 60_000 }, () => {
  let lint: ESLint;
  beforeAll(() => {
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    // Rules that need types need a real file; none of them is tested here.
    lint = new ESLint({ cwd, overrideConfig: [tseslint.configs.disableTypeChecked] });
  });

  /** Which of these expressions the lint refuses. */
  async function complaints(file: string, expressions: readonly string[]): Promise<string[]> {
    const text = expressions.map(
      (expression) => `export const f${expressions.indexOf(expression)} = ${expression};`,
    );
    return await lined(file, text.join("\n"), expressions);
  }

  /** Which of these modules must not be imported. */
  async function strangers(file: string, modules: readonly string[]): Promise<string[]> {
    return await lined(file, modules.map((module) => `import "${module}";`).join("\n"), modules);
  }

  async function lined(file: string, text: string, lines: readonly string[]): Promise<string[]> {
    const [result] = await lint.lintText(`${text}\nconst f: any = null;\n`, { filePath: file });
    const rules = [
      "no-undef",
      "no-restricted-globals",
      "no-restricted-properties",
      "no-restricted-syntax",
    ];
    const messages = (result?.messages ?? []).filter(({ ruleId, fatal }) => {
      expect(fatal).not.toBe(true);
      return ruleId === "no-restricted-imports" || rules.includes(ruleId ?? "");
    });
    return lines.filter((_, index) =>
      messages.some(({ line, severity }) => line === index + 1 && severity === 2),
    );
  }

  it.each(PURE)("forbids %s every way to a clock, to chance and to the browser", async (file) => {
    expect(await complaints(file, FORBIDDEN)).toEqual(FORBIDDEN);
    expect(await complaints(file, ALLOWED)).toEqual([]);
  });

  it.each(SHELL)("lets %s do all that, but for markup from the network", async (file) => {
    expect(await complaints(file, FORBIDDEN)).toEqual(["f.innerHTML"]);
  });

  it.each([
    ["src/core/new.ts", ["./effects"]],
    ["src/core/link/new.ts", ["./clock", "../effects", "../../protocol/units"]],
    ["src/core/input/new.ts", ["./mixer", "../effects", "../link/sight", "../../protocol/units"]],
    [
      "src/core/app/new.ts",
      [
        "./hud",
        "../effects",
        "../link/sight",
        "../input/mixer",
        "../../protocol/units",
        "../../words/words",
      ],
    ],
    ["src/protocol/new.ts", ["./units"]],
    ["src/words/en/new.ts", ["./drive", "../catalogue", "../plural", "@preact/signals"]],
  ])("lets %s know nothing but what is below it", async (file, known) => {
    const out = file.split("/").length === 4 ? "../.." : "..";
    const shells = ["input/browser", "link/peer", "app/app", "view/root", "api", "timer"].map(
      (name) => `${out}/${name}`,
    );
    const others = [
      "preact",
      "@preact/signals",
      "node:fs",
      "../app/hud",
      "../input/mixer",
      "../link/sight",
    ];
    const strange = [...shells, ...others].filter((module) => !known.includes(module));
    expect(await strangers(file, [...known, ...strange])).toEqual(strange);
  });

  it.each([
    ["src/link/new.ts", ["../input/browser", "../app/app", "../view/root"]],
    ["src/input/new.ts", ["../link/peer", "../app/app", "../view/root"]],
    ["src/app/new.ts", ["../view/root"]],
  ])("keeps %s from its neighbours", async (file, strange) => {
    const known = ["./other", "../core/link/session", "../protocol/units", "../timer"];
    expect(await strangers(file, [...known, ...strange])).toEqual(strange);
  });
});
