import { describe, expect, it } from "vitest";
import { UPDATE_STATES, type UpdateStatus } from "../../protocol/release";
import type { CarInfo } from "../../protocol/common";
import type { OtherWord } from "../../protocol/words";
import { requestable, size, updateWords } from "./updates";

const idle: UpdateStatus = {
  state: "idle",
  running: "0.3.1",
  version: null,
  percent: null,
  bytes: null,
  reason: null,
  on_request: null,
};
const coming: UpdateStatus = { ...idle, version: "0.4.0" };

describe("words for an update", () => {
  it.each(UPDATE_STATES)("name the version in state %s", (state) => {
    expect(updateWords({ ...coming, state }).text).toMatch(/0\.[34]\.[01]/);
    expect(updateWords({ ...idle, state }).text).not.toMatch(/null/);
  });

  it("name a state of a later version as it is", () => {
    const state = "checking-twice" as OtherWord;
    expect(updateWords({ ...coming, state }).text).toBe("The update to 0.4.0: checking twice");
  });

  it("tell how far a download is", () => {
    const words = updateWords({ ...coming, state: "downloading", percent: 41, bytes: 4_400_000 });
    expect(words).toEqual({
      tone: "busy",
      text: "Getting 0.4.0 (4.4 MB so far)",
      why: null,
      percent: 41,
    });
  });

  it("tell why it waits or failed, as a sentence", () => {
    const waiting = updateWords({
      ...coming,
      state: "waiting",
      percent: 100,
      reason: "somebody drives the car",
    });
    expect(waiting).toMatchObject({ why: "Somebody drives the car.", percent: null, tone: "busy" });
    const failed = updateWords({ ...coming, state: "failed", reason: "no picture within 90 s" });
    expect(failed).toMatchObject({ tone: "bad", text: "The update to 0.4.0 failed. Runs 0.3.1" });
    expect(failed.why).toBe("No picture within 90 s.");
  });

  it("remember the last failure while nothing happens", () => {
    const words = updateWords({ ...coming, reason: "wrong key" });
    expect(words).toMatchObject({
      tone: "bad",
      text: "Runs 0.3.1. The last update to 0.4.0 failed",
      why: "Wrong key.",
    });
    expect(updateWords(idle)).toMatchObject({ tone: "quiet", text: "Runs 0.3.1" });
  });
});

describe("the button that starts an update", () => {
  const waits: UpdateStatus = { ...coming, state: "waiting", on_request: true };
  const car: CarInfo = {
    id: "eh7ddx5bksrgcytl7bkai36se4",
    name: "Blitz",
    presence: "available",
    driver: null,
    software: null,
    owner: "Ada",
    role: null,
    update: waits,
  };

  it("is for the owner of a car that waits to be asked", () => {
    expect(requestable(car, "Ada")).toBe("0.4.0");
    expect(requestable({ ...car, presence: "busy" }, "Ada")).toBe("0.4.0");
    expect(requestable({ ...car, update: { ...waits, state: "failed" } }, "Ada")).toBe("0.4.0");
  });

  it.each<[string, CarInfo, string | null]>([
    ["somebody else", car, "Bob"],
    ["a car that nobody owns", { ...car, owner: null }, null],
    ["a car that is away", { ...car, presence: "offline" }, "Ada"],
    [
      "a car that waits for something else",
      { ...car, update: { ...waits, on_request: null } },
      "Ada",
    ],
    ["a car without a version to install", { ...car, update: { ...waits, version: null } }, "Ada"],
    ["a car that has said nothing", { ...car, update: null }, "Ada"],
  ])("is not for %s", (_, info, user) => {
    expect(requestable(info, user)).toBeNull();
  });
});

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [84_700_000, "84.7 MB"],
    [536_870_912, "537 MB"],
    [9e15, "9000000 GB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });
});
