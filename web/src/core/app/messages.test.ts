import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BYE_REASONS, ERROR_CODES } from "../../protocol/common";
import { DRIVE_STATES, STOP_REASONS } from "../../protocol/state";
import { apiWords, byeWords, errorWords, reasonWords, stateWords, stopWords } from "./messages";
import type { OtherWord } from "../../protocol/words";
import { LANGUAGES } from "../../words/language";
import { speak, t } from "../../words/words";

/** A word of a later version. */
const LATER = "cycle-moon" as OtherWord;

describe("words of a later version", () => {
  it("are shown as they are, where they only inform", () => {
    expect(reasonWords(LATER)).toBe("The car's reason: cycle moon");
    expect(stateWords(LATER)).toBe("Cycle moon");
    expect(byeWords(LATER).text).toBe(
      "The reason is one that this page does not know: cycle moon.",
    );
    expect(errorWords(LATER, "no more cars today").text).toBe("No more cars today.");
    expect(stopWords({ by: "car", why: LATER })).toBe("The car's reason: cycle moon");
  });
});

afterEach(() => speak({ language: "en", locale: "en" }));

describe.each(LANGUAGES)("words in the language %s", (language) => {
  beforeEach(() => speak({ language, locale: language }));

  it.each(BYE_REASONS)("explain the end of a session by %s", (reason) => {
    expect(byeWords(reason).title).not.toBe("");
    expect(byeWords(reason).text).toMatch(/[.?]$/);
  });

  it.each(ERROR_CODES)("explain the refusal %s", (code) => {
    expect(errorWords(code, "").title).not.toBe("");
    expect(errorWords(code, "").text).toMatch(/[.?]$/);
  });

  it.each(STOP_REASONS.filter((reason) => reason !== "none"))(
    "explain the stop by %s",
    (reason) => {
      expect(reasonWords(reason)).not.toBe("");
    },
  );

  it("explain every stop by this page in a line", () => {
    expect(
      Object.values(t().drive.pageStop).filter((words) => !/^[A-Z].{5,42}[a-z]$/u.test(words)),
    ).toEqual([]);
  });

  it.each(DRIVE_STATES)("name the state %s", (state) => {
    expect(stateWords(state)).not.toBe("");
  });
});

describe("words", () => {
  it("say why the car or the page has stopped", () => {
    expect(stopWords({ by: "page", why: "link-slow" })).toBe("The link was too slow");
    expect(stopWords({ by: "car", why: "silent" })).toBe("The car hears nothing from this page");
  });

  it("tell a wrong password from a used link, too many attempts and a missing host", () => {
    expect(apiWords("sign-in", 401, "wrong-credentials", "")).toContain("password");
    expect(apiWords("code", 401, "wrong-credentials", "")).toContain("code");
    expect(apiWords("link", 401, "wrong-token", "")).toContain("used before");
    expect(apiWords("setup", 401, "wrong-token", "")).toContain("used before");
    expect(apiWords("setup", 409, "set-up-already", "")).toContain("Sign in");
    expect(
      apiWords("sign-in", 429, "too-many-attempts", "too many failed attempts; wait 9 s"),
    ).toContain("wait 9 s");
    expect(apiWords("other", 0, "", "")).toContain("cannot be reached");
  });

  it("pass on the host's own explanation as a sentence", () => {
    expect(apiWords("setup", 400, "bad-name", "name is empty")).toBe("Name is empty.");
    expect(apiWords("setup", 500, "", "")).toBe("The server answered with status 500.");
    expect(apiWords("other", 403, "wrong-password", "the present password is wrong")).toBe(
      "The present password is wrong.",
    );
  });

  it("show in German what the host says in English only where there is no German for it", () => {
    speak({ language: "de", locale: "de" });
    expect(apiWords("other", 403, "wrong-password", "the present password is wrong")).toBe(
      "Das jetzige Passwort ist falsch.",
    );
    expect(apiWords("other", 400, "bad-name", "name is empty")).toBe(
      "Der Server sagt: „Name is empty.“",
    );
    expect(apiWords("other", 400, "constructor", "")).toBe(
      "Der Server antwortet mit dem Status 400.",
    );
  });
});
