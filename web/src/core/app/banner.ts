/** The one message for the driver now. Pure: the situation in, words and buttons out. */

import type { Device, InputNotice } from "../input/mixer";
import type { EndCause, Phase } from "../link/session";
import type { Question } from "../link/idle";
import { MAX_PICTURE_AGE_MS } from "../link/sight";
import type { SignalingState } from "../link/host";
import { BYE_REASONS, ERROR_CODES, type ByeReason, type ErrorCode } from "../../protocol/common";
import { NOTICE_LEVELS, type NoticeLevel } from "../../protocol/events";
import type { Computer } from "../../protocol/sensors";
import type { DriveState, StopReason } from "../../protocol/state";
import { isKnown, type Open } from "../../protocol/words";
import { figure, t } from "../../words/words";
import { byeWords, errorWords, reasonWords, type Words } from "./messages";

export type Action =
  "connect" | "take" | "relay" | "back" | "reload" | "sign-in" | "controls" | "stay";

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
  /** The user may take the car from whoever drives it. */
  readonly mayTake: boolean;
  /** What a driver is asked who does nothing. */
  readonly question: Question | null;
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
  readonly armWanted: boolean;
  /** The driver's last wish to arm came to nothing. */
  readonly armFailed: boolean;
  readonly computer: Computer | null;
  readonly carNotice: { readonly level: Open<NoticeLevel>; readonly text: string } | null;
}

/** Telemetry comes at least every 100 ms, and five lost in a row are no accident. */
export const SILENT_MS = 500;

/** One state that a driver can be in: when it is that state, and what the page then says. */
interface Row {
  readonly name: string;
  readonly when: (situation: Situation) => boolean;
  readonly banner: (situation: Situation) => Banner | null;
}

const inPhase =
  (...names: Phase["name"][]) =>
  ({ phase }: Situation) =>
    names.includes(phase.name);
const noticed =
  (...notices: InputNotice[]) =>
  ({ notice }: Situation) =>
    notice !== null && notices.includes(notice);
const stoppedFor =
  (...reasons: StopReason[]) =>
  ({ reason }: Situation) =>
    reasons.some((known) => known === reason);
const isReady = ({ state, armWanted }: Situation) => state === "disarmed" && !armWanted;

/**
 * All states, the most urgent first: **the first that holds is shown**. First the ways to the host
 * and to the car, then what forbids driving, then what the driver should do, then what is good to
 * know.
 */
