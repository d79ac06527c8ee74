/** Runs the send path on the browser's timers, devices and data channel. */

import { SendPath } from "../core/app/send-path";
import { effectsOf } from "../core/effects";
import type { Controls } from "../core/input/controls";
import type { Mixer } from "../core/input/mixer";
import { Shifter } from "../core/input/shifter";
import { listen, listPads, poll } from "../input/browser";
import type { ControlChannel } from "../link/channels";
import { Timer } from "../timer";

/** Frames are numbered across sessions and cockpits. */
let lastSeq = 0;

export class Sender {
  readonly path = new SendPath(lastSeq);
  /** `null` while there is no path to a car. */
  channel: ControlChannel | null = null;

  readonly #shifter = new Shifter();
  readonly #controls: () => Controls;
  readonly #shift: (by: 1 | -1) => void;
  readonly #timer = new Timer(() => this.#fire());
  readonly #stopListening: () => void;
  #running = true;

  /** `shift`: somebody presses a shoulder of a pad. */
  constructor(shift: (by: 1 | -1) => void, controls: () => Controls) {
    this.#shift = shift;
    this.#controls = controls;
    this.#stopListening = listen((step) => this.tell(step));
  }

  /** Number of the newest frame that was sent. */
  get sent(): number {
    return lastSeq;
  }

  /** Lets the mixer take something in, and sends the frames that it wants. */
  tell<T>(step: (mixer: Mixer, now: number) => T): T {
    return this.act((path, now) => {
      const answer = step(path.mixer, now);
      path.handleInput(now);
      return answer;
    });
  }

  act<T>(step: (path: SendPath, now: number) => T): T {
    const now = performance.now();
    const answer = step(this.path, now);
    if (!this.#running) return answer;
    // What is overdue goes out at once: a hidden page may not get another turn.
    if (this.path.pollTimeout() < now) this.#fire();
    else this.#timer.set(this.path.pollTimeout());
    return answer;
  }

  stop(): void {
    this.#running = false;
    this.#timer.stop();
    this.#stopListening();
  }

  #fire(): void {
    // For every frame, because a missed event must not keep input alive.
    poll(this.path.mixer, performance.now());
    const { shifting } = this.path.mixer;
    const { pads } = this.#controls();
    const by = this.#shifter.handlePads(listPads() ?? [], pads, shifting, performance.now());
    if (by !== 0) this.#shift(by);
    this.path.handleChannel(this.channel?.open === true);
    this.path.handleTimeout(performance.now());
    for (const { frame } of effectsOf(this.path)) {
      if (this.channel?.send(frame) !== true) continue;
      lastSeq = frame.seq;
      this.path.handleSent();
    }
    this.#timer.set(this.path.pollTimeout());
  }
}
