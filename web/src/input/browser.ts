/** Listens to the page's keyboard, gamepads, visibility and focus for a `Mixer`. */

import { placeOf } from "../core/input/keyboard";
import type { Mixer, Tell } from "../core/input/mixer";
import type { PadLike } from "../core/input/pad";

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
    // macOS sends no `keyup` while Command is held, so the key would stick.
    if (down && (event.metaKey || event.key === "Meta")) tell((mixer) => mixer.handleSystemKey());
    // A held key would click the focused button with each repetition.
    const brakes = tell((mixer) => mixer.brakesWith(placeOf(event)));
    if (down && !brakes && event.repeat && pressesButton(event)) {
      event.preventDefault();
      return;
    }
    if (down && (event.metaKey || event.ctrlKey || event.altKey || isTyped(event))) return;
    // A key that brakes does so wherever the focus is.
    if (down && !brakes && pressesButton(event)) return;
    const isOurs = tell((mixer, now) => {
      // Steam may turn a stick into a key. To notice that, look at the stick before the key counts.
      if (down && mixer.padPresent) pollPads(mixer, now);
      return mixer.handleKey(placeOf(event), down, now, event.repeat);
    });
    // A space bar that means nothing here would press the button that has the focus.
    if (isOurs || placeOf(event) === "Space") event.preventDefault();
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
      // Control frames look for pads, too. Looking more often pays only while there is one.
      if (mixer.padPresent) pollPads(mixer, now);
    });
    requestAnimationFrame(everyFrame);
  };
  requestAnimationFrame(everyFrame);
  page();
  return () => stop.abort();
}

/**
 * Looks at the page and at the gamepads. To be called for every control frame, because a missed
 * event must not keep input alive.
 */
export function poll(mixer: Mixer, now: number): void {
  pollPage(mixer, now);
  pollPads(mixer, now);
}

function pollPage(mixer: Mixer, now: number): void {
  mixer.handlePage(document.visibilityState === "visible", document.hasFocus(), now);
}

/** Looks at the gamepads; browsers update them only on request. */
function pollPads(mixer: Mixer, now: number): void {
  const pads = listPads();
  if (pads) mixer.handlePads(pads, now);
}

/** What the browser lists; `null` if it lists none to this page. */
export function listPads(): readonly (PadLike | null)[] | null {
  try {
    // In some browsers absent on pages without HTTPS, although the type says otherwise.
    return (
      (navigator.getGamepads as typeof navigator.getGamepads | undefined)?.call(navigator) ?? null
    );
  } catch {
    // A frame around the page may forbid it.
    return null;
  }
}

function isTyped({ target }: KeyboardEvent): boolean {
  return (
    target instanceof Element &&
    target.closest("input, textarea, select, [contenteditable]") !== null
  );
}

/** Whether a key is for the element that has the focus. The space bar never presses a button. */
function pressesButton(event: KeyboardEvent): boolean {
  const { target } = event;
  return (
    target instanceof Element &&
    ["Enter", "NumpadEnter"].includes(placeOf(event)) &&
    target.closest("button, a[href], summary") !== null
  );
}
