/**
 * A session that is prepared while the driver still looks at the car: offer, answer and candidates
 * travel, and both ends find a path, before the click. Decides only; `app/ahead.ts` has the peer
 * connection.
 *
 * ```text
 *         wanted (after a moment)             prepared               connecting, this session
 *  idle ───────────────────────────► asked ───────────► prepared ─────────────────────────────► taken
 *   ▲    prepare                       │                    │ offer ─► answer, candidates
 *   └────────── another is wanted, hidden, host away, bye, connecting with another session ─────┘
 * ```
 *
 * The host answers `prepare` only if the car can do it; nobody waits for the answer. `connect` uses
 * what there is, in whatever state it is.
 */

import type { Candidate, IceServer } from "../../protocol/common";
import type { FromDriver, ToDriver } from "../../protocol/signaling";
import type { PeerEvent } from "./session";

/** A pointer that only passes over a card stays for less. */
const REST_MS = 50;
/** The host takes one a second for each car; sooner would be in vain. */
const GAP_MS = 1_100;
/** Without an answer in this time the host has refused. */
const ANSWER_MS = 5_000;

export type Effect =
  | { readonly kind: "send"; readonly message: FromDriver }
  | { readonly kind: "open-peer"; readonly iceServers: readonly IceServer[] }
  | { readonly kind: "offer"; readonly generation: number; readonly sdp: string }
  | { readonly kind: "candidate"; readonly generation: number; readonly candidate: Candidate }
  | { readonly kind: "close-peer" };

export class Ahead {
  #effects: Effect[] = [];
  #hostReady = false;
  /** The car that was asked for; `null`: idle. */
  #car: string | null = null;
  #askedAt = -Infinity;
  #session: string | null = null;
  #generation = 0;
  /** The car that is to be asked for, and when. */
  #next: { readonly car: string; readonly at: number } | null = null;

  /** The prepared session; `null` without one. */
  get session(): string | null {
    return this.#session;
  }

  /** Generation of its offer; 0 before that. */
  get generation(): number {
    return this.#generation;
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  /** When `handleTimeout` is due, in ms of the page's clock. */
  pollTimeout(): number | null {
    return this.#next?.at ?? null;
  }

  /** The driver may want this car; `sure`: more than by a pointer that may only pass. */
  handleWanted(car: string, sure: boolean, now: number): void {
    const isAsked = this.#session !== null || now < this.#askedAt + ANSWER_MS;
    if (!this.#hostReady || (this.#car === car && isAsked)) return;
    const at = Math.max(now + (sure ? 0 : REST_MS), this.#askedAt + GAP_MS);
    if (this.#next?.car === car && this.#next.at <= at) return;
    this.#next = { car, at };
    this.handleTimeout(now);
  }

  /** The pointer has left before it rested. */
  handleUnwanted(): void {
    this.#next = null;
  }

  handleTimeout(now: number): void {
    const next = this.#next;
    if (next === null || now < next.at) return;
    this.#next = null;
    // The host ends the one before by itself.
    this.#forget();
    this.#car = next.car;
    this.#askedAt = now;
    this.#effects.push({ kind: "send", message: { type: "prepare", car: next.car } });
  }

  handleHost(ready: boolean): void {
    this.#hostReady = ready;
    if (ready) return;
    this.#next = null;
    this.#forget();
  }

  /** The page is hidden, its driver signs out, or it has gone to where no car is wanted. */
  handleAway(): void {
    this.#next = null;
    if (this.#session !== null)
      this.#effects.push({
        kind: "send",
        message: { type: "bye", session: this.#session, reason: "driver-left" },
      });
    this.#forget();
  }

  handleMessage(message: ToDriver): void {
    if (message.type === "prepared") {
      // The host has at most one for this page, and this is the newest.
      if (message.car !== this.#car || this.#session !== null) return;
      this.#session = message.session;
      this.#effects.push({ kind: "open-peer", iceServers: message.ice_servers });
      return;
    }
    if (this.#session === null || !("session" in message) || message.session !== this.#session)
      return;
    if (message.type === "offer" && message.generation > this.#generation) {
      this.#generation = message.generation;
      this.#effects.push({ kind: "offer", generation: message.generation, sdp: message.sdp });
    } else if (message.type === "candidate" && message.generation >= this.#generation) {
      const { generation, candidate } = message;
      this.#effects.push({ kind: "candidate", generation, candidate });
    } else if (message.type === "bye" || message.type === "error") this.#forget();
  }

  /** A session begins: if it is not the prepared one, which was taken then, that is void. */
  handleConnecting(): void {
    this.#next = null;
    this.#forget();
  }

  /** The shell has given the peer connection to the session that begins. */
  handleTaken(): void {
    this.#next = null;
    this.#car = null;
    this.#session = null;
    this.#generation = 0;
  }

  handlePeer(event: PeerEvent): void {
    const session = this.#session;
    if (session === null) return;
    switch (event.kind) {
      case "answer":
        if (event.generation !== this.#generation) return;
        return this.#send({
          type: "answer",
          session,
          generation: event.generation,
          sdp: event.sdp,
        });
      case "candidate": {
        const { generation, candidate } = event;
        if (generation !== this.#generation) return;
        return this.#send({ type: "candidate", session, generation, candidate });
      }
      case "failed":
      case "closed":
      case "unsecured":
      case "problem":
        // The click makes another one, and says what is wrong.
        return this.handleAway();
      case "path":
      case "up":
      case "disconnected":
        return;
    }
  }

  #send(message: FromDriver): void {
    this.#effects.push({ kind: "send", message });
  }

  #forget(): void {
    if (this.#session !== null) this.#effects.push({ kind: "close-peer" });
    this.#car = null;
    this.#session = null;
    this.#generation = 0;
  }
}
