/** `globalThis.rccar`, for support and tests. Reads only, except for the ICE restart. */

import type { App } from "./app";

export interface Diagnostics {
  readonly version: string;
  snapshot(): object;
  /** Asks the car for another path. */
  restartIce(): void;
}

declare global {
  var rccar: Diagnostics | undefined;
}

const NOTHING = {
  session: null,
  peer: null,
  telemetry: null,
  telemetry_age_ms: null,
  rtt_ms: null,
  picture_age_ms: null,
  video: { frames: 0, width: 0, height: 0 },
  stats: null,
  control: null,
  blind: null,
  input: null,
  last_stop: null,
};

export function expose(app: App): void {
  globalThis.rccar = Object.freeze({
    version: __VERSION__,
    snapshot: () => ({
      route: app.route.peek(),
      signaling: app.signaling.peek().phase,
      ...(app.cockpit.peek()?.diagnose() ?? NOTHING),
    }),
    restartIce: () => app.cockpit.peek()?.restartIce(),
  });
}
