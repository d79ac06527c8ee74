/** Which language a person reads. Pure. */

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Speech {
  readonly language: Language;
  /** For figures and dates: the language, as it is written where the person is (`en-GB`). */
  readonly locale: string;
}

/**
 * `wanted`: what the person chose; `null`: what the browser asks for. English if it asks for
 * neither.
 */
export function speechOf(wanted: Language | null, asked: readonly string[]): Speech {
  const known = (tag: string) => LANGUAGES.find((language) => base(tag) === language);
  const language = wanted ?? asked.map(known).find((found) => found !== undefined) ?? "en";
  const locale = asked.find((tag) => base(tag) === language && isLocale(tag)) ?? language;
  return { language, locale };
}

function base(tag: string): string {
  return tag.split(/[-_]/u, 1)[0]?.toLowerCase() ?? "";
}

/** Browsers may be told anything; `Intl` throws at a tag that is none. */
function isLocale(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}
