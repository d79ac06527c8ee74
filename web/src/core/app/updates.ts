/** A car's update in plain words. */

import type { CarInfo } from "../../protocol/common";
import { UPDATE_STATES, type UpdateStatus } from "../../protocol/release";
import { isKnown } from "../../protocol/words";
import { figure, t } from "../../words/words";
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
  const says = t().figures.update;
  const target = version ?? says.newVersion;
  const words = (
    tone: UpdateWords["tone"],
    text: string,
    share: number | null = null,
  ): UpdateWords => {
    return { tone, text, why: reason === null ? null : sentence(reason), percent: share };
  };
  if (!isKnown(UPDATE_STATES, state))
    return words("busy", says.other(target, plain(state)), percent);
  switch (state) {
    case "idle":
      return reason === null
        ? words("quiet", says.runs(running))
        : words("bad", says.lastFailed(running, version));
    case "downloading": {
      const soFar = bytes === null || bytes === 0 ? null : size(bytes);
      return words("busy", says.getting(target, soFar), percent ?? 0);
    }
    case "waiting":
      return words("busy", says.waits(target), percent !== null && percent < 100 ? percent : null);
    case "rebooting":
      return words("busy", says.restarting(target));
    case "testing":
      return words("busy", says.trying(version ?? running));
    case "failed":
      return words("bad", says.failed(target, running));
  }
}

/** The version that this person may tell the car to install, `null` if there is none. */
export function requestable(
  { owner, role, presence, update }: CarInfo,
  user: string | null,
): string | null {
  // A host of before has no roles; there the owner counts.
  const mine = role === null ? owner !== null && owner === user : role === "owner";
  return mine && presence !== "offline" && update?.on_request === true ? update.version : null;
}

/** Bytes as people read them, in powers of ten. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"] as const;
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${figure(value, step === 0 || value >= 100 ? 0 : 1)} ${units[step] ?? "B"}`;
}
