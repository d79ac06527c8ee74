/** How to drive, shown over the picture: the driver can drive meanwhile. */

import { CloseIcon } from "./icons";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["←", "→", "A", "D"], "Steer"],
  [["↑", "W"], "Forward"],
  [["↓", "S"], "Backward"],
  [["Space"], "Brake"],
  [["Enter"], "Arm, disarm"],
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

export function HelpPanel({ close }: { close: () => void }) {
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
          {KEYS.map(([keys, what]) => (
            <div key={what}>
              <dt>
                {keys.map((key) => (
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
      {!isSecureContext && (
        <p class="muted small">Gamepads need HTTPS or a page on this very machine.</p>
      )}
    </aside>
  );
}
