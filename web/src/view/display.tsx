/** What a person may choose of the looks of the page, and its language. */

import { prefer, preferences } from "../app/preferences";
import { LANGUAGES } from "../words/language";
import { spoken, t } from "../words/words";

/** Each language by its own name: people look for theirs where they read no other. */
const NAMES = { en: "English", de: "Deutsch" } as const;

/** Theme and language, for the pages around the cockpit. */
export function ThemeSwitch() {
  const sun = preferences.value.theme === "sun";
  return (
    <>
      <button
        type="button"
        class="link theme"
        aria-pressed={sun}
        data-testid="theme"
        onClick={() => prefer({ theme: sun ? "dark" : "sun" })}
      >
        {t().display.sun}
      </button>
      {LANGUAGES.filter((language) => language !== spoken()).map((language) => (
        <button
          key={language}
          type="button"
          class="link theme"
          lang={language}
          data-testid={`language-${language}`}
          onClick={() => prefer({ language })}
        >
          {NAMES[language]}
        </button>
      ))}
    </>
  );
}

export function DisplayChoices() {
  const { theme, figures, language, sounds, vibration } = preferences.value;
  return (
    <fieldset class="choice-list">
      <legend>{t().display.title}</legend>
      <Choice
        testid="choose-sun"
        label={t().display.sun}
        checked={theme === "sun"}
        choose={(sun) => prefer({ theme: sun ? "sun" : "dark" })}
      />
      <Choice
        testid="choose-large"
        label={t().display.large}
        checked={figures === "large"}
        choose={(large) => prefer({ figures: large ? "large" : "normal" })}
      />
      <Choice
        testid="choose-sounds"
        label={t().display.sounds}
        checked={sounds}
        choose={(on) => prefer({ sounds: on })}
      />
      <Choice
        testid="choose-vibration"
        label={t().display.vibration}
        checked={vibration}
        choose={(on) => prefer({ vibration: on })}
      />
      <label class="choose-language">
        <span>{t().display.language}</span>
        <select
          data-testid="choose-language"
          value={language ?? ""}
          onChange={({ currentTarget: { value } }) =>
            prefer({ language: LANGUAGES.find((known) => known === value) ?? null })
          }
        >
          <option value="">{t().display.asBrowser}</option>
          {LANGUAGES.map((one) => (
            <option key={one} value={one} lang={one}>
              {NAMES[one]}
            </option>
          ))}
        </select>
      </label>
    </fieldset>
  );
}

interface ChoiceProps {
  readonly testid: string;
  readonly label: string;
  readonly checked: boolean;
  readonly choose: (on: boolean) => void;
}

export function Choice({ testid, label, checked, choose }: ChoiceProps) {
  return (
    <label class="setup-check">
      <input
        type="checkbox"
        checked={checked}
        data-testid={testid}
        onChange={(event) => choose(event.currentTarget.checked)}
      />
      {label}
    </label>
  );
}
