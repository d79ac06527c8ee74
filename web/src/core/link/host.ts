/**
 * The connection to the signaling host: sends `hello`, checks that the host is alive, and comes
 * back after a loss. Decides only; `link/signaling.ts` owns the WebSocket.
 *
 * ```text
 *            open, hello                welcome
 * connecting ───────────► connecting ───────────► ready
 *     ▲                                             │ closed, or no pong for 10 s
 *     └───────────── waiting ◄──────────────────────┘
 *        after a jittered time, or at once when the network comes back or changes
 *
 * any ── close code 4401 ──► signed-out      any ── another protocol version ──► outdated
 * ```
 *
 * **Losing the host never ends a drive**: this machine reports the loss, and the peer connection
 * goes on without the host.
 */

import { CLOSE_CODES, RATE_LIMITED_WAIT_MS } from "../../protocol/close";
import { MessageError } from "../../protocol/json";
import { LISTS, parseToDriver, type FromDriver, type ToDriver } from "../../protocol/signaling";
import { PROTOCOL_VERSION } from "../../protocol/units";
import { backoff } from "./backoff";

/** Time between pings, and the silence after which the socket counts as dead. */
const PING_MS = 5_000;
const PONG_TIMEOUT_MS = 10_000;
/** Longest time from opening the socket to `welcome`. */
const WELCOME_TIMEOUT_MS = 8_000;

/** Why the host is away. */
export type HostTrouble =
  "unreachable" | "lost" | "silent" | "slow-reader" | "too-large" | "rate-limited";

const CLOSE_TROUBLES: Readonly<Record<number, HostTrouble>> = {
  [CLOSE_CODES.slowReader]: "slow-reader",
  [CLOSE_CODES.tooLarge]: "too-large",
  [CLOSE_CODES.rateLimited]: "rate-limited",
};

export type SignalingState =
  | { readonly phase: "connecting" }
  | { readonly phase: "ready"; readonly user: string; readonly software: string }
  /** `retryAt` is on the page's clock, in ms. */
  | { readonly phase: "waiting"; readonly why: HostTrouble; readonly retryAt: number }
  | { readonly phase: "signed-out" }
  | { readonly phase: "outdated" }
  | { readonly phase: "stopped" };

/** What the rest of the page gets from the host. */
export type SignalingEvent =
  | { readonly kind: "state"; readonly state: SignalingState }
  | { readonly kind: "message"; readonly message: ToDriver };

export type Effect =
  | SignalingEvent
  | { readonly kind: "open" }
  | { readonly kind: "send"; readonly message: FromDriver }
  /** Close the socket and ignore all that still comes from it. */
  | { readonly kind: "close" }
  /** For the log only. */
  | { readonly kind: "unreadable"; readonly why: string };

export class HostLink {
  readonly #software: string;
  #state: SignalingState = { phase: "stopped" };
  #effects: Effect[] = [];
  /** There is a socket, open or about to be. */
  #socket = false;
  #attempt = 0;
  #pingId = 0;
  #lastHeard = 0;
  #welcomeBy = 0;
  #pingAt = 0;

  /** `software`: program and version, for the host's log. */
  constructor(software: string) {
    this.#software = software;
  }

  get state(): SignalingState {
    return this.#state;
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  /** When `handleTimeout` is due, in ms of the page's clock. */
  pollTimeout(): number | null {
    switch (this.#state.phase) {
      case "connecting":
        return this.#welcomeBy;
      case "ready":
        return this.#pingAt;
      case "waiting":
        return this.#state.retryAt;
      case "signed-out":
      case "outdated":
      case "stopped":
        return null;
    }
  }

  /** `random`: 0…1, spreads the wait after a loss. */
  handleTimeout(now: number, random: number): void {
    const due = this.pollTimeout();
    if (due === null || now < due) return;
    if (this.#state.phase === "connecting") this.#lose("unreachable", now, random);
    else if (this.#state.phase === "ready") this.#ping(now, random);
    else this.#connect(now);
  }

  handleStart(now: number): void {
    if (this.#socket || this.#state.phase === "waiting") return;
    this.#attempt = 0;
    this.#connect(now);
  }

  handleStop(): void {
    this.#drop();
    this.#become({ phase: "stopped" });
  }

  /** The network has changed: the socket is dead, even if it still looks open for a while. */
  handleNetwork(now: number): void {
    if (this.#state.phase === "waiting" || this.#state.phase === "ready") this.#connect(now);
  }

  /**
   * Returns whether the message is sent. While the host is away it is dropped.
   */
  handleSend(message: FromDriver): boolean {
    if (this.#state.phase !== "ready") return false;
    this.#effects.push({ kind: "send", message });
    return true;
  }

  handleOpen(): void {
    this.#effects.push({
      kind: "send",
      message: { type: "hello", v: PROTOCOL_VERSION, software: this.#software, lists: [LISTS] },
    });
  }

  handleData(data: unknown, now: number): void {
    this.#lastHeard = now;
    let message: ToDriver;
    try {
      if (typeof data !== "string") throw new MessageError("malformed", "message is not text");
      message = parseToDriver(data);
    } catch (error) {
      // A newer host may send messages that this page does not know. They are skipped.
      this.#effects.push({ kind: "unreadable", why: String(error) });
      return;
    }
    if (message.type === "pong") return;
    if (message.type === "welcome") {
      if (message.v !== PROTOCOL_VERSION) {
        this.#drop();
        this.#become({ phase: "outdated" });
        return;
      }
      this.#pingAt = now + PING_MS;
      this.#become({ phase: "ready", user: message.user, software: message.software });
    }
    this.#effects.push({ kind: "message", message });
  }

  /** The socket was closed with this code; `random`: 0…1. */
  handleClose(code: number, now: number, random: number): void {
    if (code === CLOSE_CODES.notSignedIn) {
      this.#drop();
      this.#become({ phase: "signed-out" });
    } else {
      this.#lose(
        CLOSE_TROUBLES[code] ?? (this.#state.phase === "ready" ? "lost" : "unreachable"),
        now,
        random,
      );
    }
  }

  #connect(now: number): void {
    this.#drop();
    this.#socket = true;
    this.#welcomeBy = now + WELCOME_TIMEOUT_MS;
    this.#become({ phase: "connecting" });
    this.#effects.push({ kind: "open" });
  }

  #ping(now: number, random: number): void {
    if (now - this.#lastHeard > PONG_TIMEOUT_MS) {
      this.#lose("silent", now, random);
      return;
    }
    // Only here, not at `welcome`: a host that welcomes and breaks off at once must not reset the
    // waits.
    this.#attempt = 0;
    this.#pingAt = now + PING_MS;
    this.#pingId = (this.#pingId + 1) >>> 0;
    this.#effects.push({ kind: "send", message: { type: "ping", id: this.#pingId } });
  }

  #lose(why: HostTrouble, now: number, random: number): void {
    this.#drop();
    const wait =
      why === "rate-limited" ? RATE_LIMITED_WAIT_MS * (1 + random) : backoff(this.#attempt, random);
    this.#attempt += 1;
    this.#become({ phase: "waiting", why, retryAt: now + wait });
  }

  #drop(): void {
    if (this.#socket) this.#effects.push({ kind: "close" });
    this.#socket = false;
  }

  #become(state: SignalingState): void {
    this.#state = state;
    this.#effects.push({ kind: "state", state });
  }
}
