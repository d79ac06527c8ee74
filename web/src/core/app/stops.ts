/**
 * Remembers why the car last stopped, until it is armed again. The reasons that car and page report
 * disappear as soon as input is back.
 *
 * The page's own reason comes first. The car then reports that it has no input, which only follows
 * from it.
 */

import type { PageStop } from "../input/mixer";
import { SILENT_MS } from "./banner";
import { mayMove, type DriveState, type StopReason } from "../../protocol/state";
import type { Open } from "../../protocol/words";

export type StopCause =
  | { readonly by: "page"; readonly why: PageStop | "car-silent" }
  | { readonly by: "car"; readonly why: Open<StopReason> };

export interface StopFacts {
  readonly now: number;
  /** When the car was last heard. */
  readonly heardAt: number | null;
  /** `null` before the first telemetry. */
  readonly state: Open<DriveState> | null;
  readonly reason: Open<StopReason>;
  readonly armWanted: boolean;
  /** Why the page disarmed since the driver last armed. */
  readonly pageStop: PageStop | null;
}

/** The driver's own wish needs no explanation. */
const NO_STOPS: ReadonlySet<Open<StopReason>> = new Set(["none", "driver-disarmed", "driver-left"]);
/**
 * Signs of a silent car that come some milliseconds before its silence is certain.
 */
const OF_SILENCE: ReadonlySet<PageStop> = new Set(["picture-stopped", "link-slow"]);

export class LastStop {
  #cause: StopCause | null = null;
  /** Since that stop the car has been seen at rest. */
  #stopped = false;
  #page: PageStop | null = null;
  #pageAt = 0;
  /** In the last telemetry the wheels could move. */
  #moved = false;
  /** Why the wheels then did not follow the driver any more. */
  #held: Open<StopReason> | null = null;

  get cause(): StopCause | null {
    return this.#cause;
  }

  handleFacts({ now, heardAt, state, reason, armWanted, pageStop }: StopFacts): void {
    // If the driver arms again very soon, telemetry may still show the old `armed`. Only a car that
    // has been at rest since the stop is armed again.
    if (state === null || !mayMove(state)) this.#stopped = true;
    else if (state === "armed" && armWanted && this.#stopped) this.#cause = null;
    if (pageStop !== this.#page) {
      this.#page = pageStop;
      this.#pageAt = now;
      if (pageStop !== null) {
        this.#cause = { by: "page", why: pageStop };
        this.#stopped = state === null || !mayMove(state);
      }
    }
    // Nothing was heard since the page disarmed: then the silence is the cause of what it saw.
    const silent = heardAt !== null && heardAt <= this.#pageAt && now - heardAt > SILENT_MS;
    if (silent && pageStop !== null && OF_SILENCE.has(pageStop))
      this.#cause = { by: "page", why: "car-silent" };
    if (state === null || state === "arming") return;
    if (mayMove(state)) {
      this.#moved = true;
      this.#held = NO_STOPS.has(reason) ? null : reason;
      return;
    }
    // A car at rest may report `none` already; then the reason from before counts.
    const why = NO_STOPS.has(reason) ? (reason === "none" ? this.#held : null) : reason;
    const stopped = this.#moved || state === "tripped";
    this.#moved = false;
    this.#held = null;
    if (stopped && why !== null) this.#cause ??= { by: "car", why };
  }
}
