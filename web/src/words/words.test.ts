import { afterEach, describe, expect, it } from "vitest";
import { de } from "./de";
import { en } from "./en";
import { LANGUAGES, speechOf } from "./language";
import { pluralIn } from "./plural";
import { count, day, figure, moment, speak, t } from "./words";

afterEach(() => speak({ language: "en", locale: "en" }));

type Leaf = string | ((...values: unknown[]) => unknown);

/** All sentences with their places; parameters stand in them as `7`, which is text and number. */
function leaves(value: unknown, place = ""): [string, Leaf][] {
  if (typeof value === "string" || typeof value === "function") return [[place, value as Leaf]];
  return Object.entries(value as object).flatMap(([key, inner]) =>
    leaves(inner, place === "" ? key : `${place}.${key}`),
  );
}

function sentences(value: unknown): [string, string][] {
  return leaves(value).flatMap(([place, leaf]): [string, string][] => {
    if (typeof leaf === "string") return [[place, leaf]];
    const made = leaf(...Array.from({ length: leaf.length }, () => 7));
    return leaves(made, place).map(([where, text]) => [where, text as string]);
  });
}

describe("the catalogues", () => {
  it("have the same places in all languages, with as many parameters", () => {
    const places = (value: unknown) =>
      leaves(value).map(([place, leaf]) => [
        place,
        typeof leaf === "function" ? leaf.length : "text",
      ]);
    expect(new Map(places(de) as [string, unknown][])).toEqual(
      new Map(places(en) as [string, unknown][]),
    );
  });

  it("use each parameter in every language", () => {
    for (const catalogue of [en, de])
      for (const [place, leaf] of leaves(catalogue)) {
        if (typeof leaf !== "function") continue;
        for (let index = 0; index < leaf.length; index += 1) {
          const say = (value: unknown) =>
            JSON.stringify(
              leaf(...Array.from({ length: leaf.length }, (_, at) => (at === index ? value : 3))),
            );
          const said = new Set([1, 4, 5].map(say));
          expect(said.size, `${place}, parameter ${index + 1}`).toBeGreaterThan(1);
        }
      }
  });

  it("leave no English sentence in the German one", () => {
    const english = new Map(sentences(en));
    const same = sentences(de).filter(
      ([place, text]) => /\p{L}{3}\P{L}+\p{L}{3}/u.test(text) && english.get(place) === text,
    );
    expect(same).toEqual([]);
  });

  it("call people Sie, and no one du", () => {
    const familiar = /\b(du|dich|dir|deine?[mnrs]?|euch|euer)\b/iu;
    expect(sentences(de).filter(([, text]) => familiar.test(text))).toEqual([]);
  });

  it("have the words of drivers: server, link, settings file", () => {
    const ours =
      /(?<!rccar-)\b(host|path|provision(?!\.toml|-report)|enrol\w*|uplink|session|peer|signaling)\b/iu;
    expect(sentences(en).filter(([, text]) => ours.test(text))).toEqual([]);
  });

  it("have neither blanks where none belong nor typewriter's quotation marks", () => {
    for (const catalogue of [en, de]) {
      const odd = sentences(catalogue).filter(
        ([place, text]) =>
          / {2}|\s$|"/u.test(text) || (/^\s/u.test(text) && !place.endsWith("ByItself")),
      );
      expect(odd).toEqual([]);
    }
  });
});

describe("the language", () => {
  it.each([
    [null, ["de-AT", "en"], "de", "de-AT"],
    [null, ["en-GB", "de"], "en", "en-GB"],
    [null, ["fr", "DE", "en"], "de", "DE"],
    [null, ["fr-FR"], "en", "en"],
    [null, [], "en", "en"],
    ["de", ["en-US"], "de", "de"],
    ["en", ["de-DE", "en-AU"], "en", "en-AU"],
    [null, ["de_DE.UTF-8", ""], "de", "de"],
  ] as const)(
    "for the wish %s and a browser that asks for %j is %s",
    (wanted, asked, language, locale) => {
      expect(speechOf(wanted, asked)).toEqual({ language, locale });
    },
  );

  it("changes words, figures and dates at once", () => {
    const noon = Date.UTC(2026, 10, 30, 12) / 1000;
    expect([t().drive.state.armed, figure(1234.56, 1), count(1204)]).toEqual([
      "Armed",
      "1234.6",
      "1,204",
    ]);
    expect(day(noon)).toBe("Nov 30, 2026");
    speak({ language: "de", locale: "de-DE" });
    expect([t().drive.state.armed, figure(1234.56, 1), count(1204)]).toEqual([
      "Freigegeben",
      "1234,6",
      "1.204",
    ]);
    expect(day(noon)).toBe("30.11.2026");
    expect(moment(noon)).toMatch(/^30\.11\.2026, \d\d:\d\d$/u);
  });

  it("shows a dash for a time that is none", () => {
    expect(day(Number.MAX_VALUE)).toBe("–");
  });

  it.each(LANGUAGES)("has the right forms for numbers: %s", (language) => {
    const say = (n: number) => pluralIn(language)(n, { one: "one", other: "other" });
    expect([0, 1, 2, 1.5, 21].map(say)).toEqual(["other", "one", "other", "other", "other"]);
  });
});
