/** Two areas for two thumbs. */

import { useRef } from "preact/hooks";
import type { Cockpit } from "../app/cockpit";
import type { Stick } from "../core/input/touch";
import { stickEvents } from "./stick-events";

/**
 * Largest way of the knob on the screen, in percent of its size: to the rim of its base
 * (`.stick-knob` in cockpit.css).
 */
const KNOB_TRAVEL = 68;

export function Sticks({ cockpit }: { cockpit: Cockpit }) {
  return (
    <>
      <StickArea cockpit={cockpit} stick="steering" />
      <StickArea cockpit={cockpit} stick="throttle" />
    </>
  );
}

function StickArea({ cockpit, stick }: { cockpit: Cockpit; stick: Stick }) {
  const knob = useRef<HTMLDivElement>(null);
  const draw = () => {
    const way = cockpit.mixer.stick(stick) * KNOB_TRAVEL;
    const [x, y] = stick === "steering" ? [way, 0] : [0, -way];
    // Without Preact: a thumb moves more often than anything else here is drawn.
    if (knob.current) knob.current.style.transform = `translate(${x}%, ${y}%)`;
  };
  return (
    <div
      class={`stick ${stick}`}
      data-testid={`stick-${stick}`}
      aria-hidden="true"
      {...stickEvents(cockpit.tell, stick, draw)}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div class="stick-base">
        <svg viewBox="0 0 160 160" aria-hidden="true">
          <circle cx="80" cy="80" r="78" />
          {stick === "steering" ? (
            <path d="m22 80 10-9v18zM138 80l-10-9v18z" />
          ) : (
            <path d="m80 22-9 10h18zM80 138l-9-10h18z" />
          )}
        </svg>
        <div class="stick-knob" ref={knob} />
      </div>
    </div>
  );
}
