/**
 * The WebSocket to the signaling host: opens it, greets, watches that it lives, and comes back after a loss.
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
 * **Losing the host never ends a drive**: this class tells of the loss, and the peer connection lives on without it.
 */

import { MessageError } from "../protocol/json";
import { parseToDriver, writeJson, type FromDriver, type ToDriver } from "../protocol/signaling";
import { PROTOCOL_VERSION, SUBPROTOCOL } from "../protocol/units";
import { backoff } from "../core/link/backoff";

/** Time between pings, and the silence after which the socket counts as dead. */
const PING_MS = 5_000;
const PONG_TIMEOUT_MS = 10_000;
/** Time to open the socket and to be welcomed. */
const WELCOME_TIMEOUT_MS = 8_000;

/** Shortest wait of a page that the host has called too fast (`PROTOCOL.md`, close codes). */
const RATE_LIMITED_MS = 5_000;

/** Close codes of the host (RFC 6455 section 7.4.2: 4000–4999 are the application's). */
const CLOSE_CODES: Readonly<Record<number, HostTrouble>> = {
  4408: "slow-reader",
  4413: "too-large",
  4429: "rate-limited",
};
const CLOSE_NOT_SIGNED_IN = 4401;

/** Why the host is away. */
export type HostTrouble = "unreachable" | "lost" | "silent" | "slow-reader" | "too-large" | "rate-limited";

export type SignalingState =
  | { readonly phase: "connecting" }
  | { readonly phase: "ready"; readonly user: string; readonly software: string }
  /** `retryAt` is on the clock of `performance.now()`. */
  | { readonly phase: "waiting"; readonly why: HostTrouble; readonly retryAt: number }
  | { readonly phase: "signed-out" }
  | { readonly phase: "outdated" }
  | { readonly phase: "stopped" };

export type SignalingEvent =
  { readonly kind: "state"; readonly state: SignalingState } | { readonly kind: "message"; readonly message: ToDriver };

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
  #state: SignalingState = { phase: "stopped" };
  #socket: WebSocket | null = null;
  #attempt = 0;
  #pingId = 0;
  #lastHeard = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pings: ReturnType<typeof setInterval> | undefined;

  constructor(options: SignalingOptions, emit: (event: SignalingEvent) => void) {
    this.#options = options;
    this.#emit = emit;
  }

  get state(): SignalingState {
    return this.#state;
  }

  start(): void {
    if (this.#socket || this.#state.phase === "waiting") return;
    this.#attempt = 0;
    this.#connect();
  }

  stop(): void {
    this.#drop();
    this.#become({ phase: "stopped" });
  }

  /** Opens a new socket at once, because the network has changed: the old one is dead, however long that may take to show. */
  renew(): void {
    if (this.#state.phase === "waiting" || this.#state.phase === "ready") this.#connect();
  }

  /** Sends a message; `false` if the host is away, in which case the message is gone. */
  send(message: FromDriver): boolean {
    if (this.#state.phase !== "ready" || !this.#socket) return false;
    this.#socket.send(writeJson(message));
    return true;
  }

  #connect(): void {
    this.#drop();
    this.#become({ phase: "connecting" });
    const open = this.#options.open ?? ((url, protocol) => new WebSocket(url, protocol));
    const socket = open(this.#options.url, SUBPROTOCOL);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lose("unreachable"), WELCOME_TIMEOUT_MS);
    socket.onopen = () => {
      socket.send(writeJson({ type: "hello", v: PROTOCOL_VERSION, software: this.#options.software }));
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.#handleText(data);
    socket.onclose = ({ code }) => this.#handleClose(code);
  }

  #handleText(data: unknown): void {
    this.#lastHeard = performance.now();
    let message: ToDriver;
    try {
      if (typeof data !== "string") throw new MessageError("malformed", "message is not text");
      message = parseToDriver(data);
    } catch (error) {
      // A newer host may send what this page does not know; it goes on with what it knows.
      console.warn("rccar: the host sent a message that cannot be read:", String(error));
      return;
    }
    if (message.type === "pong") return;
    if (message.type === "welcome") {
      if (message.v !== PROTOCOL_VERSION) {
        this.#drop();
        this.#become({ phase: "outdated" });
        return;
      }
      clearTimeout(this.#timer);
      this.#pings = setInterval(() => this.#ping(), PING_MS);
      this.#become({ phase: "ready", user: message.user, software: message.software });
    }
    this.#emit({ kind: "message", message });
  }

  #handleClose(code: number): void {
    if (code === CLOSE_NOT_SIGNED_IN) {
      this.#drop();
      this.#become({ phase: "signed-out" });
    } else {
      this.#lose(CLOSE_CODES[code] ?? (this.#state.phase === "ready" ? "lost" : "unreachable"));
    }
  }

  #ping(): void {
    if (performance.now() - this.#lastHeard > PONG_TIMEOUT_MS) {
      this.#lose("silent");
      return;
    }
    // A host that welcomes and then breaks off at once does not start the waits afresh.
    this.#attempt = 0;
    this.#pingId = (this.#pingId + 1) >>> 0;
    this.send({ type: "ping", id: this.#pingId });
  }

  #lose(why: HostTrouble): void {
    this.#drop();
    const random = (this.#options.random ?? Math.random)();
    const wait = why === "rate-limited" ? RATE_LIMITED_MS * (1 + random) : backoff(this.#attempt, random);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#become({ phase: "waiting", why, retryAt: performance.now() + wait });
  }

  /** Lets go of the socket, so that nothing of it is heard any more. */
  #drop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#pings);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #become(state: SignalingState): void {
    this.#state = state;
    this.#emit({ kind: "state", state });
  }
}