export const ROWS: readonly Row[] = [
  {
    name: "outdated page",
    when: ({ signaling }) => signaling.phase === "outdated",
    banner: () => block("bad", t().connection.error["unsupported-version"], ["reload"]),
  },
  {
    name: "signed out",
    when: ({ signaling, phase }) => signaling.phase === "signed-out" && phase.name !== "connected",
    banner: () => block("bad", t().connection.error["not-signed-in"], ["sign-in"]),
  },
  {
    name: "drive ended",
    when: inPhase("ended"),
    banner: (situation) =>
      situation.phase.name === "ended" ? ended(situation.phase.cause, situation) : null,
  },
  {
    name: "host away before the drive",
    when: inPhase("waiting-host"),
    banner: (situation) => block("warn", hostWords(situation), ["back"]),
  },
  { name: "car away", when: inPhase("waiting-car"), banner: carAway },
  {
    name: "calling",
    when: inPhase("asking"),
    banner: ({ carName }) =>
      block("info", { title: t().drive.calling(carName), text: t().drive.waitingForOffer }, [
        "back",
      ]),
  },
  {
    name: "finding a path",
    when: inPhase("negotiating"),
    banner: ({ carName }) =>
      block("info", { title: t().drive.calling(carName), text: t().drive.shortestLink }, ["back"]),
  },
  {
    name: "asked whether the driver is there",
    when: ({ question, phase }) => question !== null && phase.name === "connected",
    banner: ({ question, carName, now }) =>
      question &&
      ({
        ...show(
          "warn",
          t().drive.stillThere,
          t().drive.somebodyWaits(question.by, carName, secondsTo(question.until, now)),
        ),
        actions: ["stay"],
      } as const),
  },
  {
    name: "path broken",
    when: inPhase("interrupted"),
    banner: () => showing("bad", t().drive.linkBroken),
  },
  {
    name: "another path",
    when: inPhase("restarting"),
    banner: (situation) => show("bad", t().drive.anotherLink, restartText(situation)),
  },
  {
    name: "path lost",
    when: inPhase("retrying"),
    banner: ({ phase, now }) =>
      block(
        "bad",
        {
          title: t().drive.linkLost,
          text: t().drive.connectingAgain(phase.name === "retrying" ? secondsTo(phase.at, now) : 0),
        },
        ["connect", "back"],
      ),
  },
  {
    name: "car silent",
    when: ({ now, silentSince }) => silentSince !== null && now - silentSince > SILENT_MS,
    banner: () => showing("bad", t().drive.carSilent),
  },
  {
    name: "link slow, or picture stopped",
    when: noticed("link-slow", "picture-stopped"),
    banner: ({ notice }) => notice && showing("bad", t().drive.notice[notice]),
  },
  { name: "picture old", when: noticed("picture-old"), banner: oldPicture },
  {
    name: "page without focus",
    when: ({ visible, focused }) => !visible || !focused,
    banner: () => showing("warn", t().drive.unfocused),
  },
  {
    name: "device",
    when: ({ notice }) => notice !== null,
    banner: ({ notice, device }) =>
      notice && showing(CALM.has(notice) ? "info" : "warn", noticeWords(notice, device)),
  },
  {
    name: "car broken",
    when: stoppedFor("drive-service-lost", "actuator-fault"),
    banner: ({ reason }) => show("bad", reasonWords(reason), t().drive.broken),
  },
  {
    name: "car shuts down",
    when: stoppedFor("shutdown"),
    banner: ({ reason }) => show("bad", reasonWords(reason), t().drive.cannotDrive),
  },
  {
    name: "battery empty",
    when: stoppedFor("battery-empty"),
    banner: ({ reason }) => show("bad", reasonWords(reason), t().drive.charge),
  },
  {
    name: "arming waits for the throttle",
    when: ({ state, throttleHeld }) => state === "arming" && throttleHeld,
    banner: () => showing("info", t().drive.letGo),
  },
  {
    name: "stopped",
    when: ({ state }) => state === "tripped",
    banner: ({ reason, lastStop }) => {
      const { stopped, inputLost, armToGoOn } = t().drive;
      const why = reasonWords(reason) === "" ? inputLost : reasonWords(reason);
      return show("warn", stopped, armToGoOn(lastStop ?? why));
    },
  },
  {
    name: "could not be armed",
    when: (situation) => isReady(situation) && situation.armFailed,
    banner: ({ reason }) =>
      show(
        "warn",
        t().drive.notArmed,
        reason === "old-picture" ? t().drive.notArmedPicture : t().drive.notArmedLink,
      ),
  },
  {
    name: "throttle while disarmed",
    when: (situation) => isReady(situation) && situation.throttleHeld,
    banner: ({ lastStop }) => show("info", t().drive.isDisarmed, t().drive.letGoThenArm(lastStop)),
  },
  {
    name: "unknown device",
    when: (situation) => isReady(situation) && situation.stranger !== null,
    banner: ({ stranger }) => ({
      ...showing("info", t().drive.notSetUp(stranger ?? t().drive.theDevice)),
      actions: ["controls"],
    }),
  },
  {
    name: "the car says something",
    when: ({ carNotice }) => carNotice !== null,
    banner: ({ carNotice, carName }) => {
      if (carNotice === null) return null;
      const level = isKnown(NOTICE_LEVELS, carNotice.level) ? carNotice.level : "warning";
      const tone = { info: "info", warning: "warn", error: "bad" } as const;
      return show(tone[level], carName, carNotice.text);
    },
  },
  {
    name: "supply sags",
    when: ({ computer }) => computer?.supply === "sags",
    banner: () => showing("bad", t().drive.computer.sags),
  },
  {
    name: "computer hot",
    when: ({ computer }) => computer?.heat === "hot",
    banner: () => showing("warn", t().drive.computer.hot),
  },
  {
    name: "host away while driving",
    when: ({ signaling }) => signaling.phase !== "ready",
    banner: (situation) => {
      const { title, text } = hostWords(situation);
      return show("info", title, t().drive.goOnMeanwhile(text));
    },
  },
];

