/**
 * Why the car last stopped, until it is armed again: what the car and the page say of it themselves
 * is gone as soon as input is back.
 *
 * The page's own reason comes first. What the car reports then, that there is no input, only
 * follows from it.
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
  /** `null` while the car has not told. */
  readonly state: Open<DriveState> | null;
  readonly reason: Open<StopReason>;
  readonly armWanted: boolean;
  /** Why the page disarmed since the driver last armed. */
  readonly pageStop: PageStop | null;
}

/** The driver's own will is no stop to explain. */
const NO_STOPS: ReadonlySet<Open<StopReason>> = new Set(["none", "driver-disarmed", "driver-left"]);
/**
 * What else is seen of a car that has fallen silent, some milliseconds before its silence is
 * certain.
 */
const OF_SILENCE: ReadonlySet<PageStop> = new Set(["picture-stopped", "link-slow"]);

export class LastStop {
  #cause: StopCause | null = null;
  /** The car has been seen not to be armed since then. */
  #stopped = false;
  #page: PageStop | null = null;
  #pageAt = 0;
  /** The wheels followed when the car last told. */
  #moved = false;
  /** Why they began not to. */
  #held: Open<StopReason> | null = null;

  get cause(): StopCause | null {
    return this.#cause;
  }

  handleFacts({ now, heardAt, state, reason, armWanted, pageStop }: StopFacts): void {
    // A car that has not heard yet that it is disarmed is not armed again, also if the driver has
    // already pressed arm.
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
    const silent = heardAt !== null && heardAt <= this.#pageAt && now - heardAt > SILENT_MS;
    if (silent && pageStop !== null && OF_SILENCE.has(pageStop))
      this.#cause = { by: "page", why: "car-silent" };
    if (state === null || state === "arming") return;
    if (mayMove(state)) {
      this.#moved = true;
      this.#held = NO_STOPS.has(reason) ? null : reason;
      return;
    }
    const why = NO_STOPS.has(reason) ? (reason === "none" ? this.#held : null) : reason;
    const stopped = this.#moved || state === "tripped";
    this.#moved = false;
    this.#held = null;
    if (stopped && why !== null) this.#cause ??= { by: "car", why };
  }
}
