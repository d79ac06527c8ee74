/**
 * How a person wants the page to look and to sound, as the browser keeps it. Reading is forgiving:
 * what cannot be used is the default, and the rest holds.
 */

import { LANGUAGES, type Language } from "../../words/language";

export const THEMES = ["dark", "sun"] as const;
export const FIGURES = ["normal", "large"] as const;

export interface Preferences {
  /** `sun`: dark on white, to be read in sunlight. */
  readonly theme: (typeof THEMES)[number];
  /** Words and figures of the cockpit. */
  readonly figures: (typeof FIGURES)[number];
  /** `null`: what the browser asks for. */
  readonly language: Language | null;
  /** Short tones when the link is lost, the car stops by itself, or the battery runs down. */
  readonly sounds: boolean;
  /** The same by the phone and by gamepads. */
  readonly vibration: boolean;
}

export const PLAIN: Preferences = {
  theme: "dark",
  figures: "normal",
  language: null,
  sounds: true,
  vibration: true,
};

/** Longest text that is read at all. */
const MAX_LENGTH = 1_000;

export function parsePreferences(text: string | null): Preferences {
  if (text === null || text.length > MAX_LENGTH) return PLAIN;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return PLAIN;
  }
  if (typeof value !== "object" || value === null) return PLAIN;
  const of = value as Readonly<Record<string, unknown>>;
  return {
    theme: THEMES.find((known) => known === of["theme"]) ?? PLAIN.theme,
    figures: FIGURES.find((known) => known === of["figures"]) ?? PLAIN.figures,
    language: LANGUAGES.find((known) => known === of["language"]) ?? PLAIN.language,
    sounds: of["sounds"] !== false,
    vibration: of["vibration"] !== false,
  };
}

export function formatPreferences(preferences: Preferences): string {
  return JSON.stringify(preferences);
}
