/** Instruments and the two buttons that matter. */

import type { Cockpit } from "../app/cockpit";
import { batteryParts, type BatteryFigure, type Hud } from "../core/app/hud";

import { cycled } from "../core/input/feel";
import type { Command } from "../core/input/keyboard";
import { keysFor } from "./help";
import { figure, t } from "../words/words";

/** Who brakes, beside pointers, whose numbers are not negative. */
const BY_KEY = -1;

export function Dock({ cockpit, hud }: { cockpit: Cockpit; hud: Hud }) {
  const { tell } = cockpit;
  const { keys, feel } = cockpit.controls.value;
  const { gear } = feel;
  const Key = ({ command }: { command: Command }) => (
    <kbd aria-hidden="true">{keysFor(keys, command)[0]}</kbd>
  );
  const ready = hud.phase === "connected" && hud.state !== null;
  return (
    <section class="dock" aria-label={t().cockpit.controls}>
      <div class={`instruments ${hud.silent ? "stale" : ""}`}>
        <Bar label={t().cockpit.steering} value={hud.steering} wanted={hud.wantedSteering} />
        <p class="speed" data-testid="hud-speed">
          {hud.speedKmh === null ? "–" : figure(hud.speedKmh, 1)}
          <small> km/h</small>
          {hud.battery !== null && <Battery battery={hud.battery} stale={hud.silent} />}
        </p>
        <Bar
          label={t().cockpit.throttle}
          value={hud.throttle}
          wanted={hud.wantedThrottle}
          braking={hud.braking}
        />
      </div>
      <div class="dock-buttons">
        <button
          type="button"
          class={`arm ${hud.state === "armed" && !hud.silent ? "live" : hud.armWanted ? "wanted" : ""}`}
          data-testid="arm"
          aria-pressed={hud.armWanted}
          disabled={!ready && !hud.armWanted}
          onClick={(event) => tell((mixer, now) => mixer.handleArmButton(isTouch(event), now))}
        >
          {hud.armWanted ? t().cockpit.disarm : t().cockpit.arm}
          <Key command="arm" />
        </button>
        <button
          type="button"
          class="gear"
          data-testid="gear"
          title={t().cockpit.gearHint}
          onClick={() => cockpit.setGear(cycled(gear))}
        >
          <small>{t().cockpit.gear} </small>
          {t().cockpit.gears[gear]}
          {cockpit.unsaved.value && <small role="status"> {t().cockpit.notKept}</small>}
        </button>
        <button
          type="button"
          class={`brake ${hud.braking ? "on" : ""}`}
          data-testid="brake"
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            tell((mixer) => mixer.handleBrake(true, event.pointerId));
          }}
          onPointerUp={({ pointerId }) => tell((mixer) => mixer.handleBrake(false, pointerId))}
          onLostPointerCapture={({ pointerId }) =>
            tell((mixer) => mixer.handleBrake(false, pointerId))
          }
          onContextMenu={(event) => event.preventDefault()}
          // Enter brakes while it is held, as the space bar does anywhere on the page.
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            // It would be a click, too.
            event.preventDefault();
            tell((mixer) => mixer.handleBrake(true, BY_KEY));
          }}
          onKeyUp={(event) => {
            if (event.key === "Enter") tell((mixer) => mixer.handleBrake(false, BY_KEY));
          }}
          onBlur={() => tell((mixer) => mixer.handleBrake(false, BY_KEY))}
          // A switch or a screen reader clicks and holds nothing: one click brakes, the next ends
          // it.
          onClick={(event) => {
            if (event.detail === 0) tell((mixer) => mixer.handleBrakeSwitch());
          }}
          aria-pressed={hud.braking}
        >
          {t().cockpit.brake}
          <Key command="brake" />
        </button>
      </div>
    </section>
  );
}

function Battery({ battery, stale }: { battery: BatteryFigure; stale: boolean }) {
  const { text, alarm } = batteryParts(battery);
  // Figures from before the silence raise no alarm.
  return (
    <small class={`battery ${stale ? "calm" : alarm}`} data-testid="hud-battery">
      <span class="battery-dot"> · </span>
      {text}
    </small>
  );
}

interface BarProps {
  readonly label: string;
  /** What the car does, −1…1. */
  readonly value: number;
  /** What the driver asks for, −1…1. */
  readonly wanted: number;
  readonly braking?: boolean;
}

function Bar({ label, value, wanted, braking = false }: BarProps) {
  return (
    <div class={`bar ${braking ? "braking" : ""}`}>
      <span class="bar-label">{braking ? t().cockpit.brake : label}</span>
      <div
        class="bar-track"
        role="img"
        aria-label={t().cockpit.bar(label, Math.round(value * 100))}
      >
        <div class="bar-fill" style={{ transform: `scaleX(${value})` }} />
        <div class="bar-mark" style={{ left: `${50 + wanted * 50}%` }} />
      </div>
    </div>
  );
}

/** A click in a browser that does not name the pointer counts as a mouse. */
function isTouch(event: MouseEvent): boolean {
  return "pointerType" in event && (event.pointerType === "touch" || event.pointerType === "pen");
}
