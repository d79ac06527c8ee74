/**
 * Which control frames the car gets, and when: devices → mixer → pace → control frames. A slow link
 * or an old picture forbids driving.
 *
 * 1. The shell reads the devices and passes them to the mixer.
 * 2. `handleTimeout` makes the frame that is due, as an effect. **One every 20 ms, changed or
 *    not**: without them the car stops.
 * 3. The shell sends it and calls `handleSent`. A frame that the channel does not take is gone, and
 *    the next frame gets its number.
 *
 * After input between two frames the shell calls `handleInput`, which may bring the next frame
 * forward.
 */

import { effectsOf } from "../effects";
import { atRest, DIRECT, felt, type Feel } from "../input/feel";
import { Mixer, type Device, type InputNotice, type PageStop, type Sample } from "../input/mixer";
import { Pacer } from "../input/pacer";
import { CarClock } from "../link/clock";
import { Sight, type Blindness } from "../link/sight";
import { LinkWatch } from "../link/watch";
import type { ControlFrame, Shown } from "../../protocol/control";
import type { TelemetryFrame } from "../../protocol/telemetry";
import type { DriveState } from "../../protocol/state";
import type { Open } from "../../protocol/words";
import { CONTROL_HZ, micros32, permyriad } from "../../protocol/units";

/**
 * Changes are not sent closer than this: a pad that is polled at 60 Hz or more would crowd the
 * channel.
 */
const SPACING_MS = 10;

/** In these the car does not move, and waits for neutral before it does. */
const AT_REST: readonly Open<DriveState>[] = ["disarmed", "arming", "tripped"];

export interface Effect {
  readonly kind: "send";
  readonly frame: ControlFrame;
}

/** What is known about the driver and what they see. */
export interface DriverFacts {
  readonly sample: Sample;
  readonly armWanted: boolean;
  readonly device: Device;
  /** Name of a device that was touched and has not been set up. */
  readonly stranger: string | null;
  readonly notice: InputNotice | null;
  /** Why this page disarmed since the driver last armed. */
  readonly pageStop: PageStop | null;
  /** The driver's last press of arm came to nothing, not long ago. */
  readonly armFailed: boolean;
  readonly blind: Blindness | null;
  readonly linkSlow: boolean;
  readonly rttMs: number | null;
}

export class SendPath {
  readonly mixer = new Mixer();

  readonly #pacer = new Pacer(1_000 / CONTROL_HZ, SPACING_MS);
  #clock = new CarClock();
  #watch = new LinkWatch();
  #sight = new Sight();
  /** The newest frame of the video on the screen. */
  #frame: { readonly presentedAt: number; readonly rtp: number } | null = null;
  #feel = DIRECT;
  /** As the car said last, if it has said anything. */
  #rests = true;
  #open = false;
  /** Number of the newest frame that the channel took. */
  #seq: number;
  /** The frame that was made last, until the channel has taken it. */
  #made: { readonly seq: number; readonly sample: Sample } | null = null;
  #effects: Effect[] = [];

  /**
   * `seq`: number of this page's last frame. Numbers go on across sessions, so that an echo from an
   * old session never counts in a new one.
   */
  constructor(seq = 0) {
    this.#seq = seq;
  }

  get clock(): CarClock {
    return this.#clock;
  }

  facts(now: number): DriverFacts {
    const { armWanted, device, stranger, notice, stop } = this.mixer;
    const { blind } = this.#sight;
    return {
      sample: this.#sample(now),
      armWanted,
      device,
      stranger,
      notice,
      // A press of arm that came to nothing is no stop.
      pageStop: stop === "not-armed" ? null : stop,
      armFailed: this.mixer.hasJustFailed(now),
      blind,
      linkSlow: this.#watch.slow,
      rttMs: this.#clock.rttMs,
    };
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  /**
   * When the next frame is due. If this time has passed, call `handleTimeout` at once: the page may
   * not get another turn.
   */
  pollTimeout(): number {
    return this.#pacer.pollTimeout();
  }

  /** To be called when a frame is due, just after the devices were read. */
  handleTimeout(now: number): void {
    if (now < this.#pacer.pollTimeout()) return;
    this.#sight.handleLook(now, this.#clock);
    this.mixer.handleSight(this.#sight.blind);
    if (this.#open) this.#make(now);
    this.#pacer.handleSent(now);
    while (this.mixer.pollEffect() !== null) {
      // This frame already has what changed.
    }
  }

  /** To be called after the mixer took something in. */
  handleInput(now: number): void {
    for (const { urgency } of effectsOf(this.mixer)) {
      if (urgency === "now") this.#pacer.handleUrgent();
      else this.#pacer.handleChange(now);
    }
  }

  /** From now on the driver's controls feel like this. */
  handleFeel(feel: Feel): void {
    this.#feel = feel;
  }

  handleChannel(open: boolean): void {
    this.#open = open;
  }

  /** The channel took the frame that was made last. */
  handleSent(): void {
    if (this.#made === null) return;
    this.#seq = this.#made.seq;
    this.mixer.handleSent(this.#made.seq, this.#made.sample);
    this.#made = null;
  }

  handleFrame(presentedAt: number, rtpTimestamp: number | null): void {
    this.#frame = rtpTimestamp === null ? null : { presentedAt, rtp: rtpTimestamp };
    this.#sight.handleFrame(presentedAt, rtpTimestamp);
  }

  handleTelemetry(frame: TelemetryFrame, now: number): void {
    const rttMs = this.#clock.handleTelemetry(frame, now);
    if (frame.echo && rttMs !== null) this.#watch.handleEcho(frame.echo.seq, rttMs);
    this.#rests = AT_REST.includes(frame.state);
    this.mixer.handleLink(this.#watch.slow);
    this.mixer.handleCar(frame.state, frame.echo?.seq ?? null, now);
    this.handleInput(now);
  }

  /**
   * Another session, or none: forgets all about the old path and picture.
   */
  handleNewSession(now: number): void {
    this.#open = false;
    this.#clock = new CarClock();
    this.#watch = new LinkWatch();
    this.#sight = new Sight();
    this.#frame = null;
    this.#rests = true;
    this.mixer.handleNewSession();
    this.mixer.handleLink(false);
    this.handleInput(now);
  }

  #sample(now: number): Sample {
    return (this.#rests ? atRest : felt)(this.mixer.sample(now), this.#feel);
  }

  #shown(now: number): Shown | null {
    if (this.#frame === null) return null;
    const for_ms = Math.min(65_535, Math.max(0, Math.round(now - this.#frame.presentedAt)));
    return { rtp: this.#frame.rtp, for_ms };
  }

  #make(now: number): void {
    this.#watch.handleFrame(now);
    this.mixer.handleLink(this.#watch.slow);
    const sample = this.#sample(now);
    const seq = (this.#seq + 1) >>> 0;
    this.#made = { seq, sample };
    this.#effects.push({
      kind: "send",
      frame: {
        visible: sample.visible,
        focused: sample.focused,
        arm: sample.arm,
        brake: sample.brake,
        jog: sample.jog,
        lights: sample.lights,
        horn: sample.horn,
        source: sample.source,
        seq,
        sent_us: micros32(now),
        sample_age_ms: sample.ageMs,
        steering: permyriad(sample.steering),
        throttle: permyriad(sample.throttle),
        shown: this.#shown(now),
      },
    });
  }
}
