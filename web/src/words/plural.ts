/** The right form for a number, by the rules of a language (CLDR). */

import type { Language } from "./language";

/** What English and German need of the six forms that there are. */
export interface Forms {
  readonly one: string;
  readonly other: string;
}

export function pluralIn(language: Language): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  return (count, forms) => (rules.select(count) === "one" ? forms.one : forms.other);
}
