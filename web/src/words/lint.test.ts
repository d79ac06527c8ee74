/** Tests the lint rule by which people read nothing that is not in the catalogue. */

import { ESLint } from "eslint";
import tseslint from "typescript-eslint";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";

const READ = [
  "<p>Stop</p>",
  "<p>{on ? 'Stop' : 'Go'}</p>",
  "<p>{`${on} cars`}</p>",
  "<button aria-label='Close' />",
  "<button title={on ? 'Close' : 'Open'} />",
  "<input placeholder='name' />",
  "<Tool hint={`of ${on}`} />",
  "({ text: 'Paused' })",
  "(on ? 'The car stops' : '')",
  "`${on} to ${on} of the cars`",
  "say('Try again. It may work.')",
];
const NOT_READ = [
  "<p class='muted small'>{t().cars.yours}</p>",
  "<p>{on} %</p>",
  "<span>rccar-web/{on}</span>",
  "<button data-testid='open-help' type='button' />",
  "<input name='steering' autocomplete='off' onInput={() => say('off')} />",
  "<p>{say('steering')}</p>",
  "<p>{on === 'host' ? 1 : 2}</p>",
  "<svg viewBox='0 0 1 1'><path d='m22 80 10-9v18z' /></svg>",
  "new TypeError('this is no car')",
  "console.warn('the car is gone')",
  "matchMedia('(pointer: coarse)')",
  "({ name: 'path lost' })",
  "<p {...{ 'aria-expanded': on }} />",
];

describe("the lint", { timeout: 60_000 }, () => {
  let lint: ESLint;
  beforeAll(() => {
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    lint = new ESLint({ cwd, overrideConfig: [tseslint.configs.disableTypeChecked] });
  });

  /** Which of these expressions the rule refuses. */
  async function refused(filePath: string, expressions: readonly string[]): Promise<string[]> {
    const lines = expressions.map((one, index) => `export const f${String(index)} = ${one};`);
    const [result] = await lint.lintText(lines.join("\n"), { filePath });
    const found = (result?.messages ?? []).map(({ ruleId, fatal, line }) => {
      expect(fatal).not.toBe(true);
      return ruleId === "rccar/words" ? line : 0;
    });
    return expressions.filter((_, index) => found.includes(index + 1));
  }

  it.each(["src/view/new.tsx", "src/app/new.tsx", "src/core/app/new.tsx"])(
    "finds in %s whatever people read that is not in the catalogue, and nothing else",
    async (file) => {
      expect(await refused(file, READ)).toEqual(READ);
      expect(await refused(file, NOT_READ)).toEqual([]);
    },
  );

  it("leaves the catalogues and the tests alone", async () => {
    expect(await refused("src/words/en/new.ts", ["'The car stops'"])).toEqual([]);
    expect(await refused("src/core/app/new.test.ts", ["'The car stops'"])).toEqual([]);
  });
});
