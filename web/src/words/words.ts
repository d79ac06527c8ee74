/**
 * All that the page says, in the language of the person: `t().cars.title`. What reads it while it
 * draws is drawn again when the language changes.
 */

import { signal } from "@preact/signals";
import type { Catalogue } from "./catalogue";
import { de } from "./de";
import { en } from "./en";
import type { Language, Speech } from "./language";

const CATALOGUES: Readonly<Record<Language, Catalogue>> = { en, de };

const speech = signal<Speech>({ language: "en", locale: "en" });

/** From now on. */
export function speak(wanted: Speech): void {
  speech.value = wanted;
}

export function spoken(): Language {
  return speech.value.language;
}

export function t(): Catalogue {
  return CATALOGUES[speech.value.language];
}

/** Formats are dear to make, and some are used ten times a second. */
const formats = new Map<string, Intl.NumberFormat>();

function format(
  options: Intl.NumberFormatOptions & { readonly digits: number },
): Intl.NumberFormat {
  const { locale } = speech.value;
  const key = `${locale} ${options.digits} ${String(options.useGrouping)}`;
  let found = formats.get(key);
  if (!found) {
    const { digits, ...rest } = options;
    found = new Intl.NumberFormat(locale, {
      ...rest,
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    formats.set(key, found);
  }
  return found;
}

/** A measured value with so many digits behind the point. */
export function figure(value: number, digits = 0): string {
  return format({ digits, useGrouping: false }).format(value);
}

/** How many there are: `1,204`. */
export function count(value: number): string {
  return format({ digits: 0, useGrouping: true }).format(value);
}

/** A date; `seconds`: Unix time. */
export function day(seconds: number): string {
  return dateIn({ dateStyle: "medium" }, seconds);
}

/** A date with its time. */
export function moment(seconds: number): string {
  return dateIn({ dateStyle: "medium", timeStyle: "short" }, seconds);
}

function dateIn(options: Intl.DateTimeFormatOptions, seconds: number): string {
  const time = new Date(seconds * 1000);
  // A host may send a number that is no date.
  if (Number.isNaN(time.getTime())) return "–";
  return new Intl.DateTimeFormat(speech.value.locale, options).format(time);
}