export function bannerFor(situation: Situation): Banner | null {
  return ROWS.find(({ when }) => when(situation))?.banner(situation) ?? null;
}

/**
 * What is read aloud: the state, what the banner says and what to do. Seconds that are counted down
 * would be read each second, so they are left out.
 */
export function spokenWords(state: string, banner: Banner | null): string {
  if (banner === null) return `${state}.`;
  const text = banner.text.replace(/ in \d+ s(?=\.)/u, "");
  return `${state}. ${banner.title}. ${text}`.trimEnd();
}

function carAway({ phase, carName }: Situation): Banner | null {
  if (phase.name !== "waiting-car") return null;
  const { title, text } =
    phase.why === "offline"
      ? {
          text: t().connection.error["car-offline"].text,
          title: t().connection.isOffline(carName),
        }
      : t().connection.bye[phase.why];
  return block("warn", { title, text: text + t().drive.connectsByItself }, ["back"]);
}

const CALM: ReadonlySet<InputNotice> = new Set(["no-picture", "setting-up"]);

/** Of two gamepads only the name tells which one is meant. */
function noticeWords(notice: InputNotice, { name }: Device): Words {
  const words = t().drive.notice[notice];
  if (name === null || !notice.endsWith("-took-over")) return words;
  return { title: words.title, text: t().drive.tookOver(name) };
}

function oldPicture({ pictureAgeMs }: Situation): Banner {
  const { title, text } = t().drive.notice["picture-old"];
  // The figure comes from several frames, the notice from the newest: they must not contradict each
  // other.
  if (pictureAgeMs === null || pictureAgeMs <= MAX_PICTURE_AGE_MS) return show("bad", title, text);
  return show("bad", t().drive.pictureIsOld(figure(pictureAgeMs / 1000, 1)), text);
}

function ended(cause: EndCause, situation: Situation): Banner | null {
  const { driver, relayOnly, mayTake } = situation;
  switch (cause.kind) {
    case "left":
      return block("info", t().connection.bye["driver-left"], ["connect", "back"]);
    case "bye": {
      const known = isKnown(BYE_REASONS, cause.reason) ? BYE_ACTIONS[cause.reason] : AGAIN;
      const actions = known.filter((action) => action !== "relay" || !relayOnly);
      return block(
        "bad",
        cause.reason === "car-busy" ? busy(driver) : byeWords(cause.reason, cause.by),
        cause.reason === "car-busy" && mayTake ? TAKE : actions,
      );
    }
    case "unsecured":
      return block("bad", t().connection.unsecured, AGAIN);
    case "error":
      return block(
        "bad",
        cause.code === "car-busy" ? busy(driver) : errorWords(cause.code, cause.text),
        cause.code === "car-busy" && mayTake
          ? TAKE
          : isKnown(ERROR_CODES, cause.code)
            ? ERROR_ACTIONS[cause.code]
            : AGAIN,
      );
  }
}

const AGAIN: readonly Action[] = ["connect", "back"];
const TAKE: readonly Action[] = ["connect", "take", "back"];

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
  "taken-back": ["back"],
  idle: AGAIN,
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
  const { title, text } = t().connection.bye["car-busy"];
  return { title: driver === null ? title : t().connection.drivesThisCar(driver), text };
}

function hostWords({ signaling, now }: Situation): Words {
  if (signaling.phase !== "waiting") return t().connection.connectingToServer;
  return {
    title: t().connection.server[signaling.why],
    text: t().drive.tryingAgain(secondsTo(signaling.retryAt, now)),
  };
}

function restartText({ signaling, attempt }: Situation): string {
  if (signaling.phase !== "ready") return t().drive.serverAwayToo;
  return attempt > 0 ? t().drive.attempt(attempt + 1) : t().drive.stopsMeanwhile;
}

/** Whole seconds, 0 once they are over. */
function secondsTo(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

function show(level: Banner["level"], title: string, text: string): Banner {
  return { level, title, text, actions: [], blocking: false };
}

function showing(level: Banner["level"], { title, text }: Words): Banner {
  return show(level, title, text);
}

function block(level: Banner["level"], words: Words, actions: readonly Action[]): Banner {
  return { level, ...words, actions, blocking: true };
}
