/** Runs the pace of the control frames on the browser's timers. */

import { CONTROL_HZ } from "../protocol/units";
import { Pacer } from "../core/input/pacer";

/** Changes are not sent closer than this: a pad that is polled at 60 Hz or more would crowd the channel. */
const SPACING_MS = 10;

export class Sender {
  readonly #pacer = new Pacer(1000 / CONTROL_HZ, SPACING_MS);
  readonly #send: (now: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running = false;
  /** A change that is noticed while a frame is made is in that frame. */
  #sending = false;

  /** Calls `send` for each frame that is due. */
  constructor(send: (now: number) => void) {
    this.#send = send;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#fire();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /** Sends soon, as the spacing allows. */
  hurry(): void {
    if (this.#sending) return;
    this.#pacer.hurry(performance.now());
    this.#arrange();
  }

  /** Sends now: a page that is being hidden may not get another turn. */
  now(): void {
    if (this.#running && !this.#sending) this.#fire();
  }

  #fire(): void {
    const now = performance.now();
    this.#sending = true;
    try {
      this.#send(now);
    } finally {
      this.#sending = false;
    }
    this.#pacer.sent(now);
    this.#arrange();
  }

  #arrange(): void {
    clearTimeout(this.#timer);
    if (this.#running) this.#timer = setTimeout(() => this.#fire(), Math.ceil(this.#pacer.due - performance.now()));
  }
}
