/**
 * All devices to one sample: the device used last steers, any device brakes.
 *
 * **What cannot be trusted is not input**: a hidden page, a page without focus, a pad that is gone or stands still, a finger that the
 * system took away, anything while the link is too slow or the picture old. Each of them also disarms, and the driver arms again.
 *
 * **A car that is armed follows the device that armed it.** Another one that takes over disarms: it may be one that nobody holds.
 */

import type { DriveState, InputSource } from "../../protocol/state";
import { ArmLatch } from "./arming";
import { Gamepads, type PadEvent, type PadLike } from "./gamepad";
import { commandOf, Keyboard } from "./keyboard";
import { Presses } from "./presses";
import { TouchSticks, type Stick } from "./touch";

/** Older samples are no input to the car (`PROTOCOL.md`, "Timing"). */
const MAX_SAMPLE_AGE_MS = 80;
/** Age that stands for "no sample" (`PROTOCOL.md`, control frame). */
const NO_SAMPLE_MS = 65_535;

/** What the driver cannot see. The same as in `link/sight.ts`: neither folder may know the other, and it is no word of the protocol. */
export type Blindness = "no-picture" | "picture-stopped" | "picture-old";
/** Another device steers than the one that armed. */
export type TakeOver = "keyboard-took-over" | "gamepad-took-over" | "other-gamepad-took-over" | "touch-took-over";
/** What the driver should know about the devices. */
export type InputNotice = "gamepad-gone" | "gamepad-still" | "touch-lost" | "link-slow" | Blindness | TakeOver;
/** Why this page disarmed by itself. */
export type PageStop = InputNotice | "hidden" | "unfocused" | "system-key" | "path-lost";

export interface Sample {
  readonly visible: boolean;
  readonly focused: boolean;
  readonly arm: boolean;
  readonly brake: boolean;
  readonly source: InputSource;
  readonly ageMs: number;
  /** −1…1. */
  readonly steering: number;
  /** −1…1. */
  readonly throttle: number;
}

/** How soon a change is to be sent: with the next frame that the pace allows, or without regard to it. */
export type Urgency = "soon" | "now";

export class Mixer {
  readonly #onChange: (urgency: Urgency) => void;
  readonly #keyboard = new Keyboard();
  readonly #pads = new Gamepads();
  readonly #touch = new TouchSticks();
  readonly #arm = new ArmLatch();
  readonly #presses = new Presses();
  #source: InputSource = "none";
  #notice: InputNotice | null = null;
  #takeOver: TakeOver | null = null;
  #stop: PageStop | null = null;
  #visible = false;
  #focused = false;
  #leftAt = 0;
  #linkSlow = false;
  #blind: Blindness | null = null;

  constructor(onChange: (urgency: Urgency) => void) {
    this.#onChange = onChange;
  }

  get notice(): InputNotice | null {
    return this.#bar ?? this.#notice ?? this.#takeOver;
  }

  /** Why this page last disarmed; `null` if the driver has armed or disarmed since. */
  get stop(): PageStop | null {
    return this.#stop;
  }

  get padPresent(): boolean {
    return this.#pads.present;
  }

  get armWanted(): boolean {
    return this.#arm.wanted;
  }

