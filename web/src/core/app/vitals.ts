/** How the car's computer is, and where the car is, in words of a few letters. Pure. */

import type { Computer, Position } from "../../protocol/sensors";
import { HEAT_LEVELS, SUPPLY_LEVELS } from "../../protocol/state";
import { isKnown } from "../../protocol/words";
import { figure, t } from "../../words/words";
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
  const degrees = temperature === null ? "? °C" : `${Math.round(temperature / 10)} °C`;
  const words = t().figures;
  const more = [
    temperature === null ? words.noThermometer : words.computer,
    ...(load === null ? [] : [words.busyTo(load)]),
    words.onFor(duration(uptime_s)),
  ].join(", ");
  const shown = (tone: Vital["tone"], level: string): Vital => ({
    id: "heat",
    text: level === "" ? degrees : `${degrees} · ${level}`,
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
      return shown("warn", words.warm);
    case "hot":
      return shown("bad", words.hot);
  }
}

/** A supply that is good, or that nothing watches, is no news. */
function supply({ supply }: Computer): Vital | null {
  const words = t().figures;
  const shown = (tone: Vital["tone"], level: string, hint: string): Vital => ({
    id: "supply",
    text: words.supply(level),
    hint,
    tone,
  });
  if (!isKnown(SUPPLY_LEVELS, supply)) return shown("warn", plain(supply), "");
  switch (supply) {
    case "unknown":
    case "good":
      return null;
    case "sagged":
      return shown("warn", words.sagged, words.saggedHint);
    case "sags":
      return shown("bad", words.sags, words.sagsHint);
  }
}

function wear({ wear }: Computer): Vital | null {
  if (wear === null || wear < WORN) return null;
  return {
    id: "wear",
    text: t().figures.worn(wear),
    hint: t().figures.wornHint,
    tone: wear < 100 ? "warn" : "bad",
  };
}

function place({ latitude, longitude, age_s }: Position): Vital {
  const degrees = (parts: number) => figure(parts / 10_000_000, 5);
  const old = age_s > OLD_PLACE_S;
  const text = `${degrees(latitude)}, ${degrees(longitude)}`;
  return {
    id: "position",
    text: old ? t().figures.ago(text, duration(age_s)) : text,
    hint: t().figures.positionHint,
    tone: old ? "warn" : "good",
  };
}

function duration(seconds: number): string {
  const words = t().figures;
  if (seconds < 60) return words.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return words.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? words.hours(hours) : words.days(Math.floor(hours / 24));
}
