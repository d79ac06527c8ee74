/** How to drive, shown over the picture: the driver can drive meanwhile. */

import { keyWords } from "../core/input/controls";
import { COMMANDS, type Command, type Keys } from "../core/input/keyboard";
import { DisplayChoices } from "./display";
import { Panel } from "./panel";
import { t } from "../words/words";

/** Names of the keys that mean this. */
export function keysFor(keys: Keys, command: Command): readonly string[] {
  return Object.entries(keys)
    .filter(([, of]) => of === command)
    .map(([place]) => keyWords(place, t().help.keys));
}

/** What the keys of the page itself do. */
function pageKeys(): readonly (readonly [keys: readonly string[], what: string])[] {
  const words = t().help;
  return [
    [["1", "2", "3"], words.gears],
    [["L"], words.lights],
    [["H"], words.horn],
    [["P"], words.plot],
    [["F"], words.fullScreen],
    [["?"], words.thisHelp],
  ];
}

function padKeys(): readonly (readonly [control: string, what: string])[] {
  const { pad, commands } = t().help;
  return [
    [pad.leftStick, pad.steer],
    [pad.rightTrigger, commands.forward],
    [pad.leftTrigger, commands.backward],
    [pad.shoulders, pad.shift],
    ["A", commands.arm],
    ["B", commands.brake],
  ];
}

interface Props {
  readonly keys: Keys;
  /** The driver uses a touch screen: keys come last. */
  readonly touched: boolean;
  readonly openControls: () => void;
  readonly close: () => void;
}

export function HelpPanel({ keys, touched, openControls, close }: Props) {
  const words = t().help;
  const rows = [
    ...COMMANDS.map((command) => [keysFor(keys, command), words.commands[command]] as const),
    ...pageKeys(),
  ];
  return (
    <Panel kind="help" title={words.title} testid="help" closes={words.close} close={close}>
      <p class="muted">{words.intro}</p>
      {touched ? (
        <>
          <dl class="help-list">
            <Row name={words.leftThumb} what={words.steers} />
            <Row name={words.rightThumb} what={words.drives} />
            <Row name={words.armBrake} what={words.below} />
          </dl>
          <details>
            <summary>{words.keyboardAndGamepad}</summary>
            <Lists rows={rows} />
          </details>
        </>
      ) : (
        <Lists rows={rows} />
      )}
      <DisplayChoices />
      <p class="muted small">{words.lowGear}</p>
      <p class="muted small">{words.plugIn}</p>
      <button type="button" class="button" data-testid="open-controls" onClick={openControls}>
        {words.keysAndDevices}
      </button>
      {!isSecureContext && <p class="muted small">{words.needsHttps}</p>}
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
        {padKeys().map(([control, what]) => (
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
