/** The WebSocket to the signaling host: carries out what `core/link/host.ts` decides. */

import { effectsOf } from "../core/effects";
import { HostLink, type Effect, type SignalingEvent, type SignalingState } from "../core/link/host";
import { greasedMessage } from "../protocol/grease";
import { writeJson, type FromDriver } from "../protocol/signaling";
import { SUBPROTOCOL } from "../protocol/units";
import { Timer } from "../timer";

export interface SignalingOptions {
  readonly url: string;
  /** Program and version, for the host's log. */
  readonly software: string;
  readonly open?: (url: string, protocol: string) => WebSocket;
  readonly random?: () => number;
}

export class SignalingClient {
  readonly #options: SignalingOptions;
  readonly #emit: (event: SignalingEvent) => void;
  readonly #host: HostLink;
  readonly #timer = new Timer(() =>
    this.#act((now) => this.#host.handleTimeout(now, this.#random())),
  );
  #socket: WebSocket | null = null;

  constructor(options: SignalingOptions, emit: (event: SignalingEvent) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#host = new HostLink(options.software);
  }

  get state(): SignalingState {
    return this.#host.state;
  }

  start(): void {
    this.#act((now) => this.#host.handleStart(now));
  }

  stop(): void {
    this.#act(() => this.#host.handleStop());
  }

  /** Opens a new socket at once, because the network has changed. */
  renew(): void {
    this.#act((now) => this.#host.handleNetwork(now));
  }

  /** Sends a message; returns `false` if the host is away and the message was dropped. */
  send(message: FromDriver): boolean {
    return this.#act(() => this.#host.handleSend(message));
  }

  /** Lets the machine take something in, and carries out what it decides. */
  #act<T>(step: (now: number) => T): T {
    const answer = step(performance.now());
    for (const effect of effectsOf(this.#host)) this.#carryOut(effect);
    this.#timer.set(this.#host.pollTimeout());
    return answer;
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "open":
        return this.#open();
      case "send":
        this.#socket?.send(writeJson(effect.message));
        if (effect.message.type === "ping") this.#grease();
        return;
      case "close":
        return this.#close();
      case "unreadable":
        return console.warn("rccar: the host sent a message that cannot be read:", effect.why);
      case "state":
      case "message":
        return this.#emit(effect);
    }
  }

  #open(): void {
    const open = this.#options.open ?? ((url, protocol) => new WebSocket(url, protocol));
    const socket = (this.#socket = open(this.#options.url, SUBPROTOCOL));
    socket.onopen = () => this.#act(() => this.#host.handleOpen());
    socket.onmessage = ({ data }: MessageEvent<unknown>) =>
      this.#act((now) => this.#host.handleData(data, now));
    socket.onclose = ({ code }) =>
      this.#act((now) => this.#host.handleClose(code, now, this.#random()));
  }

  #grease(): void {
    const greased = greasedMessage();
    if (greased !== null) this.#socket?.send(greased);
  }

  #close(): void {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }
}
