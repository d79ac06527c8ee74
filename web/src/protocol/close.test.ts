import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CLOSE_CODES, RATE_LIMITED_WAIT_MS } from "./close";

const rows = closeCodes();

describe("the close codes", () => {
  it("are those of PROTOCOL.md, all of them and no others", () => {
    expect(rows.length).toBeGreaterThan(0);
    expect(Object.values<number>(CLOSE_CODES)).toEqual(rows.map(({ code }) => code));
  });

  it.each([
    [CLOSE_CODES.notSignedIn, /nobody is signed in/u],
    [CLOSE_CODES.slowReader, /read too slowly/u],
    [CLOSE_CODES.tooLarge, /larger than/u],
    [CLOSE_CODES.rateLimited, /too many messages/u],
  ])("%i, which the page acts on, means the same there", (code, meaning) => {
    expect(rows.find((row) => row.code === code)?.meaning).toMatch(meaning);
  });

  it("have the wait of PROTOCOL.md", () => {
    const { what } = rows.find(({ code }) => code === CLOSE_CODES.rateLimited) ?? { what: "" };
    expect(what).toBe(`come back after at least ${RATE_LIMITED_WAIT_MS / 1_000} s`);
  });
});

/** The table of the chapter "WebSocket". */
function closeCodes(): { code: number; meaning: string; what: string }[] {
  const document = readFileSync(new URL("../../../PROTOCOL.md", import.meta.url), "utf8");
  const chapter = /^## WebSocket\n(.*?)^## /msu.exec(document)?.[1] ?? "";
  return [...chapter.matchAll(/^\| (\d{4}) \| (.+?) \| (.+?) \|$/gmu)].map(
    ([, code, meaning = "", what = ""]) => ({
      code: Number(code),
      meaning,
      what,
    }),
  );
}
