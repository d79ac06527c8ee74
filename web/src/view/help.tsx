/** How to drive, shown over the picture: the driver can drive meanwhile. */

import { keyWords } from "../core/input/controls";
import { COMMANDS, type Command, type Keys } from "../core/input/keyboard";
import { CloseIcon } from "./icons";

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
  ["A", "Arm, disarm"],
  ["B", "Brake"],
];

interface Props {
  readonly keys: Keys;
  readonly openControls: () => void;
  readonly close: () => void;
}

export function HelpPanel({ keys, openControls, close }: Props) {
  const rows = [
    ...COMMANDS.map((command) => [keysFor(keys, command), COMMAND_WORDS[command]] as const),
    ...PAGE_KEYS,
  ];
  return (
    <aside class="help" aria-label="How to drive">
      <div class="dialog-head">
        <h2>How to drive</h2>
        <button
          type="button"
          class="button quiet square"
          aria-label="Close the help"
          onClick={close}
        >
          <CloseIcon />
        </button>
      </div>
      <p class="muted">
        Arm the car with the device that you want to drive with. Moving another one disarms, and
        that one steers once you arm again. Leave this page, unplug the gamepad, lose the network or
        the picture, and the car stops by itself; then arm it again.
      </p>
      <div class="help-lists">
        <dl>
          {rows.map(([names, what]) => (
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
        <dl>
          {PAD.map(([control, what]) => (
            <div key={what}>
              <dt>{control}</dt>
              <dd>{what}</dd>
            </div>
          ))}
          <div>
            <dt>Touch</dt>
            <dd>Left thumb steers, right thumb drives</dd>
          </div>
        </dl>
      </div>
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
    </aside>
  );
}
