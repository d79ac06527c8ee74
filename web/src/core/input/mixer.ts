/**
 * Makes one sample of all devices: the device used last steers, any device brakes.
 *
 * **Values that cannot be trusted are not input**: from a hidden page, a page without focus, a pad
 * that is gone or stands still, a finger that the system took away, and from any device while the
 * link is too slow or the picture too old. Each of these also disarms, and the driver has to arm
 * again.
 *
 * **An armed car follows the device that armed it.** When another device takes over, it disarms:
 * perhaps nobody holds that device.
 */

import type { DriveState, InputSource } from "../../protocol/state";
import { effectsOf } from "../effects";
import type { Blindness } from "../link/sight";
import { ArmLatch } from "./arming";
import { Gamepads, type PadLike } from "./gamepad";
import { Keyboard, type Command } from "./keyboard";
import { Presses } from "./presses";
import type { Controls } from "./controls";
import { TAKE_OVERS, type TakeOver } from "./take-over";
import { TouchSticks, type Stick } from "./touch";
import type { Open } from "../../protocol/words";

/** Older samples are no input to the car (`PROTOCOL.md`, "Timing"). */
const MAX_SAMPLE_AGE_MS = 80;
/** Age that stands for "no sample" (`PROTOCOL.md`, control frame). */
const NO_SAMPLE_MS = 65_535;

/** How long it is said that the car could not be armed: as long as a notice of the car. */
const FAILED_MS = 6_000;

export type { TakeOver } from "./take-over";
/** What the driver should know about the devices. */
export type InputNotice =
  | "gamepad-gone"
  | "gamepad-still"
  | "touch-lost"
  | "link-slow"
  | "setting-up"
  | Blindness
  | TakeOver;
/** Why this page disarmed by itself. */
export type PageStop =
  InputNotice | "hidden" | "unfocused" | "system-key" | "path-lost" | "not-armed";

/** What drives, in words that tell one device from another. */
export interface Device {
  readonly source: InputSource;
  /** Of gamepads. */
  readonly name: string | null;
}

export interface Sample {
  readonly visible: boolean;
  readonly focused: boolean;
  readonly arm: boolean;
  readonly brake: boolean;
  /** Servo and motor are to follow although the car is disarmed. */
  readonly jog: boolean;
  readonly lights: boolean;
  readonly horn: boolean;
  readonly source: InputSource;
  readonly ageMs: number;
  /** −1…1. */
  readonly steering: number;
  /** −1…1. */
  readonly throttle: number;
}

/** What somebody who calibrates the car holds a button for; −1…1. */
export interface Jog {
  readonly steering: number;
  readonly throttle: number;
  readonly brake: boolean;
}

/**
 * How soon a change is to be sent: `soon` is with the next frame that the pace allows, `now`
 * ignores the pace.
 */
export type Urgency = "soon" | "now";

export interface Effect {
  readonly kind: "send";
  readonly urgency: Urgency;
}

/** Lets the mixer take something in, and carries out what it wants then. */
export type Tell = <T>(step: (mixer: Mixer, now: number) => T) => T;

export class Mixer {
  readonly #keyboard = new Keyboard();
  readonly #pads = new Gamepads();
  readonly #touch = new TouchSticks();
  readonly #arm = new ArmLatch();
  readonly #presses = new Presses();
  #source: InputSource = "none";
  #notice: InputNotice | null = null;
  #takeOver: TakeOver | null = null;
  #stop: PageStop | null = null;
  #failedAt = -Infinity;
  #visible = false;
  #focused = false;
  #leftAt = 0;
  #linkSlow = false;
  #blind: Blindness | null = null;
  #jog: Jog | null = null;
  #lights = false;
  #horn = false;
  #settingUp = false;
  #effects: Effect[] = [];

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  get notice(): InputNotice | null {
    return this.#bar ?? this.#notice ?? this.#takeOver;
  }

  /** Why this page last disarmed; `null` if the driver has armed or disarmed since. */
  get stop(): PageStop | null {
    return this.#stop;
  }

