/** The golden file is read by `crates/programs/provision/tests/page.rs`, too. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CARRIERS } from "./carriers";
import { EMPTY, file, issues, preview, tables, type Card } from "./card";
import { COUNTRIES } from "./countries";
import { GROUPS } from "./fields";
import { apn, isLoopback, shortText, address } from "./rules";
import { lines } from "./toml";

interface Golden {
  readonly cards: readonly { about: string; card: Card; lines: string }[];
  readonly refused: readonly { key: string; value: string; others?: Record<string, string> }[];
}

const read = (path: string) =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");
const GOLDEN = JSON.parse(read("tests/vectors/card.json")) as Golden;
const TEMPLATE = read("overlays/boot/firmware/provision.toml");

/** The lines that say something. */
const said = (text: string) =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

/** The same, with the lines of each table in one order. */
const sorted = (text: string) =>
  said(text)
    .join("\n")
    .split(/\n(?=\[)/u)
    .map((table) => table.split("\n"))
    .filter((table) => table.length > 1)
    .map(([heading = "", ...entries]) => [heading, ...entries.sort()]);

function card({ key, value, others = {} }: Golden["refused"][number]): Card {
  if (key === "car.name") return { ...EMPTY, name: value };
  const [, , part] = key.split(".");
  if (part === undefined) return { ...EMPTY, values: { ...others, [key]: value } };
  return { ...EMPTY, networks: [{ ssid: "a", password: "", hidden: false, [part]: value }] };
}

describe("the file of a card", () => {
  it.each(GOLDEN.cards)("is written: $about", ({ card, lines: golden }) => {
    expect([...issues(card)]).toEqual([]);
    expect(lines(tables(card))).toBe(golden);
  });

  it.each(GOLDEN.cards)("is the template with those lines in it: $about", ({ card, lines }) => {
    const whole = file(TEMPLATE, card);
    expect(sorted(whole)).toEqual(sorted(lines));
    const comments = (text: string) =>
      text.split("\n").filter((line) => /^# (?![a-z_]+ = )|^#$/u.test(line));
    expect(comments(whole)).toEqual(comments(TEMPLATE));
  });

  it.each(GOLDEN.refused)("is not written with $key = $value", (wrong) => {
    const found = issues(card(wrong));
    expect(found.size).toBe(1);
    expect([...found.values()][0]).not.toBe("");
  });

  it("keeps the host's address and token, and takes the name from the form", () => {
    const filled = TEMPLATE.replace('# url = "', 'url = "').replace(
      '# name = "Blitz"',
      'name = "a"',
    );
    const whole = file(filled, { ...EMPTY, name: "b" });
    expect(said(whole)).toContain('url = "https://drive.example"');
    expect(said(whole)).toContain('name = "b"');
    expect(whole).not.toContain('name = "a"');
  });

  it("is shown before the token is there", () => {
    expect(preview({ ...EMPTY, name: "b" }, "http://a")).toBe(
      '[host]\nurl = "http://a"\ntoken = "…"\n\n[car]\nname = "b"\n',
    );
  });

  it("gets what a template of another release has no line for", () => {
    const whole = file("[wifi]\n", { ...EMPTY, name: "b", values: { "modem.apn": "c" } });
    expect(said(whole)).toEqual(["[wifi]", "[car]", 'name = "b"', "[modem]", 'apn = "c"']);
  });

  it("holds halves of characters and lost text never", () => {
    for (const text of ["\ud800", "a\udc00b", "\ufffd"]) {
      expect(issues({ ...EMPTY, name: text }).size).toBe(1);
    }
  });

  it("wants a name for each network but the first, and each network once", () => {
    const network = { ssid: "a", password: "", hidden: false };
    const of = (...networks: Card["networks"]) => [...issues({ ...EMPTY, networks }).keys()];
    expect(of({ ...network, ssid: "" })).toEqual([]);
    expect(of({ ...network, ssid: "", password: "12345678" })).toEqual(["wifi.0.ssid"]);
    expect(of(network, { ...network, ssid: "" })).toEqual(["wifi.1.ssid"]);
    expect(of(network, network)).toEqual(["wifi.1.ssid"]);
  });
});

describe("lists", () => {
  it("of operators have access points that the car takes", () => {
    expect(CARRIERS.length).toBeGreaterThan(60);
    for (const carrier of CARRIERS) {
      expect([apn(carrier.apn), shortText(carrier.user), shortText(carrier.password)]).toEqual([
        null,
        null,
        null,
      ]);
      expect(carrier.country === "*" || COUNTRIES.includes(carrier.country)).toBe(true);
      expect(carrier.user === "").toBe(carrier.password === "");
    }
    const names = CARRIERS.map(({ country, name }) => `${country} ${name}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it("of questions name keys that the template has, and each once", () => {
    const keys = GROUPS.flatMap((group) => group.fields.map(({ key }) => key));
    expect(new Set(keys).size).toBe(keys.length);
    let table = "";
    const known = TEMPLATE.split("\n").flatMap((line) => {
      table = /^\[(.*)\]$/u.exec(line)?.[1] ?? table;
      const key = /^# ([a-z_]+) = /u.exec(line)?.[1];
      return key === undefined ? [] : [`${table}.${key}`];
    });
    for (const key of keys) expect(known).toContain(key);
    // A person who wants these uses an editor; all others are in the form.
    const own = ["host.url", "host.token", "car.name", "lan.access_code", "ssh.public_key"];
    const rest = known.filter((key) => !keys.includes(key) && !key.startsWith("wifi."));
    expect(rest.filter((key) => !own.includes(key))).toEqual(["update.allow_downgrade"]);
  });
});

describe("an address of the host", () => {
  it.each(["http://192.168.1.20:8080", "https://drive.example/", "Http://[2001:db8::1]:8080"])(
    "%s will do",
    (text) => expect(address(text)).toBeNull(),
  );

  it.each([
    "http://localhost",
    "https://LOCALHOST.:8080",
    "http://car.localhost",
    "http://127.0.0.1:8080",
    "http://127.1",
    "http://0.0.0.0",
    "http://[::1]:8080",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
  ])("%s is the car itself", (text) => {
    expect(address(text)).toContain("the car itself");
  });

  it.each(["", "drive.example", "ftp://a", "http://a/b", "http://a b", "http://me@a", "http://"])(
    "%j is none",
    (text) => expect(address(text)).toContain("begins with"),
  );

  it("that begins with 127 or holds localhost may be another machine", () => {
    for (const host of ["localhost.example", "127.example", "10.127.0.0", "[::12]"]) {
      expect(isLoopback(host)).toBe(false);
    }
  });
});
