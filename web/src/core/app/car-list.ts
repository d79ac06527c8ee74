/**
 * The list of cars: what a person wants to see of it, and what the host sends.
 *
 * ```text
 *  welcome of a host that serves parts ──► PARTS: asks for what is wanted, gets it and its changes
 *  welcome of any other host ────────────► WHOLE: gets the whole list and its changes, and looks
 *                                                 for itself
 * ```
 *
 * **Of a long list the page draws, and where it can, gets, only the part that somebody looks at.**
 */

import type { CarInfo } from "../../protocol/common";
import {
  LISTS,
  type FromDriver,
  type ListShow,
  type ListSort,
  type ToDriver,
} from "../../protocol/signaling";

type ListMessage = Extract<ToDriver, { type: "welcome" | "cars" | "list" }>;

/** Cars on a page: as many cards as a tablet shows in a few screens. */
export const PART = 48;

/** What a person wants to see. */
export interface Wish {
  readonly search: string;
  readonly show: ListShow;
  readonly sort: ListSort;
  /** Number of the first car, from 0. */
  readonly from: number;
  /** Only this car; `null`: all. */
  readonly car: string | null;
}

export const EVERYTHING: Wish = { search: "", show: "all", sort: "ready", from: 0, car: null };

/** What there is to see. */
export interface CarView {
  /** Cars that the person may see at all. */
  readonly known: number;
  /** Cars that fit the wish, and how many of them can be driven now. */
  readonly total: number;
  readonly ready: number;
  /** Number of the first one in `cars`. */
  readonly from: number;
  readonly cars: readonly CarInfo[];
  /** More of the list is on its way. */
  readonly more: boolean;
}

export interface Effect {
  readonly kind: "send";
  readonly message: FromDriver;
}

export class CarList {
  #wish: Wish = EVERYTHING;
  #user: string | null = null;
  /** Whether the host serves parts; `null` before it has said so. */
  #parts: boolean | null = null;
  #id = 0;
  #cars = new Map<string, CarInfo>();
  #order: readonly string[] = [];
  #counts = { known: 0, total: 0, ready: 0, from: 0 };
  /** There is an answer, perhaps to the wish before. */
  #answered = false;
  #more = false;
  #effects: Effect[] = [];

  get wish(): Wish {
    return this.#wish;
  }

  /** `null` until the host has sent something of its list. */
  get view(): CarView | null {
    if (!this.#answered) return null;
    if (this.#parts === true) {
      const cars = this.#order.flatMap((id) => this.#cars.get(id) ?? []);
      return { ...this.#counts, cars, more: false };
    }
    const all = [...this.#cars.values()];
    const found = ordered(
      all.filter((car) => fits(car, this.#wish, this.#user)),
      this.#user,
      this.#wish.sort,
    );
    const from = Math.min(this.#wish.from, lastPart(found.length));
    return {
      known: all.length,
      total: found.length,
      ready: found.filter(({ presence }) => presence === "available").length,
      from,
      cars: found.slice(from, from + PART),
      more: this.#more,
    };
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  /** Somebody wants to see something else. */
  handleWish(wish: Wish): void {
    const same = (Object.keys(wish) as (keyof Wish)[]).every(
      (key) => wish[key] === this.#wish[key],
    );
    if (same) return;
    this.#wish = wish;
    this.#ask();
  }

  /** The host sent something of its list. */
  handleMessage(message: ListMessage): void {
    switch (message.type) {
      case "welcome":
        this.#user = message.user;
        if (message.lists?.includes(LISTS) === true) {
          // What a host of parts has shown before a loss stays until it answers again.
          if (this.#parts !== true) this.#forget();
          this.#parts = true;
        } else {
          this.#forget();
          this.#parts = false;
          this.#answered = true;
          for (const car of message.cars) this.#cars.set(car.id, car);
          this.#more = message.more === true;
        }
        this.#ask();
        return;
      case "cars":
        for (const car of message.cars) this.#cars.set(car.id, car);
        for (const car of message.gone ?? []) this.#cars.delete(car);
        this.#more = message.more === true;
        return;
      case "list": {
        // An answer to an earlier wish crossed the new one.
        if (message.id !== this.#id) return;
        for (const car of message.cars) this.#cars.set(car.id, car);
        if (message.order !== null) {
          this.#order = message.order;
          const shown = new Set(message.order);
          for (const id of this.#cars.keys()) if (!shown.has(id)) this.#cars.delete(id);
        }
        const { known, total, ready, from } = message;
        this.#counts = { known, total, ready, from };
        this.#answered = true;
        // The last page is gone, with all its cars.
        if (total > 0 && from >= total) this.handleWish({ ...this.#wish, from: lastPart(total) });
        return;
      }
    }
  }

  /** Forgets everything: somebody else may sign in. */
  handleSignedOut(): void {
    this.#forget();
    this.#wish = EVERYTHING;
    this.#parts = null;
  }

  #forget(): void {
    this.#cars.clear();
    this.#order = [];
    this.#answered = false;
    this.#more = false;
  }

  #ask(): void {
    if (this.#parts !== true) return;
    this.#id += 1;
    const { show, sort, from, car } = this.#wish;
    const search = this.#wish.search.trim();
    this.#effects.push({
      kind: "send",
      message: {
        type: "list",
        id: this.#id,
        search: search === "" ? null : search,
        show,
        sort,
        car,
        from,
        count: PART,
      },
    });
  }
}

/** Number of the first car on the last page. */
function lastPart(total: number): number {
  return Math.max(0, Math.floor((total - 1) / PART) * PART);
}

function fits(car: CarInfo, { search, show, car: only }: Wish, user: string | null): boolean {
  if (only !== null && car.id !== only) return false;
  if (show === "own" && (car.owner === null || car.owner !== user)) return false;
  if (show === "ready" && car.presence !== "available") return false;
  const wanted = search.trim().toLowerCase();
  return (
    wanted === "" ||
    car.name.toLowerCase().includes(wanted) ||
    car.owner?.toLowerCase().includes(wanted) === true ||
    car.id.startsWith(wanted)
  );
}

/**
 * Sorts as a person looks for a car: their own first, then those that are there, by name; or by
 * name alone.
 */
export function ordered(
  cars: readonly CarInfo[],
  user: string | null,
  sort: ListSort = "ready",
): CarInfo[] {
  const rank = ({ owner, presence }: CarInfo) =>
    sort === "name"
      ? 0
      : (owner !== null && owner === user ? 0 : 2) + (presence === "offline" ? 1 : 0);
  const names = new Intl.Collator(undefined, { numeric: true });
  return [...cars].sort(
    (a, b) => rank(a) - rank(b) || names.compare(a.name, b.name) || names.compare(a.id, b.id),
  );
}
