/** What a person has filled in for a card, what is wrong with it, and the file that it makes. */

import { applies, GROUPS, type Field } from "./fields";
import * as rules from "./rules";
import { fill, lines, type Table } from "./toml";

export interface Network {
  readonly ssid: string;
  readonly password: string;
  readonly hidden: boolean;
}

/** The form as it stands. What is empty is left out of the file. */
export interface Card {
  readonly name: string;
  /** Two letters. */
  readonly country: string;
  /** The first one is preferred. */
  readonly networks: readonly Network[];
  /** By `table.key`, as `fields.ts` has them. */
  readonly values: Readonly<Record<string, string>>;
}

/** As the car keeps them (`MAX_NETWORKS` of rccar-provision). */
export const MAX_NETWORKS = 16;

export const NO_NETWORK: Network = { ssid: "", password: "", hidden: false };
export const EMPTY: Card = { name: "", country: "", networks: [NO_NETWORK], values: {} };

/** Messages by field: `table.key`, or `wifi.0.ssid` for a network. */
export type Issues = ReadonlyMap<string, string>;

export function issues(card: Card): Issues {
  const found = new Map<string, string>();
  const say = (key: string, message: string | null) => {
    if (message !== null && !found.has(key)) found.set(key, message);
  };
  if (card.name !== "") say("car.name", rules.carName(card.name));
  card.networks.forEach((network, index) => {
    const at = `wifi.${index}`;
    if (network.ssid === "") {
      const filled = network.password !== "" || network.hidden || index > 0;
      if (filled) say(`${at}.ssid`, "Which network? Type its name");
      return;
    }
    say(`${at}.ssid`, rules.ssid(network.ssid));
    if (card.networks.findIndex(({ ssid }) => ssid === network.ssid) < index) {
      say(`${at}.ssid`, "This network is in the form twice");
    }
    if (network.password !== "") say(`${at}.password`, rules.wifiPassword(network.password));
  });
  for (const field of written(card))
    say(field.key, field.check?.(card.values[field.key] ?? "") ?? null);
  if (found.size === 0) {
    lineConflicts(card, say);
    thresholds(card, say);
    pulses(card, say);
  }
  return found;
}

/** The fields that go into the file. */
function written({ values }: Card): Field[] {
  const all = GROUPS.flatMap((group) => group.fields);
  return all.filter((field) => (values[field.key] ?? "") !== "" && applies(field, values));
}

type Say = (key: string, message: string) => void;

/** A GPIO line has one use (`crates/programs/provision/src/lines.rs`). */
function lineConflicts(card: Card, say: Say): void {
  const fields = written(card);
  const value = (key: string) =>
    fields.some((field) => field.key === key) ? (card.values[key] ?? "") : "";
  const taken = new Map<string, string>();
  if (value("drive.actuator") === "pca9685" || value("sensors.power_monitor") !== "") {
    taken.set("GPIO2", "pin 3, of the I²C bus");
    taken.set("GPIO3", "pin 5, of the I²C bus");
  }
  if (value("drive.actuator") === "pwm") {
    taken.set("GPIO12", "pin 32, the steering's");
    taken.set("GPIO13", "pin 33, the motor's");
  }
  for (const field of fields) {
    if (field.check !== rules.line) continue;
    const line = value(field.key);
    const use = taken.get(line);
    if (use !== undefined) say(field.key, `${line} is taken: ${use}`);
    else taken.set(line, field.label);
  }
}

/** Half a tenth of a volt is left between the warning and a full cell (`BatterySettings`). */
function thresholds({ values }: Card, say: Say): void {
  if ((values["battery.cells"] ?? "") === "") return;
  const volts = (key: string, otherwise: number) => Number(values[key] || otherwise);
  const [warn, limit, stop] = [
    volts("battery.warn", 3.6),
    volts("battery.limit", 3.5),
    volts("battery.stop", 3.3),
  ];
  if (limit < stop) say("battery.limit", `This has to be at least ${stop}, where it stops`);
  else if (warn < limit)
    say("battery.warn", `This has to be at least ${limit}, where it slows down`);
  else if (warn > 4) say("battery.warn", "This has to be 4 at most: a full cell has 4.2 V");
}

/** One pulse for 5 mm at most, as `rccar-provision` asks for. */
function pulses({ values }: Card, say: Say): void {
  const number = (key: string) => Number(values[key] ?? "");
  const [count, way] = [number("speed.pulses_per_turn"), number("speed.circumference_mm")];
  if ((values["speed.line"] ?? "") === "" || count === 0 || way === 0) return;
  const most = Math.floor(way / 5);
  if (count > most) say("speed.pulses_per_turn", `In ${way} mm there may be ${most} at most`);
}

/** The tables that the file gets, without those of the host. */
export function tables(card: Card): Table[] {
  const made: Table[] = [];
  const add = (name: string, key: string, value: string | number | boolean) => {
    let table = made.find((known) => known.name === name && known.further !== true);
    if (!table) made.push((table = { name, entries: [] }));
    table.entries.push([key, value]);
  };
  if (card.name !== "") add("car", "name", card.name);
  if (card.country !== "") add("wifi", "country", card.country);
  const networks = card.networks.filter(({ ssid }) => ssid !== "");
  networks.forEach(({ ssid, password, hidden }, index) => {
    const entries: Table["entries"] = [["ssid", ssid]];
    if (password !== "") entries.push(["password", password]);
    if (hidden) entries.push(["hidden", true]);
    if (networks.length > 1) entries.push(["priority", networks.length - index]);
    if (index > 0) made.push({ name: "wifi", further: true, entries });
    else for (const [key, value] of entries) add("wifi", key, value);
  });
  for (const { key, bare } of written(card)) {
    const [table = "", name = ""] = key.split(".");
    const value = card.values[key] ?? "";
    add(table, name, bare ? bareValue(value) : value);
  }
  return made;
}

function bareValue(text: string): number | boolean {
  return text === "true" || text === "false" ? text === "true" : Number(text);
}

/** What is shown of the file while it is filled in: the lines that say something. */
export function preview(card: Card, address: string): string {
  const host: Table = {
    name: "host",
    entries: [
      ["url", address],
      ["token", "…"],
    ],
  };
  return lines([host, ...tables(card)]);
}

/** The whole file, of the host's with address, token and name in it. */
export function file(template: string, card: Card): string {
  return fill(template, tables(card));
}
