/**
 * A drive with one car: asks for a session, answers offers, restarts ICE, connects again. Decides
 * only; its shell carries out the effects and reports what happened.
 *
 * ```text
 *  waiting-host ──host is there──► asking ──offer──► negotiating ──up──► connected
 *       ▲                          │  ▲ │                │              │    ▲ up
 *       │ host is away             │  │ └─ offline ─► waiting-car       │    │
 *       └──────── retrying ◄───────┘  │                  │          ICE disconnected
 *                    ▲  └── time ─────┘                  │              ▼    │
 *                    │                                   │          interrupted
 *                    │                              15 s │              │ 1 s, or failed, or asked for
 *                    │                                   ▼              ▼
 *                    └──── 8 s, or the session is gone ──┴───────── restarting
 *
 *  any ── the car's program stops or starts again ──► waiting-car ──the list has it──► asking
 *  any ── refused, ended for good, or left ──► ended
 * ```
 *
 * **A peer connection that works is never given up because the host is away or has forgotten the
 * session.**
 */

import { BYE_REASONS, type ByeReason, type ErrorCode } from "../../protocol/common";
import type { Candidate, CarInfo, IceServer } from "../../protocol/common";
import type { FromDriver, ToDriver } from "../../protocol/signaling";
import { isKnown, type Open } from "../../protocol/words";

/**
 * Time for the car's offer. Without trickle the car gathers all candidates first, which is slow on
 * a slow link.
 */
const OFFER_TIMEOUT_MS = 10_000;
/** Time from the offer to a connection: browsers give up on ICE after about this time. */
const NEGOTIATION_TIMEOUT_MS = 15_000;
/**
 * ICE often heals a short loss by itself. A restart would drop a path that is about to come back.
 */
const RESTART_AFTER_MS = 1_000;
/** Time for a restart to work. After it the session is given up and a new one begins. */
const RESTART_TIMEOUT_MS = 8_000;
/** Waits before connecting again after a loss, by attempt. The first attempt follows at once. */
const RETRY_MS = [0, 1_000, 2_000, 5_000] as const;
/**
 * A car that stops is still in the list until its connection closes. If it were asked sooner, it
 * could not answer.
 */
const STOPPING_MS = 1_000;
/** After a loss the car may be busy with our own old session: so many refusals are not believed. */
const MAX_BUSY_RETRIES = 4;

export type EndCause =
  | {
      readonly kind: "bye";
      readonly reason: Open<ByeReason>;
      /** Who took the car back. */
      readonly by?: string | null;
    }
  | { readonly kind: "error"; readonly code: Open<ErrorCode>; readonly text: string }
  /** There is a path, but the two could not agree on keys (DTLS), or the key was another's. */
  | { readonly kind: "unsecured" }
  | { readonly kind: "left" };

/** Why the page waits for a car: it was never there, or it went and is likely to come back. */
export type Absence = "offline" | Extract<ByeReason, "car-left" | "car-gone" | "shutdown">;

export type Phase =
  | { readonly name: "waiting-host" }
  /** The page asks the car when the list has it, but not before `askAt`. */
  | { readonly name: "waiting-car"; readonly why: Absence; readonly askAt: number }
  | { readonly name: "asking"; readonly since: number }
  | { readonly name: "negotiating"; readonly since: number }
  | { readonly name: "connected" }
  | { readonly name: "interrupted"; readonly since: number }
  | { readonly name: "restarting"; readonly since: number }
  | { readonly name: "retrying"; readonly at: number }
  | { readonly name: "ended"; readonly cause: EndCause };

/** What the peer connection reports. */
export type PeerEvent =
  | { readonly kind: "answer"; readonly generation: number; readonly sdp: string }
  | { readonly kind: "candidate"; readonly generation: number; readonly candidate: Candidate }
  /** ICE has found a path; keys are not agreed on yet. */
  | { readonly kind: "path" }
  | { readonly kind: "up" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "failed" }
  /** The car closed its end: no restart can help. */
  | { readonly kind: "closed" }
  /** The path works, DTLS on it does not. */
  | { readonly kind: "unsecured" }
  | { readonly kind: "problem"; readonly reason: "no-h264" | "bad-description" | "internal" };

