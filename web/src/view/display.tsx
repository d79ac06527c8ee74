/** What a person may choose of the looks of the page. */

import { prefer, preferences } from "../app/preferences";

/** For the pages around the cockpit. */
export function ThemeSwitch() {
  const sun = preferences.value.theme === "sun";
  return (
    <button
      type="button"
      class="link theme"
      aria-pressed={sun}
      data-testid="theme"
      onClick={() => prefer({ theme: sun ? "dark" : "sun" })}
    >
      Light theme for sunlight
    </button>
  );
}

export function DisplayChoices() {
  const { theme, figures } = preferences.value;
  return (
    <fieldset class="choice-list">
      <legend>Display</legend>
      <Choice
        testid="choose-sun"
        label="Light theme for sunlight"
        checked={theme === "sun"}
        choose={(sun) => prefer({ theme: sun ? "sun" : "dark" })}
      />
      <Choice
        testid="choose-large"
        label="Larger words and figures"
        checked={figures === "large"}
        choose={(large) => prefer({ figures: large ? "large" : "normal" })}
      />
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
