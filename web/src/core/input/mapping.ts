/**
 * What the controls of a gamepad, a wheel or pedals mean.
 *
 * Only the standard mapping of the browser says it by itself. **For all other devices somebody has
 * to say it**: the driver, by the wizard (`wizard.ts`), or a preset for a device that is known. A
 * device without a mapping drives nothing: its first axis may be a clutch.
 */

/** Where a control is, and how it moves. */
export type Source =
  /** `from`: its value at rest, `to`: its value at the end of its way. */
  | {
      readonly kind: "axis";
      readonly index: number;
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: "button"; readonly index: number };

/** How a movement becomes a value. */
export interface Curve {
  /** This part of the way from rest counts as rest; 0…0.5. */
  readonly deadZone: number;
  /** 0 is straight, 1 is soft around rest: `expo·x³ + (1 − expo)·x`. */
  readonly expo: number;
  /** The value at the end of the way; 0.1…1. */
  readonly range: number;
}

export type Part = "left" | "right" | "forward" | "backward" | "arm" | "brake" | "reverse";
export const PARTS: readonly Part[] = [
  "left",
  "right",
  "forward",
  "backward",
  "arm",
  "brake",
  "reverse",
];

/**
 * One device. A part that is `null` is not there; steering and throttle may come from two devices.
 */
export interface Mapping extends Readonly<Record<Part, Source | null>> {
  /** Its middle is fixed and it stays where it is put: a steering wheel, not a stick. */
  readonly wheel: boolean;
  readonly steering: Curve;
  readonly throttle: Curve;
}

/** What the browser lists. */
export interface DeviceLike {
  readonly id: string;
  readonly mapping: string;
  readonly axes: readonly number[];
  readonly buttons: readonly unknown[];
}

/** A stick counts only beyond this: neither fingers nor springs find the middle better. */
export const DEAD_ZONE = 0.08;
/** Changes below this part of the way are the noise of a control that nobody touches. */
export const NOISE = 0.01;

export const STICK: Curve = { deadZone: DEAD_ZONE, expo: 0, range: 1 };
export const LEVER: Curve = { deadZone: 0, expo: 0, range: 1 };
/** A wheel is precise, and has some play in its middle. */
const WHEEL: Curve = { deadZone: 0.01, expo: 0, range: 1 };
/** Feet rest on pedals. */
const PEDAL: Curve = { deadZone: 0.03, expo: 0, range: 1 };

export const button = (index: number): Source => ({ kind: "button", index });
export const axis = (index: number, from: number, to: number): Source => ({
  kind: "axis",
  index,
  from,
  to,
});

/** W3C Gamepad, section 11: left stick, triggers, lower and right button. */
export const STANDARD: Mapping = {
  left: axis(0, 0, -1),
  right: axis(0, 0, 1),
  forward: button(7),
  backward: button(6),
  arm: button(0),
  brake: button(1),
  reverse: null,
  wheel: false,
  steering: STICK,
  throttle: LEVER,
};

/**
 * Names a layout of controls. One device has two if browsers list it with and without the standard
 * mapping, and the same axis means another thing in each. Of several devices with one id, the
 * second has a layout of its own, and so on: browsers tell them apart by nothing but their order.
 */
export function padLayoutOf(device: Pick<DeviceLike, "id" | "mapping">, nth = 1): string {
  const { id, mapping } = device;
  const one = mapping === "" ? id : `${mapping} ${id}`;
  return nth === 1 ? one : `${one} #${nth}`;
}

type Listed = Pick<DeviceLike, "id" | "mapping"> & { readonly index: number };

/** How many devices of this id are listed up to this one. */
export function nthOf(device: Listed, listed: readonly (Listed | null | undefined)[]): number {
  const same = listed.filter(
    (other) =>
      other?.id === device.id && other.mapping === device.mapping && other.index < device.index,
  );
  return same.length + 1;
}

/**
 * The mapping of a device; `null` if nobody has said what its controls mean. One that has none of
 * its own has that of the first with its id.
 */
export function mappingOf(
  device: DeviceLike,
  saved: ReadonlyMap<string, Mapping>,
  nth = 1,
): Mapping | null {
  const own = saved.get(padLayoutOf(device, nth)) ?? saved.get(padLayoutOf(device));
  if (own) return own;
  return device.mapping === "standard" ? STANDARD : presetOf(device);
}

/** A name for people: without the numbers that browsers put around it. */
export function nameOf(id: string): string {
  const name = id
    .replace(/\s*\((?=[^()]*(?:Vendor:|STANDARD GAMEPAD))[^()]*\)\s*$/u, "")
    .replace(/^[0-9a-f]{1,4}-[0-9a-f]{1,4}-/iu, "")
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\s+/gu, " ")
    .trim();
  if (name === "") return "Gamepad";
  return name.length <= MAX_NAME ? name : `${name.slice(0, MAX_NAME - 1).trimEnd()}…`;
}

/** Longer names do not fit on a phone. */
const MAX_NAME = 32;

