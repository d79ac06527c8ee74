/** What the person prefers, kept by the browser and shown by the page at once. */

import { effect, signal } from "@preact/signals";
import { formatPreferences, parsePreferences, type Preferences } from "../core/app/preferences";
import { keep, kept } from "../kept";
import { speechOf } from "../words/language";
import { speak, spoken } from "../words/words";

const PLACE = "rccar-display";

export const preferences = signal(parsePreferences(kept(PLACE)));

/** Holds at once, and for as long as the browser keeps it. */
export function prefer(change: Partial<Preferences>): void {
  preferences.value = { ...preferences.peek(), ...change };
  keep(PLACE, formatPreferences(preferences.peek()));
}

/** Lets the style sheets know, from now on. */
export function dress(): void {
  effect(() => {
    const { theme, figures, language } = preferences.value;
    speak(speechOf(language, navigator.languages));
    document.documentElement.lang = spoken();
    const { dataset } = document.documentElement;
    dataset["theme"] = theme;
    dataset["figures"] = figures;
    // The bars of a phone around the page.
    const bars = document.querySelector('meta[name="theme-color"]');
    bars?.setAttribute("content", theme === "sun" ? "#ffffff" : "#0b0d11");
  });
}
