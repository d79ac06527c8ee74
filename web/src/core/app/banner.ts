/** The one message for the driver now. Pure: the situation in, words and buttons out. */

import type { Device, InputNotice } from "../input/mixer";
import type { EndCause, Phase } from "../link/session";
import { MAX_PICTURE_AGE_MS } from "../link/sight";
import type { SignalingState } from "../link/host";
import { BYE_REASONS, ERROR_CODES, type ByeReason, type ErrorCode } from "../../protocol/common";
import { NOTICE_LEVELS, type NoticeLevel } from "../../protocol/events";
import type { Computer } from "../../protocol/sensors";
import type { DriveState, StopReason } from "../../protocol/state";
import { isKnown, type Open } from "../../protocol/words";
import {
  BYE_WORDS,
  byeWords,
  COMPUTER_WORDS,
  ERROR_WORDS,
  errorWords,
  HOST_WORDS,
  NOTICE_WORDS,
  reasonWords,
  type Words,
} from "./messages";

export type Action = "connect" | "relay" | "back" | "reload" | "sign-in" | "controls";

export interface Banner extends Words {
  readonly level: "info" | "warn" | "bad";
  readonly actions: readonly Action[];
  /** Covers the picture, because there is none. */
  readonly blocking: boolean;
}

export interface Situation {
  readonly now: number;
  readonly phase: Phase;
  readonly attempt: number;
  readonly signaling: SignalingState;
  readonly carName: string;
  /** Name of the driver that the host's list shows. */
  readonly driver: string | null;
  readonly relayOnly: boolean;
  /** Time of the last telemetry; before the first, when it was due; `null` without a path. */
  readonly silentSince: number | null;
  readonly state: Open<DriveState> | null;
  readonly reason: Open<StopReason>;
  readonly visible: boolean;
  readonly focused: boolean;
  readonly notice: InputNotice | null;
  readonly device: Device;
  /** Name of a device that was touched and has not been set up. */
  readonly stranger: string | null;
  readonly pictureAgeMs: number | null;
  /** Why the car last stopped, in words. */
  readonly lastStop: string | null;
  readonly throttleHeld: boolean;
  readonly computer: Computer | null;
  readonly carNotice: { readonly level: Open<NoticeLevel>; readonly text: string } | null;
}

/** Telemetry comes at least every 100 ms, and five lost in a row are no accident. */
export const SILENT_MS = 500;

export function bannerFor(situation: Situation): Banner | null {
  const { phase, signaling } = situation;
  if (signaling.phase === "outdated")
    return block("bad", ERROR_WORDS["unsupported-version"], ["reload"]);
  if (signaling.phase === "signed-out" && phase.name !== "connected") {
    return block("bad", ERROR_WORDS["not-signed-in"], ["sign-in"]);
  }
  switch (phase.name) {
    case "ended":
      return ended(phase.cause, situation);
    case "waiting-host":
      return block("warn", hostWords(situation), ["back"]);
    case "waiting-car": {
      const { title, text } =
        phase.why === "offline"
          ? { ...ERROR_WORDS["car-offline"], title: `${situation.carName} is offline` }
          : BYE_WORDS[phase.why];
      return block(
        "warn",
        { title, text: `${text} This page connects by itself as soon as it is back.` },
        ["back"],
      );
    }
    case "asking":
      return block(
        "info",
        { title: `Calling ${situation.carName}`, text: "Waiting for the car's offer." },
        ["back"],
      );
    case "negotiating":
      return block(
        "info",
        { title: `Calling ${situation.carName}`, text: "Looking for the shortest path." },
        ["back"],
      );
    case "interrupted":
      return show(
        "bad",
        "The path to the car is broken",
        "Waiting a moment for it to heal. The car stops by itself.",
      );
    case "restarting":
      return show("bad", "Looking for another path", restartText(situation));
    case "retrying":
      return block(
        "bad",
        {
          title: "The path to the car is lost",
          text: `Connecting again${countdown(phase.at, situation.now)}. The car has stopped by itself.`,
        },
        ["connect", "back"],
      );
    case "connected":
      return connected(situation);
  }
}

function connected(situation: Situation): Banner | null {
  const { now, silentSince, visible, focused, notice, state, reason } = situation;
  const { carNotice, computer, signaling, device, stranger } = situation;
  if (silentSince !== null && now - silentSince > SILENT_MS) {
    return show(
      "bad",
      "The car does not answer",
      "No word from it for a moment. It stops by itself.",
    );
  }
  if (notice === "link-slow" || notice === "picture-stopped")
    return { ...show("bad", "", ""), ...NOTICE_WORDS[notice] };
  if (notice === "picture-old") return oldPicture(situation);
  if (!visible || !focused)
    return show("warn", "Click here to drive", "This page does not have the focus.");
  if (notice !== null)
    return { ...show(CALM.has(notice) ? "info" : "warn", "", ""), ...noticeWords(notice, device) };
  if (reason === "drive-service-lost" || reason === "actuator-fault") {
    return show(
      "bad",
      reasonWords(reason),
      "The car cannot be driven until this is repaired. Its log has more.",
    );
  }
  if (reason === "shutdown")
    return show("bad", reasonWords(reason), "It cannot be driven any more.");
  if (reason === "battery-empty")
    return show(
      "bad",
      reasonWords(reason),
      "The car cannot be armed. Charge the battery or put in another one.",
    );
  if (state === "arming" && situation.throttleHeld) {
    return show("info", "Let go of the throttle", "The car arms once it has rested at neutral.");
  }
  if (state === "tripped") {
    const now = reasonWords(reason) === "" ? "Input was lost" : reasonWords(reason);
    return show("warn", "Stopped", `${situation.lastStop ?? now}. Arm to go on.`);
  }
  if (stranger !== null && state === "disarmed") {
    return {
      ...show(
        "info",
        `${stranger} is not set up`,
        "This page does not know what its controls mean, so it drives nothing yet.",
      ),
      actions: ["controls"],
    };
  }
  if (carNotice !== null) {
    const level = isKnown(NOTICE_LEVELS, carNotice.level) ? carNotice.level : "warning";
    const tone = { info: "info", warning: "warn", error: "bad" } as const;
    return show(tone[level], situation.carName, carNotice.text);
  }
  if (computer?.supply === "sags") return { ...show("bad", "", ""), ...COMPUTER_WORDS.sags };
  if (computer?.heat === "hot") return { ...show("warn", "", ""), ...COMPUTER_WORDS.hot };
  if (signaling.phase !== "ready") {
    const { title, text } = hostWords(situation);
    return show("info", title, `${text} You can go on driving meanwhile.`);
  }
  return null;
}

