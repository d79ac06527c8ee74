/** How the car's computer is, and where the car is, in words of a few letters. Pure. */

import type { Computer, Position } from "../../protocol/sensors";
import { HEAT_LEVELS, SUPPLY_LEVELS } from "../../protocol/state";
import { isKnown } from "../../protocol/words";
import { plain } from "./messages";

export interface Vital {
  readonly id: "heat" | "supply" | "wear" | "position";
  readonly text: string;
  /** More words, for those who point at it. */
  readonly hint: string;
  readonly tone: "good" | "warn" | "bad" | "idle";
}

/** Receivers speak every second: a place this old is where the car was. */
const OLD_PLACE_S = 10;
/** From here on an eMMC is in the last fifth of its life (JESD84-B51, DEVICE_LIFE_TIME_EST). */
const WORN = 80;

export function vitalsOf(computer: Computer | null, position: Position | null): readonly Vital[] {
  const parts = computer === null ? [] : [heat(computer), supply(computer), wear(computer)];
  return [...parts, position && place(position)].filter((part) => part !== null);
}

function heat({ temperature, heat, load, uptime_s }: Computer): Vital {
  const figure = temperature === null ? "? °C" : `${Math.round(temperature / 10)} °C`;
  const more = [
    temperature === null ? "Nothing measures the computer's temperature" : "The computer",
    ...(load === null ? [] : [`busy to ${load} %`]),
    `on for ${duration(uptime_s)}`,
  ].join(", ");
  const shown = (tone: Vital["tone"], words: string): Vital => ({
    id: "heat",
    text: words === "" ? figure : `${figure} · ${words}`,
    hint: `${more}.`,
    tone,
  });
  if (!isKnown(HEAT_LEVELS, heat)) return shown("warn", plain(heat));
  switch (heat) {
    case "unknown":
      return shown("idle", "");
    case "good":
      return shown("good", "");
    case "warm":
      return shown("warn", "warm");
    case "hot":
      return shown("bad", "hot");
  }
}

/** A supply that is good, or that nothing watches, is no news. */
function supply({ supply }: Computer): Vital | null {
  const shown = (tone: Vital["tone"], words: string, hint: string): Vital => ({
    id: "supply",
    text: `5 V ${words}`,
    hint,
    tone,
  });
  if (!isKnown(SUPPLY_LEVELS, supply)) return shown("warn", plain(supply), "");
  switch (supply) {
    case "unknown":
    case "good":
      return null;
    case "sagged":
      return shown("warn", "sagged", "The computer's supply was too low for a moment.");
    case "sags":
      return shown("bad", "sags", "The computer's supply is too low: it may restart.");
  }
}

function wear({ wear }: Computer): Vital | null {
  if (wear === null || wear < WORN) return null;
  return {
    id: "wear",
    text: `Storage worn ${wear} %`,
    hint: "The memory on which the car keeps its programs comes to the end of its life.",
    tone: wear < 100 ? "warn" : "bad",
  };
}

function place({ latitude, longitude, age_s }: Position): Vital {
  const degrees = (parts: number) => (parts / 10_000_000).toFixed(5);
  const old = age_s > OLD_PLACE_S;
  const text = `${degrees(latitude)}, ${degrees(longitude)}`;
  return {
    id: "position",
    text: old ? `${text} · ${duration(age_s)} ago` : text,
    hint: "Where the car is, by its satellite receiver: north and east in degrees.",
    tone: old ? "warn" : "good",
  };
}

function duration(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
