/** "Set up the car": calibration, shown over the picture while the wheels are off the ground. */

import { useEffect, useRef } from "preact/hooks";
import type { Cockpit } from "../app/cockpit";
import type { CalibrationView } from "../core/app/calibration";
import type { Hud } from "../core/app/hud";
import type { Jog } from "../core/input/mixer";
import type { CalibrationValues } from "../protocol/calibration";
import { Panel } from "./panel";
import { Rich } from "./rich";
import { figure, t } from "../words/words";

const LEFT: Jog = { steering: -1, throttle: 0, brake: false };
const RIGHT: Jog = { steering: 1, throttle: 0, brake: false };
const FORWARD: Jog = { steering: 0, throttle: 1, brake: false };
const REVERSE: Jog = { steering: 0, throttle: -1, brake: false };
const BRAKE: Jog = { steering: 0, throttle: 0, brake: true };

interface Props {
  readonly cockpit: Cockpit;
  readonly hud: Hud;
  readonly view: CalibrationView;
  readonly close: () => void;
}

export function SetupPanel({ cockpit, hud, view, close }: Props) {
  useEffect(() => {
    cockpit.calibrate((calibration, now) => calibration.handleOpen(now));
    return () => {
      cockpit.tell((mixer) => mixer.handleJog(null));
      cockpit.calibrate((calibration, now) => calibration.handleClose(now));
    };
  }, []);
  const { values } = view;
  const words = t().setup;
  // What the car would refuse anyway: it says so, too.
  const idle = view.open && !hud.armWanted && hud.state !== "armed";
  const change = (part: Partial<CalibrationValues>) =>
    cockpit.calibrate((calibration, now) => calibration.handleChange({ ...values, ...part }, now));
  const hold = (label: string, jog: Jog, name: string) => (
    <Hold cockpit={cockpit} label={label} jog={jog} name={name} disabled={!idle} />
  );
  return (
    <Panel kind="help setup" title={words.title} testid="setup" closes={words.close} close={close}>
      <p class="muted">
        <Rich text={words.intro} />
      </p>
      <Notice view={view} armed={hud.armWanted || hud.state === "armed"} />
      <fieldset disabled={!idle}>
        <legend>{t().cockpit.steering}</legend>
        <Range
          label={words.straight}
          name="trim"
          value={values.trim}
          least={-5_000}
          most={5_000}
          set={(trim) => change({ trim })}
        />
        <Range
          label={words.leftEnd}
          name="left"
          value={values.left}
          least={1_000}
          most={10_000}
          set={(left) => change({ left })}
        />
        <Range
          label={words.rightEnd}
          name="right"
          value={values.right}
          least={1_000}
          most={10_000}
          set={(right) => change({ right })}
        />
        <Check
          label={words.steersWrong}
          name="steering-reversed"
          checked={values.steering_reversed}
          set={(steering_reversed) => change({ steering_reversed })}
        />
        <div class="setup-holds">
          {hold(words.left, LEFT, "jog-left")}
          {hold(words.right, RIGHT, "jog-right")}
        </div>
      </fieldset>
      <fieldset disabled={!idle}>
        <legend>{words.motor}</legend>
        <Range
          label={words.topForward}
          name="max-forward"
          value={values.max_forward}
          least={0}
          most={10_000}
          set={(max_forward) => change({ max_forward })}
        />
        <Range
          label={words.topBackward}
          name="max-reverse"
          value={values.max_reverse}
          least={0}
          most={10_000}
          set={(max_reverse) => change({ max_reverse })}
        />
        <Range
          label={words.deadBand}
          name="dead-band"
          value={values.dead_band}
          least={0}
          most={5_000}
          set={(dead_band) => change({ dead_band })}
        />
        <Check
          label={words.turnsWrong}
          name="motor-reversed"
          checked={values.motor_reversed}
          set={(motor_reversed) => change({ motor_reversed, esc: "direct" })}
        />
        <Check
          label={words.brakesFirst}
          name="brake-first"
          checked={values.esc === "brake-first"}
          set={(brakes) => change({ esc: brakes ? "brake-first" : "direct" })}
        />
        <p class="muted small">{words.tryIt}</p>
        <div class="setup-holds">
          {hold(words.forward, FORWARD, "jog-forward")}
          {hold(t().cockpit.brake, BRAKE, "jog-brake")}
          {hold(words.backward, REVERSE, "jog-reverse")}
        </div>
      </fieldset>
      <div class="setup-foot">
        <span class="muted small" role="status" data-testid="setup-kept">
          {kept(view)}
        </span>
        <button
          type="button"
          class="button quiet"
          disabled={!idle || !view.changed}
          onClick={() => cockpit.calibrate((calibration, now) => calibration.handleUndo(now))}
        >
          {words.undo}
        </button>
        <button
          type="button"
          class="button quiet"
          data-testid="setup-forget"
          disabled={!idle || !view.own}
          onClick={() => cockpit.calibrate((calibration, now) => calibration.handleForget(now))}
        >
          {t().devices.forget}
        </button>
      </div>
    </Panel>
  );
}

function kept(view: CalibrationView): string {
  if (view.waiting) return t().setup.taking;
  return view.own ? t().setup.keptOnCar : t().setup.asFile;
}

function Notice({ view, armed }: { view: CalibrationView; armed: boolean }) {
  const text = view.silent
    ? t().setup.silent
    : view.refused !== null
      ? t().setup.refuses(view.refused.text)
      : armed
        ? t().setup.armed
        : view.fault;
  if (text === null) return null;
  return (
    <p class="setup-notice" role="alert" data-testid="setup-notice">
      {text}
    </p>
  );
}

interface RangeProps {
  readonly label: string;
  readonly name: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly set: (value: number) => void;
}

function Range({ label, name, value, least, most, set }: RangeProps) {
  return (
    <label class="setup-range">
      <span>{label}</span>
      <output>{figure(value / 100, Math.abs(value) % 100 === 0 ? 0 : 1)} %</output>
      <input
        type="range"
        name={name}
        min={least}
        max={most}
        step={50}
        value={value}
        onInput={(event) => set(Number(event.currentTarget.value))}
      />
    </label>
  );
}

interface CheckProps {
  readonly label: string;
  readonly name: string;
  readonly checked: boolean;
  readonly set: (checked: boolean) => void;
}

function Check({ label, name, checked, set }: CheckProps) {
  return (
    <label class="setup-check">
      <input
        type="checkbox"
        name={name}
        checked={checked}
        onChange={(event) => set(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

interface HoldProps {
  readonly cockpit: Cockpit;
  readonly label: string;
  readonly name: string;
  readonly jog: Jog;
  readonly disabled: boolean;
}

/** Moves the car while it is held with a finger, the mouse or Enter, and not a moment longer. */
function Hold({ cockpit, label, name, jog, disabled }: HoldProps) {
  const held = useRef(false);
  const set = (hold: boolean) => {
    if (hold === held.current) return;
    held.current = hold;
    cockpit.tell((mixer) => mixer.handleJog(hold ? jog : null));
  };
  useEffect(() => {
    if (disabled) set(false);
  }, [disabled]);
  return (
    <button
      type="button"
      class="button"
      data-testid={name}
      disabled={disabled}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        set(true);
      }}
      onPointerUp={() => set(false)}
      onLostPointerCapture={() => set(false)}
      onKeyDown={(event) => event.key === "Enter" && set(true)}
      onKeyUp={() => set(false)}
      onBlur={() => set(false)}
      onContextMenu={(event) => event.preventDefault()}
    >
      {label}
    </button>
  );
}
