/**
 * All devices to one sample: the device used last steers, any device brakes.
 *
 * **What cannot be trusted is not input**: a hidden page, a page without focus, a pad that is gone or stands still, a finger that the
 * system took away, anything while the link is too slow. Each of them also disarms, and the driver arms again.
 */

import type { DriveState, InputSource } from "../protocol/state";
import { ArmLatch } from "./arming";
import { Gamepads, type PadLike } from "./gamepad";
import { commandOf, Keyboard } from "./keyboard";
import { TouchSticks, type Stick } from "./touch";

/** Older samples are no input to the car (`PROTOCOL.md`, "Timing"). */
const MAX_SAMPLE_AGE_MS = 80;
/** Age that stands for "no sample" (`PROTOCOL.md`, control frame). */
const NO_SAMPLE_MS = 65_535;

/** What the driver should know about the devices. */
export type InputNotice = "gamepad-gone" | "gamepad-still" | "touch-lost" | "link-slow";

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
  #source: InputSource = "none";
  #notice: InputNotice | null = null;
  #visible = false;
  #focused = false;
  #leftAt = 0;
  #linkSlow = false;

  constructor(onChange: (urgency: Urgency) => void) {
    this.#onChange = onChange;
  }

  get notice(): InputNotice | null {
    return this.#linkSlow ? "link-slow" : this.#notice;
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
      this.releaseAll();
    }
    this.#onChange("now");
  }

  /** The link has become too slow to drive, or quick enough again. */
  handleLink(slow: boolean): void {
    if (slow === this.#linkSlow) return;
    this.#linkSlow = slow;
    if (slow) this.#arm.drop();
    this.#onChange("now");
  }

  /** Lets go of everything and disarms, without forgetting which device is used. */
  releaseAll(): void {
    this.#keyboard.releaseAll();
    this.#touch.releaseAll();
    this.#arm.drop();
  }

  /** Takes a key; tells whether it is one of ours. */
  handleKey(code: string, down: boolean, now: number): boolean {
    const command = commandOf(code);
    if (command === null) return false;
    if (!this.#keyboard.handleKey(code, down, now)) return true;
    if (down) this.#use("keyboard");
    if (down && command === "arm") this.#toggleArm(now);
    this.#onChange("soon");
    return true;
  }

  handlePads(pads: readonly (PadLike | null)[], now: number): void {
    for (const event of this.#pads.handlePads(pads, now)) {
      if (event === "used") this.#use("gamepad");
      else if (event === "arm") this.#toggleArm(now);
      else if (this.#source === "gamepad") this.#lose("gamepad-gone");
      this.#onChange(event === "vanished" ? "now" : "soon");
    }
    const still = this.#source === "gamepad" && this.#pads.sample(now)?.stale === true;
    if (still && this.#notice === null) {
      this.#notice = "gamepad-still";
      this.#arm.drop();
      this.#onChange("now");
    } else if (!still && this.#notice === "gamepad-still") {
      this.#notice = null;
    }
  }

  handleStickDown(pointer: number, stick: Stick, position: number, reach: number): void {
    this.#touch.handleDown(pointer, stick, position, reach);
    this.#use("touch");
    this.#onChange("soon");
  }

  handleStickMove(pointer: number, position: number): void {
    this.#touch.handleMove(pointer, position);
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
    if (this.#source === "none") this.#use(byTouch ? "touch" : "keyboard");
    this.#toggleArm(now);
    this.#onChange("soon");
  }

  /** A new session began. */
  handleNewSession(): void {
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
      brake: keys.brake || this.#touch.brake || (pad?.brake ?? false),
      source: this.#source,
    };
    if (this.#linkSlow) return { ...common, ...NOTHING };
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

  #use(source: InputSource): void {
    this.#source = source;
    this.#notice = null;
  }

  #lose(notice: InputNotice): void {
    this.#source = "none";
    this.#notice = notice;
    this.#arm.drop();
  }

  #toggleArm(now: number): void {
    if (this.#arm.wanted) this.#arm.drop();
    else if (this.#visible && this.#focused && !this.#linkSlow) this.#arm.want(now);
  }
}

const NOTHING = { source: "none", ageMs: NO_SAMPLE_MS, steering: 0, throttle: 0 } as const;

function clampAge(ms: number): number {
  return Math.min(NO_SAMPLE_MS, Math.max(0, Math.round(ms)));
}
