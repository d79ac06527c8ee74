/** Lights and horn, on cars that have them: buttons, and the keys L and H. */

import { useEffect, useRef } from "preact/hooks";
import type { Cockpit } from "../app/cockpit";
import { placeOf } from "../core/input/keyboard";
import type { Switches } from "../protocol/telemetry";
import { HornIcon, LightsIcon } from "./icons";
import { t } from "../words/words";

interface Props {
  readonly cockpit: Cockpit;
  readonly switches: Switches;
}

export function SwitchButtons({ cockpit, switches }: Props) {
  const { tell } = cockpit;
  const there = useRef(switches);
  there.current = switches;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const down = event.type === "keydown";
      if (down && (event.repeat || event.ctrlKey || event.metaKey || event.altKey)) return;
      const place = placeOf(event);
      if (cockpit.mixer.commandOf(place) !== null) return;
      if (place === "KeyL" && down && there.current.lights !== null)
        tell((mixer) => mixer.handleLights());
      // Letting go counts in any case.
      if (place === "KeyH" && (!down || there.current.horn !== null))
        tell((mixer) => mixer.handleHorn(down));
    };
    window.addEventListener("keydown", key);
    window.addEventListener("keyup", key);
    return () => {
      window.removeEventListener("keydown", key);
      window.removeEventListener("keyup", key);
      tell((mixer) => mixer.handleHorn(false));
    };
  }, []);
  return (
    <>
      {switches.lights !== null && (
        <button
          type="button"
          class={`button glass square ${switches.lights ? "lit" : ""}`}
          aria-label={t().cockpit.lights}
          aria-pressed={switches.lights}
          data-testid="lights"
          onClick={() => tell((mixer) => mixer.handleLights())}
        >
          <LightsIcon />
        </button>
      )}
      {switches.horn !== null && (
        <button
          type="button"
          class={`button glass square ${switches.horn ? "lit" : ""}`}
          aria-label={t().cockpit.horn}
          data-testid="horn"
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            tell((mixer) => mixer.handleHorn(true));
          }}
          onPointerUp={() => tell((mixer) => mixer.handleHorn(false))}
          onLostPointerCapture={() => tell((mixer) => mixer.handleHorn(false))}
          onContextMenu={(event) => event.preventDefault()}
        >
          <HornIcon />
        </button>
      )}
    </>
  );
}
