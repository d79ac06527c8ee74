/** How to drive, shown over the picture: the driver can drive meanwhile. */

import { keyWords } from "../core/input/controls";
import { COMMANDS, type Command, type Keys } from "../core/input/keyboard";
import { DisplayChoices } from "./display";
import { Panel } from "./panel";

export const COMMAND_WORDS: Readonly<Record<Command, string>> = {
  left: "Steer left",
  right: "Steer right",
  forward: "Forward",
  backward: "Backward",
  brake: "Brake",
  arm: "Arm, disarm",
};

/** Names of the keys that mean this. */
export function keysFor(keys: Keys, command: Command): readonly string[] {
  return Object.entries(keys)
    .filter(([, of]) => of === command)
    .map(([place]) => keyWords(place));
}

/** What the keys of the page itself do. */
const PAGE_KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["1", "2", "3"], "Gear: crawl, normal, full"],
  [["L"], "Lights, if the car has any"],
  [["H"], "Horn, if the car has one"],
  [["P"], "The last minute as a plot"],
  [["F"], "Full screen"],
  [["?"], "This help"],
];

const PAD: readonly (readonly [string, string])[] = [
  ["Left stick", "Steer"],
  ["Right trigger", "Forward"],
  ["Left trigger", "Backward"],
  ["Shoulders", "Gear down, gear up"],
  ["A", "Arm, disarm"],
  ["B", "Brake"],
];

interface Props {
  readonly keys: Keys;
  /** The driver uses a touch screen: keys come last. */
  readonly touched: boolean;
  readonly openControls: () => void;
  readonly close: () => void;
}

export function HelpPanel({ keys, touched, openControls, close }: Props) {
  const rows = [
    ...COMMANDS.map((command) => [keysFor(keys, command), COMMAND_WORDS[command]] as const),
    ...PAGE_KEYS,
  ];
  return (
    <Panel kind="help" title="How to drive" testid="help" closes="Close the help" close={close}>
      <p class="muted">
        Arm the car with the device that you want to drive with. Moving another one disarms, and
        that one steers once you arm again. Leave this page, unplug the gamepad, lose the network or
        the picture, and the car stops by itself; then arm it again.
      </p>
      {touched ? (
        <>
          <dl class="help-list">
            <Row name="Left thumb" what="Steers" />
            <Row name="Right thumb" what="Drives" />
            <Row name="Arm, Brake" what="Below the picture" />
          </dl>
          <details>
            <summary>Keyboard and gamepad</summary>
            <Lists rows={rows} />
          </details>
        </>
      ) : (
        <Lists rows={rows} />
      )}
      <DisplayChoices />
      <p class="muted small">
        A low gear also weakens braking by opposite throttle, but not the brake.
      </p>
      <p class="muted small">
        Let go of a gamepad while you plug it in: the page then learns where its controls rest. If
        one of its sticks does nothing, plug it in again.
      </p>
      <button type="button" class="button" data-testid="open-controls" onClick={openControls}>
        Keys and devices
      </button>
      {!isSecureContext && (
        <p class="muted small">Gamepads need HTTPS or a page on this very machine.</p>
      )}
    </Panel>
  );
}

function Lists({ rows }: { rows: readonly (readonly [readonly string[], string])[] }) {
  return (
    <div class="help-lists">
      <dl class="help-list">
        {rows
          .filter(([names]) => names.length > 0)
          .map(([names, what]) => (
            <div key={what}>
              <dt>
                {names.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
      </dl>
      <dl class="help-list">
        {PAD.map(([control, what]) => (
          <Row key={what} name={control} what={what} />
        ))}
      </dl>
    </div>
  );
}

function Row({ name, what }: { name: string; what: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{what}</dd>
    </div>
  );
}
