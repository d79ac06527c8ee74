import { beforeEach, describe, expect, it } from "vitest";
import { Presses } from "./presses";

let presses: Presses;

beforeEach(() => {
  presses = new Presses();
});

describe("presses of arm", () => {
  it.each([0, 8, 50, 200])(
    "are one when another device reports it %i ms later, and a third one, too",
    (later) => {
      expect(presses.handlePress("a", 1_000)).toBe(true);
      expect(presses.handlePress("b", 1_000 + later)).toBe(false);
      expect(presses.handlePress("c", 1_000 + later)).toBe(false);
    },
  );

  it("are two when another device reports one later than that", () => {
    presses.handlePress("a", 1_000);
    expect(presses.handlePress("b", 1_201)).toBe(true);
  });

  it("are two when the same device reports them, however quickly", () => {
    presses.handlePress("a", 1_000);
    expect(presses.handlePress("a", 1_060)).toBe(true);
  });

  it("are two when both twins report two, whichever is first", () => {
    const news = [
      ["a", 0],
      ["b", 30],
      ["b", 120],
      ["a", 150],
    ] as const;
    expect(news.map(([device, now]) => presses.handlePress(device, now))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});
