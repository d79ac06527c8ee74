/** The peer connection of a session that is prepared, until a cockpit takes it. */

import { Ahead, type Effect } from "../core/link/ahead";
import { effectsOf } from "../core/effects";
import { browserPlatform, Peer, type PeerOutput } from "../link/peer";
import type { SignalingClient } from "../link/signaling";
import type { SignalingEvent } from "../core/link/host";
import type { IceServer } from "../protocol/common";
import { Timer } from "../timer";

/** A peer connection that is under way, or there already. */
export interface Taken {
  readonly peer: Peer;
  readonly generation: number;
  /** Sends there what the peer has said so far, and then all that it says. */
  readonly replay: (sink: (output: PeerOutput) => void) => void;
}

export class AheadOfClick {
  readonly #signaling: SignalingClient;
  readonly #ahead = new Ahead();
  readonly #timer = new Timer(() => this.#act((now) => this.#ahead.handleTimeout(now)));
  #peer: Peer | null = null;
  #outputs = new Outputs();

  constructor(signaling: SignalingClient) {
    this.#signaling = signaling;
  }

  /** The driver may want this car; `sure`: more than by a pointer that may only pass. */
  want(car: string, sure: boolean): void {
    this.#act((now) => this.#ahead.handleWanted(car, sure, now));
  }

  unwant(): void {
    this.#act(() => this.#ahead.handleUnwanted());
  }

  /** Gives it up. */
  leave(): void {
    this.#act(() => this.#ahead.handleAway());
  }

  handleSignaling(event: SignalingEvent): void {
    this.#act(() => {
      if (event.kind === "message") this.#ahead.handleMessage(event.message);
      else this.#ahead.handleHost(event.state.phase === "ready");
    });
  }

  /** After each `connecting`: what was prepared is taken by now, or void. */
  handleConnecting(): void {
    this.#act(() => this.#ahead.handleConnecting());
  }

  /** The peer connection of this session, if it is the prepared one. */
  take(session: string): Taken | null {
    const peer = this.#peer;
    if (peer === null || this.#ahead.session !== session) return null;
    const [generation, outputs] = [this.#ahead.generation, this.#outputs];
    this.#peer = null;
    this.#act(() => this.#ahead.handleTaken());
    return { peer, generation, replay: (sink) => outputs.replay(sink) };
  }

  #act(step: (now: number) => void): void {
    step(performance.now());
    for (const effect of effectsOf(this.#ahead)) this.#carryOut(effect);
    this.#timer.set(this.#ahead.pollTimeout());
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "send":
        this.#signaling.send(effect.message);
        return;
      case "open-peer":
        return this.#open(effect.iceServers);
      case "offer":
        return this.#peer?.handleOffer(effect.generation, effect.sdp);
      case "candidate":
        return this.#peer?.handleCandidate(effect.generation, effect.candidate);
      case "close-peer":
        this.#peer?.close();
        this.#peer = null;
    }
  }

  #open(iceServers: readonly IceServer[]): void {
    const outputs = (this.#outputs = new Outputs());
    outputs.replay((output) => {
      if (output.kind === "stream" || output.kind === "channel") outputs.keep(output);
      else {
        if (output.kind !== "answer" && output.kind !== "candidate") outputs.keep(output);
        this.#act(() => this.#ahead.handlePeer(output));
      }
    });
    const options = { iceServers, relayOnly: false, trickle: true };
    this.#peer = new Peer(options, browserPlatform, (output) => outputs.push(output));
  }
}

/** What a peer says: kept for the one who takes it. */
class Outputs {
  #kept: PeerOutput[] = [];
  #sink: (output: PeerOutput) => void = () => undefined;
  /** Messages of channels that nobody reads yet. */
  readonly #unread = new Map<RTCDataChannel, MessageEvent<unknown>[]>();

  push(output: PeerOutput): void {
    this.#sink(output);
  }

  keep(output: PeerOutput): void {
    this.#kept.push(output);
    if (output.kind !== "channel") return;
    const { channel } = output;
    const unread: MessageEvent<unknown>[] = [];
    this.#unread.set(channel, unread);
    // The car may speak before this page has heard from the host that the session begins.
    channel.binaryType = "arraybuffer";
    channel.onmessage = (event: MessageEvent<unknown>) => unread.push(event);
  }

  replay(sink: (output: PeerOutput) => void): void {
    this.#sink = sink;
    for (const output of this.#kept.splice(0)) {
      sink(output);
      if (output.kind !== "channel") continue;
      for (const event of this.#unread.get(output.channel) ?? []) output.channel.onmessage?.(event);
    }
  }
}