/**
 * Vendor and product, as hexadecimal digits: `046d:c24f`. Chromium writes them behind the name,
 * Firefox before it.
 */
export function usbIdOf(id: string): string | null {
  const [, vendor, product] =
    /Vendor: ([0-9a-f]{4}) Product: ([0-9a-f]{4})/iu.exec(id) ??
    /^([0-9a-f]{1,4})-([0-9a-f]{1,4})-/iu.exec(id) ??
    [];
  if (vendor === undefined || product === undefined) return null;
  return `${vendor.padStart(4, "0")}:${product.padStart(4, "0")}`.toLowerCase();
}

/**
 * Pads as Linux lists them without the standard mapping: Firefox does so with most. Order of the
 * axes: `linux/input-event-codes.h`, by number (X, Y, Z, RX, RY, RZ), each trigger from −1 to 1.
 * Face buttons: BTN_SOUTH, BTN_EAST.
 */
const LINUX_PAD: Mapping = { ...STANDARD, forward: axis(5, -1, 1), backward: axis(2, -1, 1) };
/** Nintendo's driver (`drivers/hid/hid-nintendo.c`): four axes, triggers are buttons. */
const NINTENDO: Mapping = { ...STANDARD, forward: button(8), backward: button(7) };

/** Pedals rest at 1. The brake pedal drives backward, as the left trigger of a pad does. */
const wheel = (gas: number, brake: number, arm: number, stop: number): Mapping => ({
  left: axis(0, 0, -1),
  right: axis(0, 0, 1),
  forward: axis(gas, 1, -1),
  backward: axis(brake, 1, -1),
  arm: button(arm),
  brake: button(stop),
  reverse: null,
  wheel: true,
  steering: WHEEL,
  throttle: PEDAL,
});

/** So many axes has a list by HID usages (Windows, macOS): X, Y, Z, Rx, Ry, Rz, …, hat. */
const BY_USAGE = 9;

type Preset = (axes: number) => Mapping;
const linuxPad: Preset = () => LINUX_PAD;
const nintendo: Preset = () => NINTENDO;
/** X is the wheel, Y the clutch, Z the gas, Rz the brake. */
const logitech: Preset = (axes) => wheel(2, axes >= BY_USAGE ? 5 : 3, 0, 1);
/** X is the wheel, Y the gas, Z the brake, Rz the clutch. */
const logitechXbox: Preset = () => wheel(1, 2, 0, 1);

/** By vendor and product. */
const PRESETS: Readonly<Record<string, Preset>> = {
  // Microsoft: 360 by cable and radio, One, One S, Elite, Series.
  "045e:028e": linuxPad,
  "045e:028f": linuxPad,
  "045e:0291": linuxPad,
  "045e:0719": linuxPad,
  "045e:02a1": linuxPad,
  "045e:02d1": linuxPad,
  "045e:02dd": linuxPad,
  "045e:02e3": linuxPad,
  "045e:02ea": linuxPad,
  "045e:0b00": linuxPad,
  "045e:0b12": linuxPad,
  // Logitech F310, F510, F710, switch at X.
  "046d:c21d": linuxPad,
  "046d:c21e": linuxPad,
  "046d:c21f": linuxPad,
  // Sony: DualShock 3 and 4, DualSense and Edge (`hid-playstation.c`, `hid-sony.c`).
  "054c:0268": linuxPad,
  "054c:05c4": linuxPad,
  "054c:09cc": linuxPad,
  "054c:0ba0": linuxPad,
  "054c:0ce6": linuxPad,
  "054c:0df2": linuxPad,
  "057e:2009": nintendo,
  // Logitech G25, G27, G29, G923 for PlayStation.
  "046d:c299": logitech,
  "046d:c29b": logitech,
  "046d:c24f": logitech,
  "046d:c266": logitech,
  "046d:c267": logitech,
  // Logitech G920, G923 for Xbox.
  "046d:c262": logitechXbox,
  "046d:c26e": logitechXbox,
};

/** Whether a device has all that a mapping names. */
function fits({ axes, buttons }: DeviceLike, mapping: Mapping): boolean {
  return PARTS.every((part) => {
    const source = mapping[part];
    return source === null || source.index < (source.kind === "axis" ? axes : buttons).length;
  });
}

function presetOf(device: DeviceLike): Mapping | null {
  const id = usbIdOf(device.id);
  const preset = id !== null && Object.hasOwn(PRESETS, id) ? PRESETS[id] : undefined;
  const mapping = preset?.(device.axes.length) ?? null;
  return mapping !== null && fits(device, mapping) ? mapping : null;
}

/** Applies a curve; `at` and the result are −1…1. */
export function shaped(at: number, { deadZone, expo, range }: Curve): number {
  const size = Math.min(1, Math.abs(at));
  const dead = Math.max(deadZone, size <= NOISE ? NOISE : 0);
  if (size <= dead) return 0;
  const way = (size - dead) / (1 - dead);
  return Math.sign(at) * range * (expo * way ** 3 + (1 - expo) * way);
}
