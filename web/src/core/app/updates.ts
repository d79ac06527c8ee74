/** A car's update in plain words. */

import type { CarInfo } from "../../protocol/common";
import { UPDATE_STATES, type UpdateStatus } from "../../protocol/release";
import { isKnown } from "../../protocol/words";
import { plain, sentence } from "./messages";

export interface UpdateWords {
  readonly tone: "quiet" | "busy" | "bad";
  readonly text: string;
  /** Why, in the car's own words. */
  readonly why: string | null;
  /** Progress; `null` where it means nothing. */
  readonly percent: number | null;
}

export function updateWords({
  state,
  running,
  version,
  percent,
  bytes,
  reason,
}: UpdateStatus): UpdateWords {
  const target = version ?? "a new version";
  const words = (
    tone: UpdateWords["tone"],
    text: string,
    share: number | null = null,
  ): UpdateWords => {
    return { tone, text, why: reason === null ? null : sentence(reason), percent: share };
  };
  if (!isKnown(UPDATE_STATES, state))
    return words("busy", `The update to ${target}: ${plain(state)}`, percent);
  switch (state) {
    case "idle":
      return reason === null
        ? words("quiet", `Runs ${running}`)
        : words(
            "bad",
            `Runs ${running}. The last update${version === null ? "" : ` to ${version}`} failed`,
          );
    case "downloading": {
      const travelled = bytes === null || bytes === 0 ? "" : ` (${size(bytes)} so far)`;
      return words("busy", `Getting ${target}${travelled}`, percent ?? 0);
    }
    case "waiting":
      return words(
        "busy",
        `The update to ${target} waits`,
        percent !== null && percent < 100 ? percent : null,
      );
    case "rebooting":
      return words("busy", `Restarting into ${target}`);
    case "testing":
      return words("busy", `Trying out ${version ?? running}`);
    case "failed":
      return words("bad", `The update to ${target} failed. Runs ${running}`);
  }
}

/** The version that this person may tell the car to install, `null` if there is none. */
export function requestable(
  { owner, presence, update }: CarInfo,
  user: string | null,
): string | null {
  const mine = owner !== null && owner === user && presence !== "offline";
  return mine && update?.on_request ? update.version : null;
}

/** Bytes as people read them, in powers of ten. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"] as const;
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step] ?? "B"}`;
}
