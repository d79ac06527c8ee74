/** "Keys and devices": which keys drive, and what the controls of gamepads and wheels mean. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Cockpit } from "../app/cockpit";
import {
  inverted,
  LAYOUTS,
  layoutOf,
  mayBeKey,
  onlyKey,
  withMapping,
  type Layout,
} from "../core/input/controls";
import { COMMANDS, placeOf, type Command } from "../core/input/keyboard";
import {
  mappingOf,
  nthOf,
  padLayoutOf,
  STANDARD,
  type Curve,
  type Mapping,
} from "../core/input/mapping";
import { Pad, type PadLike } from "../core/input/pad";
import { Wizard, type Step } from "../core/input/wizard";
import { listPads } from "../input/browser";
import { keysFor } from "./help";
import { Panel } from "./panel";
import { t } from "../words/words";

/** How often the devices are looked at: the wizard must see a short press. */
const LOOK_MS = 16;

interface Props {
  readonly cockpit: Cockpit;
  readonly close: () => void;
}

export function ControlsPanel({ cockpit, close }: Props) {
  useEffect(() => {
    cockpit.tell((mixer) => mixer.handleSettingUp(true));
    return () => cockpit.tell((mixer) => mixer.handleSettingUp(false));
  }, []);
  const save: Save = (change) => {
    cockpit.setControls(change(cockpit.controls.peek()));
  };
  return (
    <Panel
      kind="help setup controls"
      title={t().devices.title}
      testid="controls"
      closes={t().devices.close}
      close={close}
    >
      <p class="muted">{t().devices.intro}</p>
      {cockpit.unsaved.value && (
        <p class="form-error" role="alert">
          {t().devices.unsaved}
        </p>
      )}
      <Devices cockpit={cockpit} save={save} />
      <FeelOfAll cockpit={cockpit} save={save} />
      <KeyLayout cockpit={cockpit} save={save} />
    </Panel>
  );
}

type Controls = Cockpit["controls"]["value"];
type Save = (change: (controls: Controls) => Controls) => void;
interface PartProps {
  readonly cockpit: Cockpit;
  readonly save: Save;
}

interface Seen {
  readonly look: PadLike;
  /** Of several with one id. */
  readonly nth: number;
  readonly name: string;
  readonly mapping: Mapping | null;
  readonly steering: number;
  readonly throttle: number;
}

