/** Lets the driver hear and feel alerts, as far as the browser and the person allow it. */

import type { Alert } from "../core/app/alerts";
import { preferences } from "./preferences";

interface Tone {
  /** In Hz. */
  readonly pitch: number;
  readonly ms: number;
}

/** They differ in rhythm and direction, so that nobody needs an ear for pitch. */
const TONES: Readonly<Record<Alert, readonly Tone[]>> = {
  link: [
    { pitch: 330, ms: 220 },
    { pitch: 220, ms: 340 },
  ],
  stop: [
    { pitch: 880, ms: 110 },
    { pitch: 587, ms: 170 },
  ],
  battery: [
    { pitch: 740, ms: 90 },
    { pitch: 740, ms: 90 },
    { pitch: 740, ms: 90 },
  ],
};
const GAP_MS = 70;
/** Of full: heard beside a motor, and no fright in headphones. */
const LOUDNESS = 0.2;
/** Without it an oscillator clicks. */
const RAMP_S = 0.01;

let audio: AudioContext | null = null;

export function alert(which: Alert): void {
  const { sounds, vibration } = preferences.peek();
  if (sounds) sound(TONES[which]);
  if (vibration) shake(TONES[which]);
}

function sound(tones: readonly Tone[]): void {
  // Before the first click or key a browser plays nothing, and complains.
  const activation = navigator.userActivation as UserActivation | undefined;
  if (activation?.hasBeenActive === false || typeof AudioContext === "undefined") return;
  audio ??= new AudioContext();
  const context = audio;
  // Phones suspend it with the page.
  if (context.state !== "running") void context.resume().catch(() => undefined);
  let at = context.currentTime;
  for (const { pitch, ms } of tones) {
    const [oscillator, gain] = [context.createOscillator(), context.createGain()];
    const end = at + ms / 1000;
    oscillator.frequency.value = pitch;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(LOUDNESS, at + RAMP_S);
    gain.gain.setValueAtTime(LOUDNESS, end - RAMP_S);
    gain.gain.linearRampToValueAtTime(0, end);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(at);
    oscillator.stop(end);
    at = end + GAP_MS / 1000;
  }
}

/** The phone, and each gamepad that can. */
function shake(tones: readonly Tone[]): void {
  if ("vibrate" in navigator) navigator.vibrate(tones.flatMap(({ ms }) => [ms, GAP_MS]));
  const duration = tones.reduce((sum, { ms }) => sum + ms + GAP_MS, 0);
  for (const pad of navigator.getGamepads()) {
    const actuator = pad?.vibrationActuator as GamepadHapticActuator | null | undefined;
    actuator
      ?.playEffect("dual-rumble", { duration, strongMagnitude: 0.8, weakMagnitude: 0.5 })
      .catch(() => undefined);
  }
}
