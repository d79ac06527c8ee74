import { describe, expect, it } from "vitest";
import { BYE_REASONS, ERROR_CODES } from "../../protocol/common";
import { DRIVE_STATES, STOP_REASONS } from "../../protocol/state";
import {
  apiWords,
  BYE_WORDS,
  byeWords,
  ERROR_WORDS,
  errorWords,
  PAGE_STOP_WORDS,
  reasonWords,
  STATE_WORDS,
  stateWords,
  STOP_WORDS,
  stopWords,
} from "./messages";
import type { OtherWord } from "../../protocol/words";

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

describe("words", () => {
  it.each(BYE_REASONS)("explain the end of a session by %s", (reason) => {
    expect(BYE_WORDS[reason].title).not.toBe("");
    expect(BYE_WORDS[reason].text).toMatch(/[.?]$/);
  });

  it.each(ERROR_CODES)("explain the refusal %s", (code) => {
    expect(ERROR_WORDS[code].title).not.toBe("");
    expect(ERROR_WORDS[code].text).toMatch(/[.?]$/);
  });

  it.each(STOP_REASONS.filter((reason) => reason !== "none"))(
    "explain the stop by %s",
    (reason) => {
      expect(STOP_WORDS[reason]).not.toBe("");
    },
  );

  it("explain every stop by this page in a line", () => {
    expect(
      Object.values(PAGE_STOP_WORDS).filter((words) => !/^[A-Z].{5,38}[a-z]$/.test(words)),
    ).toEqual([]);
    expect(stopWords({ by: "page", why: "link-slow" })).toBe("The link was too slow");
    expect(stopWords({ by: "car", why: "silent" })).toBe("The car hears nothing from this page");
  });

  it.each(DRIVE_STATES)("name the state %s", (state) => {
    expect(STATE_WORDS[state]).not.toBe("");
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
    expect(apiWords("setup", 500, "", "")).toBe("The host answered with status 500.");
  });
});