  handlePage(visible: boolean, focused: boolean, now: number): void {
    if (visible === this.#visible && focused === this.#focused) return;
    const left = (this.#visible && this.#focused) || !(visible && focused);
    this.#visible = visible;
    this.#focused = focused;
    if (left) {
      this.#leftAt = now;
      this.#releaseAll(visible ? "unfocused" : "hidden");
    }
    this.#onChange("now");
  }

  /** The link has become too slow to drive, or quick enough again. */
  handleLink(slow: boolean): void {
    if (slow === this.#linkSlow) return;
    this.#linkSlow = slow;
    if (slow) this.#disarm("link-slow");
    this.#onChange("now");
  }

  /** The driver sees the car no more, for another reason, or again. */
  handleSight(blind: Blindness | null): void {
    if (blind === this.#blind) return;
    const change = (blind === null) !== (this.#blind === null);
    this.#blind = blind;
    if (blind !== null) this.#disarm(blind);
    if (change) this.#onChange("now");
  }

  /** The system takes the keys: lets go of everything and disarms, without forgetting which device is used. */
  handleSystemKey(): void {
    this.#releaseAll("system-key");
  }

  /**
   * Takes a key; tells whether it is one of ours. A key that is held and repeats is no new action, and a direction while the pad in use is
   * held is none either: Steam's desktop layout makes arrow keys of a pad's stick, too.
   */
  handleKey(code: string, down: boolean, now: number, repeat = false): boolean {
    const command = commandOf(code);
    if (command === null) return false;
    if (!this.#keyboard.handleKey(code, down, now)) return true;
    if (down && !repeat) {
      if (command === "arm") this.#pressArm("keyboard", now, "keyboard");
      else if (command === "brake" ? this.#source === "none" : !this.#pads.isHeld(now)) this.#use("keyboard");
    }
    this.#onChange("soon");
    return true;
  }

  handlePads(pads: readonly (PadLike | null)[], now: number): void {
    // Before anything takes over: who presses arm while the car is armed wants it disarmed, and not armed anew for another device.
    this.#handlePadEvents(this.#pads.handlePads(pads, now), now);
    const taker = this.#pads.takesOver(now);
    if (taker !== null) {
      this.#use("gamepad", taker);
      this.#onChange("soon");
    }
    const still = this.#source === "gamepad" && this.#pads.sample(now)?.stale === true;
    if (still && this.#notice !== "gamepad-still") {
      this.#notice = "gamepad-still";
      this.#disarm("gamepad-still");
      this.#onChange("now");
    } else if (!still && this.#notice === "gamepad-still") {
      this.#notice = null;
    }
  }

  /** The gamepad with this index was unplugged. */
  handlePadUnplugged(index: number, now: number): void {
    this.#handlePadEvents(this.#pads.handleUnplugged(index), now);
  }

  handleStickDown(pointer: number, stick: Stick, position: number, reach: number): void {
    this.#touch.handleDown(pointer, stick, position, reach);
    // A hand that brushes the glass does not disarm; a stick that is moved does.
    if (!this.#arm.wanted) this.#use("touch");
    this.#onChange("soon");
  }

  handleStickMove(pointer: number, position: number): void {
    if (this.#touch.handleMove(pointer, position)) this.#use("touch");
    this.#onChange("soon");
  }

  handleStickUp(pointer: number): void {
    this.#touch.handleUp(pointer);
    this.#onChange("soon");
  }

  handleStickCancel(pointer: number): void {
    if (!this.#touch.handleCancel(pointer)) return;
    if (this.#source === "touch") this.#lose("touch-lost");
    this.#onChange("now");
  }

  /** The brake on the screen. */
  handleBrake(down: boolean): void {
    this.#touch.handleBrake(down);
    this.#onChange("now");
  }

  /** The button on the screen, pressed with a finger or with a mouse or key. */
  handleArmButton(byTouch: boolean, now: number): void {
    const hand = byTouch ? "touch" : "keyboard";
    this.#pressArm("screen", now, this.#source === "none" ? hand : null);
    this.#onChange("soon");
  }

  /** A new session began. */
  handleNewSession(): void {
    this.#disarm("path-lost");
    this.#arm.reset();
  }

  /** A sample was sent in the frame `seq`. */
  handleSent(seq: number, { visible, focused, source, ageMs }: Sample): void {
    this.#arm.handleSent(seq, visible && focused && source !== "none" && ageMs <= MAX_SAMPLE_AGE_MS);
  }

  /** The car reports its state, and the newest frame that it has read. */
  handleCar(state: DriveState, echoedSeq: number | null, now: number): void {
    if (echoedSeq !== null) this.#arm.handleEcho(echoedSeq);
    this.#arm.handleState(state, now);
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
      source: this.#source,
    };
    if (this.#bar !== null) return { ...common, ...NOTHING };
    const ageMs = here ? 0 : clampAge(now - this.#leftAt);
    switch (this.#source) {
      case "keyboard":
        return { ...common, ageMs, steering: keys.steering, throttle: keys.throttle };
      case "touch":
        return { ...common, ageMs, steering: this.stick("steering"), throttle: this.stick("throttle") };
      case "gamepad":
        if (pad) return { ...common, ageMs: clampAge(pad.ageMs), steering: pad.steering, throttle: pad.throttle };
        return { ...common, ...NOTHING };
      case "none":
        return { ...common, ...NOTHING };
    }
  }

  /** Why nothing counts as input, whatever the driver does. */
  get #bar(): InputNotice | null {
    return this.#linkSlow ? "link-slow" : this.#blind;
  }

  #handlePadEvents(events: readonly PadEvent[], now: number): void {
    for (const event of events) {
      if (event.kind === "arm") this.#pressArm(event.pad, now, "gamepad", event.pad);
      else if (event.kind === "vanished") this.#lose("gamepad-gone");
      this.#onChange(event.kind === "vanished" ? "now" : "soon");
    }
  }

  /** Somebody uses this device; `pad`: which gamepad. */
  #use(source: InputSource, pad: string | null = null): void {
    if (source === this.#source && (pad === null || pad === this.#pads.inUse)) return;
    const takeOver = source === this.#source ? "other-gamepad-took-over" : TAKE_OVERS[source];
    this.#take(source, pad);
    if (!this.#arm.wanted || takeOver === null) return;
    this.#takeOver = takeOver;
    this.#disarm(takeOver);
    this.#onChange("now");
  }

  #take(source: InputSource, pad: string | null): void {
    if (source !== this.#source || pad !== this.#pads.inUse) {
      if (pad !== null) this.#pads.use(pad);
      else this.#pads.letGo();
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
    this.#keyboard.releaseAll();
    this.#touch.releaseAll();
    this.#disarm(why);
  }

  #disarm(why: PageStop): void {
    if (this.#arm.wanted) this.#stop = why;
    this.#arm.drop();
  }

  /** The arm control of a device was pressed, with which the driver will steer if it arms. */
  #pressArm(device: string, now: number, source: InputSource | null, pad: string | null = null): void {
    const wanted = this.#arm.wanted;
    if (!this.#presses.handlePress(device, now)) {
      // What Steam makes of a pad's button comes first at times; it is the pad that drives.
      if (wanted && pad !== null && this.#source !== "gamepad") this.#take("gamepad", pad);
      return;
    }
    if (wanted) {
      this.#stop = null;
      return this.#arm.drop();
    }
    if (source !== null) this.#take(source, pad);
    if (!this.#visible || !this.#focused || this.#bar !== null || this.#notice === "gamepad-still") return;
    this.#stop = null;
    this.#takeOver = null;
    this.#arm.want(now);
  }
}

const TAKE_OVERS: Readonly<Record<InputSource, TakeOver | null>> = {
  none: null,
  keyboard: "keyboard-took-over",
  gamepad: "gamepad-took-over",
  touch: "touch-took-over",
};

const NOTHING = { source: "none", ageMs: NO_SAMPLE_MS, steering: 0, throttle: 0 } as const;

function clampAge(ms: number): number {
  return Math.min(NO_SAMPLE_MS, Math.max(0, Math.round(ms)));
}
