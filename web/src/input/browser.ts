/** Listens to the page's keyboard, gamepads, visibility and focus on behalf of a `Mixer`. */

import { commandOf } from "../core/input/keyboard";
import type { Mixer, Tell } from "../core/input/mixer";

/** Elements to which a key belongs when they have the focus. */
const TYPING = "input, textarea, select, [contenteditable]";
const PRESSING = "button, a[href], summary";

/** Starts to listen; the result stops. */
export function listen(tell: Tell): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const page = () => tell(pollPage);
  for (const event of ["visibilitychange", "freeze", "resume"])
    document.addEventListener(event, page, { signal });
  for (const event of ["focus", "blur", "pageshow", "pagehide"])
    window.addEventListener(event, page, { signal });

  const key = (event: KeyboardEvent) => {
    const down = event.type === "keydown";
    // macOS sends no release of a key while Command is held, so that one would stick.
    if (down && (event.metaKey || event.key === "Meta")) tell((mixer) => mixer.handleSystemKey());
    // A button that has the focus would be clicked by each repetition of a key that is held.
    if (down && event.repeat && pressesButton(event)) {
      event.preventDefault();
      return;
    }
    if (down && (event.metaKey || event.ctrlKey || event.altKey || belongsElsewhere(event))) return;
    const isOurs = tell((mixer, now) => {
      // A key that Steam makes of a stick comes before the next look at that stick.
      if (down && mixer.padPresent) pollPads(mixer, now);
      return mixer.handleKey(event.code, down, now, event.repeat);
    });
    if (isOurs) event.preventDefault();
  };
  window.addEventListener("keydown", key, { signal });
  window.addEventListener("keyup", key, { signal });

  const unplugged = ({ gamepad }: GamepadEvent) =>
    tell((mixer, now) => {
      mixer.handlePadUnplugged(gamepad.index, now);
      pollPads(mixer, now);
    });
  window.addEventListener("gamepadconnected", () => tell(pollPads), { signal });
  window.addEventListener("gamepaddisconnected", unplugged, { signal });
  const everyFrame = () => {
    if (signal.aborted) return;
    tell((mixer, now) => {
      // Control frames look for pads as well; looking between them is worth it only while there is
      // one.
      if (mixer.padPresent) pollPads(mixer, now);
    });
    requestAnimationFrame(everyFrame);
  };
  requestAnimationFrame(everyFrame);
  page();
  return () => stop.abort();
}

/**
 * Looks at the page and at the gamepads, as is done for every control frame: an event that is
 * missed must not keep input alive.
 */
export function poll(mixer: Mixer, now: number): void {
  pollPage(mixer, now);
  pollPads(mixer, now);
}

function pollPage(mixer: Mixer, now: number): void {
  mixer.handlePage(document.visibilityState === "visible", document.hasFocus(), now);
}

/** Looks at the gamepads; browsers update them only when they are asked. */
function pollPads(mixer: Mixer, now: number): void {
  // Absent on pages that are not served over HTTPS, in some browsers. The type says otherwise.
  const pads = (navigator.getGamepads as typeof navigator.getGamepads | undefined)?.call(navigator);
  if (pads) mixer.handlePads(pads, now);
}

/**
 * Whether a key is for the element that has the focus. The space bar brakes unless something is
 * being typed.
 */
function belongsElsewhere(event: KeyboardEvent): boolean {
  return (
    (event.target instanceof Element && event.target.closest(TYPING) !== null) ||
    pressesButton(event)
  );
}

function pressesButton({ target, code }: KeyboardEvent): boolean {
  return (
    target instanceof Element && commandOf(code) === "arm" && target.closest(PRESSING) !== null
  );
}