function Devices({ cockpit, save }: PartProps) {
  const seen = useSignal<readonly Seen[]>([]);
  const wizard = useSignal<{ layout: string; at: Wizard } | null>(null);
  const step = useSignal<{ step: Step; letGo: boolean } | null>(null);
  const pads = useRef(new Map<string, Pad>());
  const saved = cockpit.controls.value.pads;
  useEffect(() => pads.current.clear(), [saved]);
  useEffect(() => {
    const look = () => {
      const now = performance.now();
      const list = listPads() ?? [];
      const run = wizard.peek();
      if (run !== null) {
        run.at.handlePads(list, now);
        step.value = { step: run.at.step, letGo: run.at.letGo };
        const mapping = run.at.mapping();
        if (run.at.step === "done") wizard.value = null;
        if (mapping !== null) save((controls) => withMapping(controls, run.layout, mapping));
      }
      seen.value = list
        .filter((pad): pad is PadLike => pad?.connected === true)
        .map((pad) => see(pads.current, pad, nthOf(pad, list), cockpit.controls.peek().pads, now));
    };
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <section aria-label={t().devices.devices}>
      <h3>{t().devices.devices}</h3>
      {seen.value.length === 0 && <p class="muted">{t().devices.none}</p>}
      {seen.value.map((device) => (
        <Device
          key={`${device.look.index} ${device.look.id}`}
          device={device}
          own={saved.has(padLayoutOf(device.look, device.nth))}
          step={wizard.value?.layout === padLayoutOf(device.look, device.nth) ? step.value : null}
          start={() => {
            wizard.value = {
              layout: padLayoutOf(device.look, device.nth),
              at: new Wizard(device.look.index, device.look.id),
            };
          }}
          skip={() => wizard.value?.at.handleSkip()}
          stop={() => (wizard.value = null)}
          change={(mapping) =>
            save((controls) => withMapping(controls, padLayoutOf(device.look, device.nth), mapping))
          }
        />
      ))}
    </section>
  );
}

function see(
  known: Map<string, Pad>,
  look: PadLike,
  nth: number,
  saved: ReadonlyMap<string, Mapping>,
  now: number,
): Seen {
  const key = `${look.index} ${look.id}`;
  let pad = known.get(key);
  if (pad) pad.handleLook(look, now);
  else known.set(key, (pad = new Pad(look, saved, now, nth)));
  const { name, steering, throttle } = pad;
  const copy = { ...look, id: look.id, index: look.index, axes: [...look.axes] };
  const mapping = mappingOf(look, saved, nth);
  return { look: copy, nth, name, mapping, steering, throttle };
}

interface DeviceProps {
  readonly device: Seen;
  readonly own: boolean;
  readonly step: { readonly step: Step; readonly letGo: boolean } | null;
  readonly start: () => void;
  readonly skip: () => void;
  readonly stop: () => void;
  readonly change: (mapping: Mapping | null) => void;
}

function Device({ device, own, step, start, skip, stop, change }: DeviceProps) {
  const { name, mapping, look, steering, throttle } = device;
  const words = t().devices;
  const state =
    mapping === null
      ? words.notSetUp
      : own
        ? words.own
        : mapping === STANDARD
          ? words.standard
          : words.known;
  return (
    <fieldset class="device" data-testid="device">
      <legend>{device.nth === 1 ? name : words.nth(name, device.nth)}</legend>
      <p class="muted small">{state}</p>
      {mapping !== null && (
        <div class="device-bars">
          <Meter label={t().cockpit.steering} value={steering} />
          <Meter label={t().cockpit.throttle} value={throttle} />
        </div>
      )}
      <div class="device-axes" aria-hidden="true">
        {look.axes.slice(0, 12).map((value, index) => (
          <i key={index} style={{ transform: `scaleX(${clamp(value)})` }} />
        ))}
      </div>
      {step !== null && step.step !== "done" ? (
        <div class="wizard" data-testid="wizard">
          <p role="status">{step.letGo ? words.letGo : words.steps[step.step]}</p>
          <div class="setup-holds">
            {step.step !== "still" && (
              <button type="button" class="button" data-testid="wizard-skip" onClick={skip}>
                {words.skip}
              </button>
            )}
            <button type="button" class="button" onClick={stop}>
              {words.stop}
            </button>
          </div>
        </div>
      ) : (
        <div class="setup-holds">
          <button type="button" class="button" data-testid="wizard-start" onClick={start}>
            {mapping === null ? words.setUp : words.setUpAgain}
          </button>
          {own && (
            <button type="button" class="button" onClick={() => change(null)}>
              {words.forget}
            </button>
          )}
        </div>
      )}
      {mapping !== null && step === null && <Tune mapping={mapping} change={change} />}
    </fieldset>
  );
}

function Tune({ mapping, change }: { mapping: Mapping; change: (mapping: Mapping) => void }) {
  const curve = (way: "steering" | "throttle", name: string) => (
    <>
      <button type="button" class="button" onClick={() => change(inverted(mapping, way))}>
        {way === "steering" ? t().devices.swapSteering : t().devices.swapThrottle}
      </button>
      {CURVE.map(([key, least, most]) => (
        <label class="setup-range" key={key}>
          <span>{t().devices.curve[key](name)}</span>
          <output>{Math.round(mapping[way][key] * 100)} %</output>
          <input
            type="range"
            min={least}
            max={most}
            value={Math.round(mapping[way][key] * 100)}
            onChange={(event) =>
              change({
                ...mapping,
                [way]: { ...mapping[way], [key]: Number(event.currentTarget.value) / 100 },
              })
            }
          />
        </label>
      ))}
    </>
  );
  return (
    <details>
      <summary>{t().devices.adjust}</summary>
      <div class="device-tune">
        {curve("steering", t().cockpit.steering)}
        {curve("throttle", t().cockpit.throttle)}
      </div>
    </details>
  );
}

/** For keys, touch and devices alike; a device may have a curve of its own before it. */
function FeelOfAll({ cockpit, save }: PartProps) {
  const { feel } = cockpit.controls.value;
  return (
    <fieldset>
      <legend>{t().devices.softness}</legend>
      {(["steering", "throttle"] as const).map((part) => (
        <label class="setup-range" key={part}>
          <span>{t().cockpit[part]}</span>
          <output>{Math.round(feel[part] * 100)} %</output>
          <input
            type="range"
            min={0}
            max={100}
            value={Math.round(feel[part] * 100)}
            data-testid={`soft-${part}`}
            onChange={({ currentTarget }) =>
              save((controls) => ({
                ...controls,
                feel: { ...controls.feel, [part]: Number(currentTarget.value) / 100 },
              }))
            }
          />
        </label>
      ))}
    </fieldset>
  );
}

const CURVE: readonly (readonly [keyof Curve, number, number])[] = [
  ["deadZone", 0, 50],
  ["expo", 0, 100],
  ["range", 10, 100],
];

function Meter({ label, value }: { label: string; value: number }) {
  return (
    <div class="bar">
      <span class="bar-label">{label}</span>
      <div
        class="bar-track"
        role="img"
        aria-label={t().cockpit.bar(label, Math.round(value * 100))}
      >
        <div class="bar-fill" style={{ transform: `scaleX(${clamp(value)})` }} />
      </div>
    </div>
  );
}

function clamp(value: number): number {
  return Number.isFinite(value) ? Math.max(-1, Math.min(1, value)) : 0;
}

function KeyLayout({ cockpit, save }: PartProps) {
  const asks = useSignal<Command | null>(null);
  const trouble = useSignal<string | null>(null);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const command = asks.peek();
      if (command === null || event.repeat) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const place = placeOf(event);
      if (place === "Escape") return void (asks.value = null);
      if (event.ctrlKey || event.metaKey || event.altKey || !mayBeKey(place)) return;
      asks.value = null;
      const keys = onlyKey(cockpit.controls.peek().keys, command, place);
      trouble.value = keys === null ? t().devices.onlyKey : null;
      if (keys !== null) save((controls) => ({ ...controls, keys }));
    };
    // Before the page's own listeners: this key is to be named, and not to drive.
    window.addEventListener("keydown", key, { capture: true });
    return () => window.removeEventListener("keydown", key, { capture: true });
  }, []);
  const { keys } = cockpit.controls.value;
  const layout = layoutOf(keys);
  return (
    <fieldset aria-label={t().devices.keys}>
      <legend>{t().devices.keys}</legend>
      {(Object.keys(LAYOUTS) as Layout[]).map((name) => (
        <label class="setup-check" key={name}>
          <input
            type="radio"
            name="layout"
            checked={layout === name}
            onChange={() => save((controls) => ({ ...controls, keys: LAYOUTS[name] }))}
          />
          {t().devices.layouts[name]}
        </label>
      ))}
      <dl class="key-list">
        {COMMANDS.map((command) => (
          <div key={command}>
            <dt>{t().help.commands[command]}</dt>
            <dd>
              {keysFor(keys, command).map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
              <button
                type="button"
                class="button"
                aria-label={t().devices.changeKey(t().help.commands[command])}
                data-testid={`key-${command}`}
                onClick={() => {
                  trouble.value = null;
                  asks.value = asks.value === command ? null : command;
                }}
              >
                {asks.value === command ? t().devices.pressKey : t().devices.change}
              </button>
            </dd>
          </div>
        ))}
      </dl>
      <p class="form-error" role="status">
        {trouble.value}
      </p>
    </fieldset>
  );
}
