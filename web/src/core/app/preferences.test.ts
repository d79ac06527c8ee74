import { describe, expect, it } from "vitest";
import { formatPreferences, parsePreferences, PLAIN } from "./preferences";

describe("what a person prefers", () => {
  it("is kept and read as it was", () => {
    const chosen = {
      ...PLAIN,
      theme: "sun",
      figures: "large",
      language: "de",
      sounds: false,
    } as const;
    expect(parsePreferences(formatPreferences(chosen))).toEqual(chosen);
  });

  it("keeps what can be used of a text that somebody has changed", () => {
    expect(parsePreferences('{"theme":"sun","figures":7}')).toEqual({ ...PLAIN, theme: "sun" });
    expect(parsePreferences('{"theme":"neon"}')).toEqual(PLAIN);
    expect(parsePreferences('{"language":"tlh","sounds":"no"}')).toEqual(PLAIN);
  });

  it("is the default without a text, and for one that says nothing", () => {
    for (const text of [null, "", "{", "7", "null", "[]", `{"theme":"sun"${" ".repeat(2_000)}}`])
      expect(parsePreferences(text)).toEqual(PLAIN);
  });
});
