import { fileURLToPath } from "node:url";
import tseslint from "typescript-eslint";

const here = fileURLToPath(new URL(".", import.meta.url));

export default tseslint.config(
  { ignores: ["dist", "node_modules"] },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: here } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[property.name='innerHTML']",
          message: "Nothing from the network becomes markup.",
        },
      ],
    },
  },
  {
    // What decides gets time and randomness as arguments, so that tests run it faster than real time.
    files: [
      "src/protocol/*.ts",
      "src/input/{keyboard,gamepad,pad,presses,arming,touch,mixer,pacer}.ts",
      "src/app/{banner,hud,rungs,stops}.ts",
      "src/link/{session,clock,stats,backoff,watch,sight}.ts",
    ],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        "window",
        "document",
        "navigator",
        "performance",
        "Date",
        "setTimeout",
        "setInterval",
        "WebSocket",
      ],
      "no-restricted-properties": ["error", { object: "Math", property: "random" }],
    },
  },
);
