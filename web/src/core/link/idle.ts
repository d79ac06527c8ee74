/**
 * A driver who does nothing while somebody waits for the car.
 *
 * ```
 *   NOBODY WAITS ── wanted ──► WAITED FOR ── idle for so long ──► ASKED ── no answer in 60 s ──► leave
 *        ▲                       │   ▲                             │
 *        └── wanted by nobody ───┘   └──── the driver does something
 * ```
 *
 * To hold the car armed is to do something. The host does not see what the driver does: a page that
 * does not ask keeps the car until its owner takes it back.
 */

/** Time to answer: enough to come back from the next room. */
const ANSWER_MS = 60_000;

/** Who waits. */
export interface Wanted {
  readonly by: string | null;
  /** The car waits with an update. */
  readonly update: boolean;
  readonly idleMs: number;
}

export interface Question extends Pick<Wanted, "by" | "update"> {
  /** Without an answer the page leaves the car then. */
  readonly until: number;
}

export interface Effect {
  readonly kind: "leave";
}

export class Idle {
  #wanted: Wanted | null = null;
  #activeAt: number;
  #until: number | null = null;
  #effects: Effect[] = [];

  constructor(now: number) {
    this.#activeAt = now;
  }

  /** What the driver is asked; `null`: nothing. */
  get question(): Question | null {
    if (this.#wanted === null || this.#until === null) return null;
    const { by, update } = this.#wanted;
    return { by, update, until: this.#until };
  }

  handleWanted(wanted: Wanted): void {
    this.#wanted = wanted.by === null && !wanted.update ? null : wanted;
    if (this.#wanted === null) this.#until = null;
  }

  /** The driver does something. */
  handleActive(now: number): void {
    this.#activeAt = now;
    this.#until = null;
  }

  /** Another session, or none. */
  handleNewSession(now: number): void {
    this.#wanted = null;
    this.handleActive(now);
  }

  pollTimeout(): number | null {
    if (this.#wanted === null) return null;
    return this.#until ?? this.#activeAt + this.#wanted.idleMs;
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  handleTimeout(now: number): void {
    const due = this.pollTimeout();
    if (due === null || now < due) return;
    if (this.#until === null) {
      this.#until = now + ANSWER_MS;
    } else {
      this.handleNewSession(now);
      this.#effects.push({ kind: "leave" });
    }
  }
}
