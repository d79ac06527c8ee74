import { describe, expect, it } from "vitest";
import type { CarInfo, CarPresence } from "../../protocol/common";
import { ordered, updated, type CarList } from "./car-list";

function car(id: string, presence: CarPresence = "offline", owner: string | null = null): CarInfo {
  return { id, name: id, presence, driver: null, software: null, owner, update: null };
}

const welcome = (cars: CarInfo[], more: true | null = null) =>
  updated(null, { type: "welcome", v: 1, user: "Ada", software: "rccar-host/0.1.0", cars, more });

const next = (
  list: CarList,
  cars: CarInfo[],
  gone: string[] | null = null,
  more: true | null = null,
) => updated(list, { type: "cars", cars, gone, more });

describe("the list", () => {
  it("grows by parts until the host says that there are no more", () => {
    const first = welcome([car("a")], true);
    expect(first.more).toBe(true);
    const second = next(first, [car("b")], null, true);
    const last = next(second, [car("c")]);
    expect(last).toEqual({ cars: [car("a"), car("b"), car("c")], more: false });
  });

  it("takes a changed car in the place of the old one, and takes out what is gone", () => {
    const list = next(
      welcome([car("a"), car("b"), car("c")]),
      [car("b", "busy")],
      ["c", "never-seen"],
    );
    expect(list.cars).toEqual([car("a"), car("b", "busy")]);
  });

  it("begins afresh with another welcome", () => {
    const list = updated(welcome([car("a")]), {
      type: "welcome",
      v: 1,
      user: "Ada",
      software: "rccar-host/0.1.0",
      cars: [car("b")],
      more: null,
    });
    expect(list.cars).toEqual([car("b")]);
  });
});

describe("the order", () => {
  it("is: one's own and there, one's own, there, the rest, each by name", () => {
    const cars = [
      car("f10"),
      car("f9"),
      car("e", "busy", "Bob"),
      car("d", "available"),
      car("b", "offline", "Ada"),
      car("a", "available", "Ada"),
    ];
    expect(ordered(cars, "Ada").map(({ id }) => id)).toEqual(["a", "b", "d", "e", "f9", "f10"]);
    expect(ordered(cars, null).map(({ id }) => id)).toEqual(["a", "d", "e", "b", "f9", "f10"]);
  });
});
