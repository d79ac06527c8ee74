import { describe, expect, it } from "vitest";
import { effectsOf } from "../effects";
import type { CarInfo } from "../../protocol/common";
import type { FromDriver, ToDriver } from "../../protocol/signaling";
import { CarList, EVERYTHING, ordered, PART } from "./car-list";

function car(
  id: string,
  presence: "available" | "busy" | "offline" = "offline",
  owner: string | null = null,
): CarInfo {
  return {
    id,
    name: `Car ${id}`,
    presence,
    driver: null,
    software: null,
    owner,
    role: null,
    update: null,
  } as CarInfo;
}

function welcome(cars: CarInfo[], lists: number[] | null, more: true | null = null) {
  return {
    type: "welcome" as const,
    v: 1,
    user: "Ada",
    software: "rccar-host/0.1.0",
    cars,
    more,
    lists,
  };
}

type Answer = Extract<ToDriver, { type: "list" }>;

function answer(id: number, order: string[] | null, cars: CarInfo[], total = 2): Answer {
  return { type: "list", id, known: 9, total, ready: 1, from: 0, order, cars };
}

function sent(list: CarList): FromDriver[] {
  return [...effectsOf(list)].map(({ message }) => message);
}

const shown = (list: CarList) => list.view?.cars.map(({ id }) => id);

describe("at a host that serves parts", () => {
  it("asks for what is wanted, and shows what it gets", () => {
    const list = new CarList();
    list.handleWish({ ...EVERYTHING, search: " blitz ", show: "own", from: PART });
    expect(sent(list)).toEqual([]);
    list.handleMessage(welcome([], [1]));
    expect(list.view).toBeNull();
    expect(sent(list)).toEqual([
      {
        type: "list",
        id: 1,
        search: "blitz",
        show: "own",
        sort: "ready",
        car: null,
        from: PART,
        count: PART,
      },
    ]);
    list.handleMessage(answer(1, ["b", "a"], [car("a"), car("b")]));
    expect(list.view).toMatchObject({ known: 9, total: 2, ready: 1, more: false });
    expect(shown(list)).toEqual(["b", "a"]);
  });

  it("takes changes of cars and of their order, and forgets those that left", () => {
    const list = new CarList();
    list.handleMessage(welcome([], [1]));
    list.handleMessage(answer(1, ["a", "b"], [car("a"), car("b")]));
    list.handleMessage(answer(1, null, [car("b", "busy")]));
    expect(list.view?.cars[1]?.presence).toBe("busy");
    list.handleMessage(answer(1, ["c", "a"], [car("c")]));
    expect(shown(list)).toEqual(["c", "a"]);
  });

  it("ignores the answer to an earlier wish, and shows the old part until the new one is there", () => {
    const list = new CarList();
    list.handleMessage(welcome([], [1]));
    list.handleMessage(answer(1, ["a"], [car("a")]));
    list.handleWish({ ...EVERYTHING, search: "b" });
    list.handleMessage(answer(1, ["x"], [car("x")]));
    expect(shown(list)).toEqual(["a"]);
    list.handleMessage(answer(2, ["b"], [car("b")]));
    expect(shown(list)).toEqual(["b"]);
    sent(list);
    list.handleWish({ ...EVERYTHING, search: "b" });
    expect(sent(list)).toEqual([]);
  });

  it("keeps what it shows over a loss of the host, and asks again", () => {
    const list = new CarList();
    list.handleMessage(welcome([], [1]));
    list.handleMessage(answer(1, ["a"], [car("a")]));
    sent(list);
    list.handleMessage(welcome([], [1]));
    expect(shown(list)).toEqual(["a"]);
    expect(sent(list)).toHaveLength(1);
  });

  it("goes to the last part when the one that it wants is gone", () => {
    const list = new CarList();
    list.handleWish({ ...EVERYTHING, from: 3 * PART });
    list.handleMessage(welcome([], [1]));
    list.handleMessage({ ...answer(1, [], [], PART + 1), from: PART + 1 });
    expect(list.wish.from).toBe(PART);
    expect(sent(list).at(-1)).toMatchObject({ id: 2, from: PART });
  });
});

describe("at a host that sends the whole list", () => {
  it("looks for itself: first part, more parts, changes, cars that are gone", () => {
    const list = new CarList();
    list.handleMessage(welcome([car("b")], null, true));
    expect(list.view).toMatchObject({ known: 1, more: true });
    list.handleMessage({ type: "cars", cars: [car("a"), car("c")], gone: null, more: null });
    list.handleMessage({ type: "cars", cars: [car("b", "busy")], gone: ["c"], more: null });
    expect(list.view).toMatchObject({ known: 2, total: 2, ready: 0, more: false });
    expect(shown(list)).toEqual(["b", "a"]);
    expect(sent(list)).toEqual([]);
    list.handleMessage(welcome([car("z")], null));
    expect(shown(list)).toEqual(["z"]);
  });

  it("searches names, owners and identifiers, and filters, sorts and cuts", () => {
    const list = new CarList();
    const many = Array.from({ length: PART + 5 }, (_, n) => car(`z${String(n)}`));
    list.handleMessage(
      welcome([car("a", "available", "Ada"), car("b", "available", "Grace"), ...many], null),
    );
    const total = (wish: object) => {
      list.handleWish({ ...EVERYTHING, ...wish });
      return list.view?.total;
    };
    expect(total({ search: "CAR Z1" })).toBe(11);
    expect(total({ search: "grace" })).toBe(1);
    expect(total({ search: "z52" })).toBe(1);
    expect(total({ show: "own" })).toBe(1);
    expect(total({ show: "ready" })).toBe(2);
    expect(total({ car: "b" })).toBe(1);
    expect(total({ sort: "name" })).toBe(PART + 7);
    expect(list.view?.cars).toHaveLength(PART);
    list.handleWish({ ...EVERYTHING, from: 5 * PART });
    expect(list.view).toMatchObject({ from: PART });
    expect(list.view?.cars).toHaveLength(7);
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
    expect(ordered(cars, "Ada", "name").map(({ id }) => id)).toEqual([
      "a",
      "b",
      "d",
      "e",
      "f9",
      "f10",
    ]);
  });
});