const CALM: ReadonlySet<InputNotice> = new Set(["no-picture", "setting-up"]);

/** Of two gamepads only the name tells which one is meant. */
function noticeWords(notice: InputNotice, { name }: Device): Words {
  const words = NOTICE_WORDS[notice];
  if (name === null || !notice.endsWith("-took-over")) return words;
  return { title: words.title, text: words.text.replace(/^It /u, `${name} `) };
}

function oldPicture({ pictureAgeMs }: Situation): Banner {
  const { title, text } = NOTICE_WORDS["picture-old"];
  // The figure comes from several frames, the notice from the newest: they must not contradict each
  // other.
  if (pictureAgeMs === null || pictureAgeMs <= MAX_PICTURE_AGE_MS) return show("bad", title, text);
  return show(
    "bad",
    `The picture is ${(pictureAgeMs / 1000).toFixed(1)} s old: you cannot drive`,
    text,
  );
}

function ended(cause: EndCause, { driver, relayOnly }: Situation): Banner | null {
  switch (cause.kind) {
    case "left":
      return block("info", BYE_WORDS["driver-left"], ["connect", "back"]);
    case "bye": {
      const known = isKnown(BYE_REASONS, cause.reason) ? BYE_ACTIONS[cause.reason] : AGAIN;
      const actions = known.filter((action) => action !== "relay" || !relayOnly);
      return block(
        "bad",
        cause.reason === "car-busy" ? busy(driver) : byeWords(cause.reason),
        actions,
      );
    }
    case "error":
      return block(
        "bad",
        cause.code === "car-busy" ? busy(driver) : errorWords(cause.code, cause.text),
        isKnown(ERROR_CODES, cause.code) ? ERROR_ACTIONS[cause.code] : AGAIN,
      );
  }
}

const AGAIN: readonly Action[] = ["connect", "back"];

const BYE_ACTIONS: Readonly<Record<ByeReason, readonly Action[]>> = {
  "driver-left": AGAIN,
  "driver-gone": AGAIN,
  "car-left": AGAIN,
  "car-gone": AGAIN,
  replaced: AGAIN,
  "car-busy": AGAIN,
  "ice-failed": ["connect", "relay", "back"],
  "no-h264": ["back"],
  "bad-description": AGAIN,
  revoked: ["back"],
  shutdown: AGAIN,
  internal: AGAIN,
};

const ERROR_ACTIONS: Readonly<Record<ErrorCode, readonly Action[]>> = {
  malformed: ["reload", "back"],
  "unknown-type": ["reload", "back"],
  "too-large": AGAIN,
  "rate-limited": AGAIN,
  "unsupported-version": ["reload"],
  "out-of-order": AGAIN,
  "not-signed-in": ["sign-in"],
  forbidden: ["back"],
  "no-such-car": ["back"],
  "car-offline": AGAIN,
  "car-busy": AGAIN,
  "no-such-session": AGAIN,
  "not-enrolled": ["back"],
  "bad-signature": ["back"],
  timeout: AGAIN,
  "slow-reader": AGAIN,
  internal: AGAIN,
};

function busy(driver: string | null): Words {
  const { text } = BYE_WORDS["car-busy"];
  return {
    title: driver === null ? BYE_WORDS["car-busy"].title : `${driver} drives this car`,
    text,
  };
}

function hostWords({ signaling, now }: Situation): Words {
  if (signaling.phase !== "waiting")
    return { title: "Connecting to the host", text: "One moment." };
  return {
    title: HOST_WORDS[signaling.why],
    text: `Trying again${countdown(signaling.retryAt, now)}.`,
  };
}

function restartText({ signaling, attempt }: Situation): string {
  if (signaling.phase !== "ready")
    return "The host is away as well; it is needed to find one. The car has stopped by itself.";
  return attempt > 0
    ? `Attempt ${attempt + 1}. The car stops by itself.`
    : "The car stops by itself meanwhile.";
}

function countdown(at: number, now: number): string {
  const seconds = Math.ceil((at - now) / 1000);
  return seconds > 0 ? ` in ${seconds} s` : "";
}

function show(level: Banner["level"], title: string, text: string): Banner {
  return { level, title, text, actions: [], blocking: false };
}

function block(level: Banner["level"], words: Words, actions: readonly Action[]): Banner {
  return { level, ...words, actions, blocking: true };
}
