/** The list of cars as the host sends it: a first part, more parts, then changes. Pure. */

import type { CarInfo } from "../../protocol/common";
import type { ToDriver } from "../../protocol/signaling";

type ListMessage = Extract<ToDriver, { type: "welcome" | "cars" }>;

export interface CarList {
  readonly cars: readonly CarInfo[];
  /** More of the first list is on its way. */
  readonly more: boolean;
}

/** The list after a message from the host: `welcome` begins a new one, `cars` changes it. */
export function updated(list: CarList | null, message: ListMessage): CarList {
  const cars = new Map(message.type === "cars" ? list?.cars.map((car) => [car.id, car]) : []);
  for (const car of message.cars) cars.set(car.id, car);
  if (message.type === "cars") for (const car of message.gone ?? []) cars.delete(car);
  return { cars: [...cars.values()], more: message.more === true };
}

/** Sorts as a person looks for a car: their own first, then those that are there, by name. */
export function ordered(cars: readonly CarInfo[], user: string | null): CarInfo[] {
  const rank = ({ owner, presence }: CarInfo) =>
    (owner !== null && owner === user ? 0 : 2) + (presence === "offline" ? 1 : 0);
  const names = new Intl.Collator(undefined, { numeric: true });
  return [...cars].sort(
    (a, b) => rank(a) - rank(b) || names.compare(a.name, b.name) || names.compare(a.id, b.id),
  );
}
