/**
 * Keys to steering and throttle. A key is all or nothing, so the values ramp like a stick under a
 * thumb.
 */

/**
 * Time from straight to full lock, and back: a hand returns a wheel faster than it turns it away.
 */
const STEER_MS = 200;
const STRAIGHTEN_MS = 100;
/** Time from standing to full throttle. Letting go takes effect at once. */
const THROTTLE_MS = 300;

export type Command = "left" | "right" | "forward" | "backward" | "brake" | "arm";
export const COMMANDS: readonly Command[] = [
  "left",
  "right",
  "forward",
  "backward",
  "brake",
  "arm",
];

/** Which keys mean what. A key that is not in it means nothing. */
export type Keys = Readonly<Record<string, Command>>;

/**
 * Keys are named by their place (`KeyboardEvent.code`), so that WASD is at the same place on any
 * layout.
 */
export const TWO_HANDS: Keys = {
  ArrowLeft: "left",
  KeyA: "left",
  ArrowRight: "right",
  KeyD: "right",
  ArrowUp: "forward",
  KeyW: "forward",
  ArrowDown: "backward",
  KeyS: "backward",
  Space: "brake",
  Enter: "arm",
  NumpadEnter: "arm",
};

/** For one hand: all within reach of it. Arm is beside, where no finger rests. */
export const LEFT_HAND: Keys = {
  KeyA: "left",
  KeyD: "right",
  KeyW: "forward",
  KeyS: "backward",
  Space: "brake",
  KeyR: "arm",
};
export const RIGHT_HAND: Keys = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "forward",
  ArrowDown: "backward",
  ShiftRight: "brake",
  Numpad0: "brake",
  Space: "brake",
  Enter: "arm",
  NumpadEnter: "arm",
};

export function commandOf(code: string, keys: Keys = TWO_HANDS): Command | null {
  return Object.hasOwn(keys, code) ? (keys[code] ?? null) : null;
}

/**
 * The place of a key. On-screen keyboards, remote desktops and television remotes leave `code`
 * empty (UI Events, 5.6.2); then `key` is what there is, whatever Shift and Caps Lock make of it.
 */
export function placeOf({ code, key }: { readonly code: string; readonly key: string }): string {
  if (code !== "" && code !== "Unidentified") return code;
  if (/^[a-z]$/iu.test(key)) return `Key${key.toUpperCase()}`;
  if (/^[0-9]$/u.test(key)) return `Digit${key}`;
  return Object.hasOwn(OLD_NAMES, key) ? (OLD_NAMES[key] ?? key) : key;
}

/** Values of `key` that are not the name of a place. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  " ": "Space",
  Spacebar: "Space",
  Left: "ArrowLeft",
  Right: "ArrowRight",
  Up: "ArrowUp",
  Down: "ArrowDown",
};

export interface KeyboardSample {
  readonly steering: number;
  readonly throttle: number;
  readonly brake: boolean;
}

export class Keyboard {
  readonly #held = new Set<string>();
  #steering = 0;
  #throttle = 0;
  #at = 0;
  #keys = TWO_HANDS;

  /** From now on these keys mean something. */
  handleKeys(keys: Keys): void {
    this.handleRelease();
    this.#keys = keys;
  }

  commandOf(code: string): Command | null {
    return commandOf(code, this.#keys);
  }

  /** Takes a key; returns whether anything changed. */
  handleKey(code: string, down: boolean, now: number): boolean {
    const held = this.#held.has(code);
    if (held === down) return false;
    this.#advance(now);
    if (down) this.#held.add(code);
    else this.#held.delete(code);
    return true;
  }

  /** Forgets all keys: without focus the page does not see that they are released. */
  handleRelease(): void {
    this.#held.clear();
    this.#steering = 0;
    this.#throttle = 0;
  }

  sample(now: number): KeyboardSample {
    this.#advance(now);
    return { steering: this.#steering, throttle: this.#throttle, brake: this.#holds("brake") };
  }

  #advance(now: number): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    const steer = Number(this.#holds("right")) - Number(this.#holds("left"));
    this.#steering = isAway(this.#steering, steer)
      ? towards(this.#steering, 0, elapsed / STRAIGHTEN_MS)
      : towards(this.#steering, steer, elapsed / STEER_MS);
    const drive = Number(this.#holds("forward")) - Number(this.#holds("backward"));
    this.#throttle = isAway(this.#throttle, drive)
      ? 0
      : towards(this.#throttle, drive, elapsed / THROTTLE_MS);
  }

  #holds(command: Command): boolean {
    return [...this.#held].some((code) => this.commandOf(code) === command);
  }
}

/** Whether `value` must first return to the middle on its way to `target`. */
function isAway(value: number, target: number): boolean {
  return target === 0 || value * target < 0;
}

function towards(value: number, target: number, step: number): number {
  return value < target ? Math.min(target, value + step) : Math.max(target, value - step);
}
