import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";
import { words } from "./scripts/lint-words.js";

const here = fileURLToPath(new URL(".", import.meta.url));

const MARKUP = {
  selector: "MemberExpression[property.name='innerHTML']",
  message: "Nothing from the network becomes markup.",
};

/** By these a clock, the browser or the network could be reached. */
const BROWSER = [
  ...[
    "window",
    "self",
    "top",
    "parent",
    "frames",
    "document",
    "navigator",
    "screen",
    "location",
    "history",
    "console",
  ],
  ...[
    "performance",
    "setTimeout",
    "setInterval",
    "clearTimeout",
    "clearInterval",
    "setImmediate",
    "queueMicrotask",
  ],
  ...[
    "requestAnimationFrame",
    "cancelAnimationFrame",
    "requestIdleCallback",
    "AbortSignal",
    "matchMedia",
  ],
  ...[
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "caches",
    "crypto",
    "fetch",
    "XMLHttpRequest",
    "WebSocket",
  ],
  ...[
    "WebTransport",
    "EventSource",
    "BroadcastChannel",
    "MessageChannel",
    "Worker",
    "SharedWorker",
    "process",
  ],
  ...[
    "RTCPeerConnection",
    "RTCRtpReceiver",
    "MediaStream",
    "addEventListener",
    "dispatchEvent",
    "getComputedStyle",
  ],
];
/** The same, of what the language itself has. */
const LANGUAGE = ["Date", "globalThis", "eval", "Function", "WeakRef", "FinalizationRegistry"];
const PURE =
  "What decides gets time and randomness as arguments, and says what is to be done by its effects.";

/** Parts of the page whose words are not in the catalogue yet. */
const ENGLISH_ONLY = [
  "src/view/{add-car,claim-car,card-form,qr,people,share-car,take-car,copy}.tsx",
  "src/core/card/**",
];

/** Files of `folder` import nothing but what begins with one of these. */
function imports(folder, ...allowed) {
  const regex = `^(?!${allowed.map((path) => path.replaceAll(".", "\\.")).join("|")})`;
  const message = `Files in ${folder} know nothing but ${allowed.join(", ")} (README.md).`;
  return {
    files: [`${folder}/**/*.ts`],
    ignores: ["**/*.test.ts"],
    rules: { "no-restricted-imports": ["error", { patterns: [{ regex, message }] }] },
  };
}

/** Files of `folder` import nothing of these folders beside it. */
function importsNot(folder, ...others) {
  const regex = `^\\.\\./(${others.join("|")})/`;
  const message = `Files in ${folder} do not know ${others.join(", ")} (README.md).`;
  return {
    files: [`${folder}/**/*.ts`],
    rules: { "no-restricted-imports": ["error", { patterns: [{ regex, message }] }] },
  };
}

export default tseslint.config(
  { ignores: ["dist", "node_modules"] },
  {
    files: ["src/**/*.{ts,tsx}", "gallery/**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: here } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "no-restricted-syntax": ["error", MARKUP],
    },
  },
  {
    // What decides is pure, so that tests run it faster than real time.
    files: ["src/core/**/*.ts", "src/protocol/**/*.ts"],
    ignores: ["**/*.test.ts"],
    languageOptions: {
      // Only what the language has, and what computes: all else is not defined here, also what is not in the list above.
      parserOptions: { lib: ["es2022"] },
      globals: { TextDecoder: "readonly", TextEncoder: "readonly", URLSearchParams: "readonly" },
    },
    rules: {
      "no-undef": "error",
      "no-restricted-globals": [
        "error",
        ...[...BROWSER, ...LANGUAGE].map((name) => ({ name, message: PURE })),
      ],
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random", message: PURE },
        { object: "Intl", property: "DateTimeFormat", message: PURE },
      ],
      "no-restricted-syntax": [
        "error",
        MARKUP,
        { selector: "ImportExpression", message: PURE },
        { selector: "MetaProperty[meta.name='import']", message: PURE },
      ],
    },
  },
  {
    files: ["src/**/*.{ts,tsx}"],
    ignores: ["**/*.test.ts", "src/words/**", "src/protocol/**", ...ENGLISH_ONLY],
    plugins: { rccar: { rules: { words } } },
    rules: { "rccar/words": "error" },
  },
  imports("src/protocol", "./"),
  imports("src/words", "./", "../catalogue", "../plural", "@preact/signals"),
  imports("src/core", "./"),
  imports("src/core/link", "./", "../effects", "../../protocol/"),
  imports("src/core/input", "./", "../effects", "../link/", "../../protocol/"),
  imports(
    "src/core/app",
    "./",
    "../effects",
    "../link/",
    "../input/",
    "../../protocol/",
    "../../words/",
  ),
  imports("src/core/card", "./"),
  importsNot("src/link", "input", "app", "view"),
  importsNot("src/input", "link", "app", "view"),
  importsNot("src/app", "view"),
);