export type Effect =
  | { readonly kind: "send"; readonly message: FromDriver }
  /** If this session was prepared, `handlePrepared` follows. */
  | {
      readonly kind: "open-peer";
      readonly session: string;
      readonly iceServers: readonly IceServer[];
    }
  /** For the next ICE restart. */
  | { readonly kind: "ice-servers"; readonly iceServers: readonly IceServer[] }
  | { readonly kind: "offer"; readonly generation: number; readonly sdp: string }
  | { readonly kind: "candidate"; readonly generation: number; readonly candidate: Candidate }
  | { readonly kind: "close-peer" };

export interface SessionOptions {
  readonly car: string;
  readonly trickle: boolean;
}

export class Session {
  readonly #options: SessionOptions;
  #phase: Phase = { name: "waiting-host" };
  #effects: Effect[] = [];
  #hostReady = false;
  /** In the host's list the car is not offline. */
  #listed = false;
  #id: string | null = null;
  #generation = 0;
  /** The host has forgotten the session; only the peer connection is left. */
  #orphan = false;
  /** The peer connection is up, whatever the phase is. */
  #up = false;
  /** ICE works; while nothing has come up, DTLS does not. */
  #path = false;
  #everConnected = false;
  #attempt = 0;
  /** The next request takes the car. */
  #take = false;
  /** The session was prepared before it was asked for, and has not been connected yet. */
  #prepared = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get id(): string | null {
    return this.#id;
  }

  /** Generation of the newest offer; 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** Number of losses since the last connection. */
  get attempt(): number {
    return this.#attempt;
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  /** When `handleTimeout` is due, in ms of the page's clock. */
  pollTimeout(): number | null {
    const phase = this.#phase;
    switch (phase.name) {
      case "asking":
        return phase.since + OFFER_TIMEOUT_MS;
      case "negotiating":
        return phase.since + NEGOTIATION_TIMEOUT_MS;
      case "interrupted":
        return phase.since + RESTART_AFTER_MS;
      case "restarting":
        // Without the host no other path can be arranged, and the old one may still heal.
        return this.#hostReady ? phase.since + RESTART_TIMEOUT_MS : null;
      case "retrying":
        return phase.at;
      case "waiting-car":
        return this.#listed ? phase.askAt : null;
      case "waiting-host":
      case "connected":
      case "ended":
        return null;
    }
  }

  handleHost(ready: boolean, now: number): void {
    this.#hostReady = ready;
    const { name } = this.#phase;
    if (ready && name === "waiting-host") this.#ask(now);
    // The request for a restart may have been lost together with the old socket.
    if (ready && name === "restarting") this.#restart(now);
    else if (ready) this.#claim();
    if (!ready && (name === "asking" || name === "waiting-car"))
      this.#abandon({ name: "waiting-host" });
  }

  handleMessage(message: ToDriver, now: number): void {
    switch (message.type) {
      case "welcome":
        this.#listed = false;
        return this.#handleCars(message.cars, [], now);
      case "cars":
        return this.#handleCars(message.cars, message.gone ?? [], now);
      case "list":
        return this.#handleCars(message.cars, [], now);
      case "connecting":
        if (
          this.#phase.name !== "asking" ||
          this.#id !== null ||
          message.car !== this.#options.car
        ) {
          // The answer to a request that was given up: the session must not keep the car busy.
          return this.#send({ type: "bye", session: message.session, reason: "driver-left" });
        }
        this.#id = message.session;
        this.#effects.push({
          kind: "open-peer",
          session: message.session,
          iceServers: message.ice_servers,
        });
        return;
      case "ice-servers":
        if (message.session !== this.#id) return;
        this.#effects.push({ kind: "ice-servers", iceServers: message.ice_servers });
        return;
      case "offer":
        if (message.session !== this.#id || message.generation <= this.#generation) return;
        this.#generation = message.generation;
        if (this.#phase.name === "asking") this.#phase = { name: "negotiating", since: now };
        this.#effects.push({ kind: "offer", generation: message.generation, sdp: message.sdp });
        return;
      case "candidate":
        if (message.session !== this.#id || message.generation < this.#generation) return;
        this.#effects.push({
          kind: "candidate",
          generation: message.generation,
          candidate: message.candidate,
        });
        return;
      case "bye":
        if (message.session === this.#id) this.#handleBye(message.reason, message.by, now);
        return;
      case "error":
        return this.#handleError(message, now);
      case "wanted":
      // `connect` uses it: this machine sees that when it is there.
      case "prepared":
      case "pong":
        return;
    }
  }

  /** The peer connection of this session was there before; `generation`: of its offer. */
  handlePrepared(generation: number, now: number): void {
    this.#prepared = true;
    this.#generation = generation;
    if (generation > 0) this.#phase = { name: "negotiating", since: now };
  }

  handlePeer(event: PeerEvent, now: number): void {
    const session = this.#id;
    if (session === null) return;
    switch (event.kind) {
      case "answer":
        if (event.generation !== this.#generation) return;
        this.#send({ type: "answer", session, generation: event.generation, sdp: event.sdp });
        // If a browser keeps the old path up throughout a restart, it reports no change.
        if (this.#phase.name === "restarting" && this.#up) this.#phase = { name: "connected" };
        return;
      case "candidate":
        if (event.generation !== this.#generation) return;
        return this.#send({
          type: "candidate",
          session,
          generation: event.generation,
          candidate: event.candidate,
        });
      case "path":
        this.#path = true;
        return;
      case "up":
        this.#up = true;
        this.#attempt = 0;
        this.#everConnected = true;
        this.#prepared = false;
        this.#phase = { name: "connected" };
        return;
      case "disconnected":
        this.#up = this.#path = false;
        if (this.#phase.name === "connected") this.#phase = { name: "interrupted", since: now };
        return;
      case "failed":
        this.#up = this.#path = false;
        return this.#handleFailed(now);
      case "closed":
        return this.#lose(now);
      case "unsecured":
        this.#path = true;
        return this.#lose(now);
      case "problem":
        this.#bye(event.reason);
        return this.#end({ kind: "bye", reason: event.reason });
    }
  }

  /** The driver wants to connect again, after the end or before the next attempt is due. */
  handleConnect(now: number): void {
    if (this.#phase.name === "ended" || this.#phase.name === "retrying") this.#ask(now);
  }

  /**
   * The device's network has changed. The path may be dead without a sign of it; if it is not, a
   * restart costs little.
   */
  handleNetwork(now: number): void {
    const { name } = this.#phase;
    if (name === "connected" || name === "interrupted") this.#restart(now);
  }

  handleRestart(now: number): void {
    const { name } = this.#phase;
    if (name === "connected" || name === "interrupted" || name === "restarting") this.#restart(now);
  }

  /** The owner takes the car back from whoever drives it. */
  handleTake(now: number): void {
    this.#take = true;
    this.handleConnect(now);
  }

  handleLeave(): void {
    this.#bye("driver-left");
    this.#end({ kind: "left" });
  }

  /** The driver does nothing, and somebody waits. */
  handleIdle(): void {
    this.#bye("idle");
    this.#end({ kind: "bye", reason: "idle" });
  }

  handleTimeout(now: number): void {
    const due = this.pollTimeout();
    if (due === null || now < due) return;
    switch (this.#phase.name) {
      case "asking":
        this.#bye("driver-left");
        if (this.#everConnected) return this.#retry(now);
        return this.#end({ kind: "error", code: "timeout", text: "" });
      case "negotiating":
        return this.#lose(now);
      case "interrupted":
        return this.#restart(now);
      case "restarting":
        if (!this.#up) return this.#lose(now);
        this.#phase = { name: "connected" };
        return;
      case "retrying":
      case "waiting-car":
        return this.#ask(now);
      case "waiting-host":
      case "connected":
      case "ended":
        return;
    }
  }

  /** The list comes in parts: a car that is not in this part is unchanged. */
  #handleCars(cars: readonly CarInfo[], gone: readonly string[], now: number): void {
    const car = cars.find(({ id }) => id === this.#options.car);
    if (car) this.#listed = car.presence !== "offline";
    else if (gone.includes(this.#options.car)) this.#listed = false;
    if (this.#phase.name === "waiting-car") this.handleTimeout(now);
  }

  #handleBye(reason: Open<ByeReason>, by: string | null, now: number): void {
    // It ended while the driver asked for it. That is no answer to the driver.
    if (this.#prepared) return this.#ask(now);
    if (!isKnown(BYE_REASONS, reason)) {
      // An unknown reason still ends the session.
      this.#end({ kind: "bye", reason });
    } else if ((reason === "car-gone" || reason === "driver-gone") && this.#up) {
      // Only the host lost an end. The drive goes on without the host.
      this.#orphan = true;
    } else if (reason === "car-gone" || reason === "car-left" || reason === "shutdown") {
      const soonest = reason === "shutdown" ? STOPPING_MS : 0;
      this.#abandon({
        name: "waiting-car",
        why: reason,
        askAt: now + Math.max(soonest, this.#nextWait()),
      });
    } else if (reason === "driver-gone" || (reason === "ice-failed" && this.#everConnected)) {
      this.#retry(now);
    } else if (by === null) {
      this.#end({ kind: "bye", reason });
    } else {
      this.#end({ kind: "bye", reason, by });
    }
  }

  #handleError(message: Extract<ToDriver, { type: "error" }>, now: number): void {
    const { code, text } = message;
    // An older host does not know one of our messages. Nothing else was refused.
    if (code === "unknown-type") return;
    if (message.session !== null) {
      if (message.session !== this.#id) return;
      if (code === "no-such-session") this.#handleForgotten(now);
      else if (this.#phase.name === "negotiating" && code !== "out-of-order")
        this.#end({ kind: "error", code, text });
      return;
    }
    const aboutUs = message.car === this.#options.car || message.car === null;
    if (this.#phase.name !== "asking" || !aboutUs) return;
    if (code === "car-offline") {
      // This is newer than the list, which is not sent at every change.
      this.#listed = false;
      this.#abandon({ name: "waiting-car", why: "offline", askAt: now });
    } else if (code === "rate-limited") this.#retry(now);
    else if (code === "car-busy" && this.#everConnected && this.#attempt < MAX_BUSY_RETRIES)
      this.#retry(now);
    else this.#end({ kind: "error", code, text });
  }

  #handleForgotten(now: number): void {
    this.#orphan = true;
    // The host has just refused to help with a restart, so a path that is down stays down.
    if (!this.#up) return this.#lose(now);
    this.#phase = { name: "connected" };
  }

  #handleFailed(now: number): void {
    const { name } = this.#phase;
    if (this.#prepared) {
      this.#bye("ice-failed");
      this.#ask(now);
    } else if (name === "negotiating" || this.#orphan) this.#lose(now);
    else if (name === "connected" || name === "interrupted") this.#restart(now);
  }

  #ask(now: number): void {
    if (!this.#hostReady) return this.#abandon({ name: "waiting-host" });
    this.#abandon({ name: "asking", since: now });
    const { car, trickle } = this.#options;
    this.#send({ type: "connect", car, trickle, take: this.#take ? true : null });
    // Once: whoever takes a car from the taker is not thrown out in turn by a page by itself.
    this.#take = false;
  }

  #restart(now: number): void {
    const session = this.#id;
    if (session === null) return;
    this.#phase = { name: "restarting", since: now };
    if (!this.#orphan) this.#send({ type: "restart", session });
  }

  /**
   * Names the session on the new socket, so that the host moves it there before it gives the driver
   * up. Any message would do; the end of candidates, sent again, changes nothing else.
   */
  #claim(): void {
    if (this.#id === null || this.#orphan || this.#generation === 0) return;
    const candidate = { candidate: "", sdp_mid: null, sdp_m_line_index: null };
    this.#send({ type: "candidate", session: this.#id, generation: this.#generation, candidate });
  }

  /**
   * The path is lost for good. If it ever worked, the page asks the car again; if not, it gives up.
   */
  #lose(now: number): void {
    this.#bye("ice-failed");
    if (!this.#hostReady) this.#abandon({ name: "waiting-host" });
    else if (this.#everConnected) this.#retry(now);
    else this.#end(this.#path ? { kind: "unsecured" } : { kind: "bye", reason: "ice-failed" });
  }

  #retry(now: number): void {
    this.#abandon({ name: "retrying", at: now + this.#nextWait() });
  }

  /** Counts a loss, and returns how long to wait after it. */
  #nextWait(): number {
    const wait = RETRY_MS[Math.min(this.#attempt, RETRY_MS.length - 1)] ?? 0;
    this.#attempt += 1;
    return wait;
  }

  #end(cause: EndCause): void {
    this.#everConnected = false;
    this.#attempt = 0;
    this.#abandon({ name: "ended", cause });
  }

  #bye(reason: ByeReason): void {
    if (this.#id !== null && !this.#orphan) this.#send({ type: "bye", session: this.#id, reason });
  }

  /** Leaves the session behind and goes on in `phase`. */
  #abandon(phase: Phase): void {
    if (this.#id !== null) this.#effects.push({ kind: "close-peer" });
    this.#id = null;
    this.#generation = 0;
    this.#orphan = false;
    this.#up = false;
    this.#path = false;
    this.#prepared = false;
    this.#phase = phase;
  }

  #send(message: FromDriver): void {
    if (this.#hostReady) this.#effects.push({ kind: "send", message });
  }
}