  /** The last press of arm came to nothing, not long ago: nothing is to be said for ever. */
  hasJustFailed(now: number): boolean {
    return this.#stop === "not-armed" && now - this.#failedAt < FAILED_MS;
  }

  /** The device that drives, or would drive if the car were armed. */
  get device(): Device {
    const source = this.#source;
    return { source, name: source === "gamepad" ? this.#pads.name : null };
  }

  /** Name of a device that somebody touched and that cannot drive before it has been set up. */
  get stranger(): string | null {
    return this.#pads.stranger;
  }

  get padPresent(): boolean {
    return this.#pads.present;
  }

  get armWanted(): boolean {
    return this.#arm.wanted;
  }

  /** Keys of the pads whose shoulders shift gears; `null`: those of every pad. */
  get shifting(): readonly string[] | null {
    if (!this.#visible || !this.#focused || this.#settingUp) return [];
    return this.#arm.wanted ? this.#pads.teamKeys : null;
  }

  handlePage(visible: boolean, focused: boolean, now: number): void {
    if (visible === this.#visible && focused === this.#focused) return;
    // Every change but a return counts as leaving.
    const left = (this.#visible && this.#focused) || !(visible && focused);
    this.#visible = visible;
    this.#focused = focused;
    if (left) {
      this.#leftAt = now;
      this.#releaseAll(visible ? "unfocused" : "hidden");
    }
    this.#want("now");
  }

  /** The link has become too slow to drive, or quick enough again. */
  handleLink(slow: boolean): void {
    if (slow === this.#linkSlow) return;
    this.#linkSlow = slow;
    if (slow) this.#disarm("link-slow");
    this.#want("now");
  }

  /** The driver no longer sees the car (`blind` says why), or sees it again (`null`). */
  handleSight(blind: Blindness | null): void {
    if (blind === this.#blind) return;
    // From one reason to another the frames do not change.
    const change = (blind === null) !== (this.#blind === null);
    this.#blind = blind;
    if (blind !== null) this.#disarm(blind);
    if (change) this.#want("now");
  }

  /** What the driver wants of keys and devices. A car that is armed does not change hands. */
  handleControls({ keys, pads }: Controls, now: number): void {
    this.#disarm("setting-up");
    this.#keyboard.handleKeys(keys);
    this.#pads.handleMappings(pads);
    this.#followPads(now);
    this.#want("now");
  }

  /** Somebody moves devices to say what their controls mean, and not to drive. */
  handleSettingUp(on: boolean): void {
    if (on === this.#settingUp) return;
    this.#settingUp = on;
    if (on) this.#disarm("setting-up");
    this.#want("now");
  }

  /**
   * The system takes the keys: releases everything and disarms, but remembers which device is used.
   */
  handleSystemKey(): void {
    this.#releaseAll("system-key");
  }

  brakesWith(code: string): boolean {
    return this.#keyboard.commandOf(code) === "brake";
  }

  /**
   * Takes a key; returns whether it has a meaning here. Two kinds of keys do not take over: a held
   * key that repeats, and a direction while the pad in use is held, because Steam's desktop layout
   * also turns a pad's stick into arrow keys.
   */
  handleKey(code: string, down: boolean, now: number, repeat = false): boolean {
    const command = this.#keyboard.commandOf(code);
    if (command === null) return false;
    if (!this.#keyboard.handleKey(code, down, now)) return true;
    if (down && !repeat) {
      if (command === "arm") this.#pressArm("keyboard", now, "keyboard");
      else if (command === "brake" ? this.#source === "none" : !this.#pads.isHeld(now))
        this.#use("keyboard");
    }
    this.#want("soon");
    return true;
  }

  commandOf(code: string): Command | null {
    return this.#keyboard.commandOf(code);
  }

  handlePads(pads: readonly (PadLike | null)[], now: number): void {
    // Arm buttons come before a take-over: a press while the car is armed means disarm. After a
    // take-over it would arm the car again, for the other device.
    this.#pads.handlePads(pads, now);
    this.#followPads(now);
    const taker = this.#pads.handleTakeOver(now);
    if (taker !== null) {
      this.#use("gamepad", taker);
      this.#want("soon");
    }
    const still = this.#source === "gamepad" && this.#pads.sample(now)?.stale === true;
    if (still && this.#notice !== "gamepad-still") {
      this.#notice = "gamepad-still";
      this.#disarm("gamepad-still");
      this.#want("now");
    } else if (!still && this.#notice === "gamepad-still") {
      this.#notice = null;
    }
  }

  /** The gamepad with this index was unplugged. */
  handlePadUnplugged(index: number, now: number): void {
    this.#pads.handleUnplugged(index);
    this.#followPads(now);
  }

  handleStickDown(pointer: number, stick: Stick, position: number, reach: number): void {
    const held = this.#touch.handleDown(pointer, stick, position, reach);
    // A hand that brushes the glass must not disarm; only a stick that is moved does.
    if (held && !this.#arm.wanted) this.#use("touch");
    this.#want("soon");
  }

  handleStickMove(pointer: number, position: number): void {
    if (this.#touch.handleMove(pointer, position)) this.#use("touch");
    this.#want("soon");
  }

  handleStickUp(pointer: number): void {
    this.#touch.handleUp(pointer);
    this.#want("soon");
  }

  handleStickCancel(pointer: number): void {
    if (!this.#touch.handleCancel(pointer)) return;
    if (this.#source === "touch") this.#lose("touch-lost");
    this.#want("now");
  }

  /** A finger or the mouse on the brake of the screen; `by` tells them apart. */
  handleBrake(down: boolean, by = 0): void {
    this.#touch.handleBrake(down, by);
    this.#want("now");
  }

  /** Whoever can only press and not hold: brakes until the next press. */
  handleBrakeSwitch(): void {
    this.handleBrake(!this.#touch.isBraking(BY_SWITCH), BY_SWITCH);
  }

  /**
   * A button of the calibration is held (`jog`) or let go (`null`). It does nothing while the car
   * is to be armed.
   */
  handleJog(jog: Jog | null): void {
    this.#jog = jog;
    this.#want("now");
  }

  /** The lights on, or off again. */
  handleLights(): void {
    this.#lights = !this.#lights;
    this.#want("soon");
  }

  handleHorn(down: boolean): void {
    this.#horn = down;
    this.#want("now");
  }

  /** The button on the screen, pressed with a finger (`byTouch`), a mouse or a key. */
  handleArmButton(byTouch: boolean, now: number): void {
    const hand = byTouch ? "touch" : "keyboard";
    this.#pressArm("screen", now, this.#source === "none" ? hand : null);
    this.#want("soon");
  }

  handleNewSession(): void {
    this.#jog = null;
    this.#disarm("path-lost");
    this.#arm.handleNewSession();
  }

  handleSent(seq: number, { visible, focused, source, ageMs }: Sample): void {
    this.#arm.handleSent(
      seq,
      visible && focused && source !== "none" && ageMs <= MAX_SAMPLE_AGE_MS,
    );
  }

  /** The car reports its state, and the newest frame that it has read. */
  handleCar(state: Open<DriveState>, echoedSeq: number | null, now: number): void {
    if (echoedSeq !== null) this.#arm.handleEcho(echoedSeq, now);
    const { wanted, flag } = this.#arm;
    this.#arm.handleState(state, now);
    if (wanted && this.#arm.failed) {
      this.#stop = "not-armed";
      this.#failedAt = now;
    }
    // The page asks again: the car needs to see `arm` clear soon.
    if (flag !== this.#arm.flag) this.#want("soon");
  }

  stick(stick: Stick): number {
    return this.#touch.position(stick);
  }

  sample(now: number): Sample {
    const here = this.#visible && this.#focused;
    const keys = this.#keyboard.sample(now);
    const pad = this.#pads.sample(now);
    const common = {
      visible: this.#visible,
      focused: this.#focused,
      arm: this.#arm.flag,
      brake: keys.brake || this.#touch.brake || this.#pads.brake,
      jog: false,
      lights: this.#lights,
      horn: this.#horn,
      source: this.#source,
    };
    if (this.#bar !== null) return { ...common, ...NOTHING };
    const ageMs = here ? 0 : clampAge(now - this.#leftAt);
    if (this.#jog !== null && !this.#arm.wanted) {
      const brake = common.brake || this.#jog.brake;
      return { ...common, ...this.#jog, brake, arm: false, jog: true, source: "touch", ageMs };
    }
    switch (this.#source) {
      case "keyboard":
        return { ...common, ageMs, steering: keys.steering, throttle: keys.throttle };
      case "touch":
        return {
          ...common,
          ageMs,
          steering: this.stick("steering"),
          throttle: this.stick("throttle"),
        };
      case "gamepad":
        if (pad)
          return {
            ...common,
            ageMs: clampAge(pad.ageMs),
            steering: pad.steering,
            throttle: pad.throttle,
          };
        return { ...common, ...NOTHING };
      case "none":
        return { ...common, ...NOTHING };
    }
  }

  /** Why nothing counts as input, whatever the driver does. */
  get #bar(): InputNotice | null {
    if (this.#linkSlow) return "link-slow";
    return this.#blind ?? (this.#settingUp ? "setting-up" : null);
  }

  #want(urgency: Urgency): void {
    this.#effects.push({ kind: "send", urgency });
  }

  #followPads(now: number): void {
    for (const effect of effectsOf(this.#pads)) {
      if (effect.kind === "arm") this.#pressArm(effect.pad, now, "gamepad", effect.pad);
      else if (effect.kind === "vanished") this.#lose("gamepad-gone");
      this.#want(effect.kind === "vanished" ? "now" : "soon");
    }
  }

  /** Somebody uses this device; `pad`: key of the gamepad. */
  #use(source: InputSource, pad: string | null = null): void {
    if (source === this.#source && (pad === null || pad === this.#pads.inUse)) return;
    const takeOver = source === this.#source ? "other-gamepad-took-over" : TAKE_OVERS[source];
    this.#take(source, pad);
    if (!this.#arm.wanted || takeOver === null) return;
    this.#takeOver = takeOver;
    this.#disarm(takeOver);
    this.#want("now");
  }

  #take(source: InputSource, pad: string | null): void {
    if (source !== this.#source || pad !== this.#pads.inUse) {
      if (pad !== null) this.#pads.handleUse(pad);
      else this.#pads.handleLetGo();
    }
    this.#source = source;
    this.#notice = null;
    this.#takeOver = null;
  }

  #lose(notice: InputNotice): void {
    this.#source = "none";
    this.#notice = notice;
    this.#takeOver = null;
    this.#disarm(notice);
  }

  #releaseAll(why: PageStop): void {
    this.#keyboard.handleRelease();
    this.#touch.handleRelease();
    this.#jog = null;
    this.#horn = false;
    this.#disarm(why);
  }

  #disarm(why: PageStop): void {
    this.#jog = null;
    if (this.#arm.wanted) this.#stop = why;
    this.#arm.handleDisarm();
  }

  /** The arm control of `device` was pressed. If this arms, `source` steers from then on. */
  #pressArm(
    device: string,
    now: number,
    source: InputSource | null,
    pad: string | null = null,
  ): void {
    const wanted = this.#arm.wanted;
    // The button of the calibration goes dead under the finger, and may never be let go.
    this.#jog = null;
    if (!this.#presses.handlePress(device, now)) {
      // Sometimes Steam's key for a pad's button comes before the button. The pad is to drive.
      if (wanted && pad !== null && this.#source !== "gamepad") this.#take("gamepad", pad);
      return;
    }
    if (wanted) {
      this.#stop = null;
      return this.#arm.handleDisarm();
    }
    if (source !== null) this.#take(source, pad);
    if (!this.#visible || !this.#focused || this.#bar !== null || this.#notice === "gamepad-still")
      return;
    this.#stop = null;
    this.#takeOver = null;
    this.#pads.handleTeam();
    this.#arm.handleArm(now);
  }
}

/** On the brake, beside pointers, whose numbers are not negative. */
const BY_SWITCH = -2;

const NOTHING = { source: "none", ageMs: NO_SAMPLE_MS, steering: 0, throttle: 0 } as const;

function clampAge(ms: number): number {
  return Math.min(NO_SAMPLE_MS, Math.max(0, Math.round(ms)));
}
