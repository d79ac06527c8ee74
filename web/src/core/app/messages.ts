/** Messages for all that can go wrong: what happened, and what to do. */

import type { InputNotice, PageStop } from "../input/mixer";
import type { HostTrouble } from "../link/host";
import { BYE_REASONS, ERROR_CODES, type ByeReason, type ErrorCode } from "../../protocol/common";
import {
  DRIVE_STATES,
  STOP_REASONS,
  type BatteryLevel,
  type DriveState,
  type LimitCause,
  type StopReason,
} from "../../protocol/state";
import { isKnown, type Open, type OtherWord } from "../../protocol/words";
import type { StopCause } from "./stops";

export interface Words {
  readonly title: string;
  readonly text: string;
}

/** Why a session ended. */
export const BYE_WORDS: Readonly<Record<ByeReason, Words>> = {
  "driver-left": { title: "You left the car", text: "The car is free for somebody else." },
  "driver-gone": {
    title: "Your connection broke off",
    text: "The host did not hear from this page for too long and ended the drive.",
  },
  "car-left": { title: "The car ended the drive", text: "It may be starting again." },
  "car-gone": {
    title: "The car is gone",
    text: "It lost its connection to the host and did not come back. Has it left the network, or is its battery empty?",
  },
  replaced: {
    title: "Opened in another page",
    text: "You opened this car in another tab or on another device, which drives it now.",
  },
  "car-busy": {
    title: "Somebody else drives this car",
    text: "You can connect once they have left.",
  },
  "ice-failed": {
    title: "No path to the car",
    text: "Neither a direct path nor the relay works. Is UDP blocked on this network or on the car's? A mobile hotspot or another network often helps; otherwise the host's TURN relay may be down.",
  },
  "no-h264": {
    title: "This browser cannot show the picture",
    text: "The car sends H.264 video, which this browser cannot receive. Firefox fetches its H.264 plugin some minutes after its first start: open about:addons, Plugins, and let OpenH264 always activate. Chrome, Edge and Safari can; some builds of Chromium leave it out.",
  },
  "bad-description": {
    title: "The browser and the car do not understand each other",
    text: "One of them sent a description that the other cannot use. Is either of them very old?",
  },
  revoked: {
    title: "You may no longer drive this car",
    text: "Your right to drive it was taken back. Ask the person who runs the host.",
  },
  shutdown: {
    title: "The car has shut down",
    text: "Its program was stopped, perhaps for an update.",
  },
  internal: {
    title: "Something broke",
    text: "A program reported a fault of its own; its log has more.",
  },
};

/** A path was found, and the connection on it could not be secured. */
export const UNSECURED: Words = {
  title: "The connection could not be secured",
  text: "A path to the car was found, but the browser and the car did not agree on its encryption, or something on the way answered in the car's place. Try another network. If that does not help, restart the car and update the browser.",
};

/** Why the host refused. */
export const ERROR_WORDS: Readonly<Record<ErrorCode, Words>> = {
  malformed: {
    title: "The host did not understand this page",
    text: "Reload the page to get the host's own version.",
  },
  "unknown-type": {
    title: "The host did not understand this page",
    text: "Reload the page to get the host's own version.",
  },
  "too-large": {
    title: "The message was too large",
    text: "The host refused it. Reload the page and try again.",
  },
  "rate-limited": {
    title: "Too many attempts",
    text: "The host asks for a little patience. Try again in a minute.",
  },
  "unsupported-version": {
    title: "This page does not fit the host",
    text: "They speak different versions. Reload the page.",
  },
  "out-of-order": {
    title: "That came at the wrong time",
    text: "The conversation got out of step. Connect again.",
  },
  "not-signed-in": { title: "You are signed out", text: "Sign in again to go on." },
  forbidden: {
    title: "You may not drive this car",
    text: "Ask the person who runs the host for the right to drive it.",
  },
  "no-such-car": { title: "No such car", text: "The host does not know this car. Was it removed?" },
  "car-offline": {
    title: "The car is offline",
    text: "Is it switched on, and does it have a network?",
  },
  "car-busy": {
    title: "Somebody else drives this car",
    text: "You can connect once they have left.",
  },
  "no-such-session": {
    title: "The drive has ended",
    text: "The host does not know this drive any more. Connect again.",
  },
  "not-enrolled": {
    title: "The car is not enrolled",
    text: "Add it to this host with an enrolment token.",
  },
  "bad-signature": {
    title: "The car could not prove who it is",
    text: "Its key does not match. Enrol it again.",
  },
  timeout: {
    title: "The car does not answer",
    text: "It is connected to the host but sent no video offer in time. Its network may be very slow right now.",
  },
  "slow-reader": {
    title: "This page fell behind",
    text: "The host broke off because messages piled up. Connect again.",
  },
  internal: { title: "The host has a fault", text: "Something broke there; its log has more." },
};

/** Why the wheels do not follow. Empty where the state alone is clear. */
export const STOP_WORDS: Readonly<Record<StopReason, string>> = {
  none: "",
  silent: "The car hears nothing from this page",
  hidden: "The page was hidden",
  unfocused: "The page lost the focus",
  "stale-input": "Your input was too old",
  "no-device": "The page had nothing to drive by",
  "driver-disarmed": "You disarmed",
  "driver-left": "No driver",
  "drive-service-lost": "The drive service of the car does not answer",
  "actuator-fault": "The steering or motor reports a fault",
  shutdown: "The car is shutting down",
  "battery-empty": "The battery is empty",
  "old-picture": "Your picture was too old",
  calibrating: "Somebody calibrates the car at its own terminal",
};

/** Why the car is slow, behind the share of the throttle that is left. */
export const LIMIT_WORDS: Readonly<Record<LimitCause, string>> = {
  picture: "the picture is old",
  battery: "the battery is low",
};

/** What the car's computer suffers from. */
export const COMPUTER_WORDS: Readonly<Record<"sags" | "hot", Words>> = {
  sags: {
    title: "The 5 V supply sags",
    text: "The car's computer gets too little voltage and may restart while you drive. Look at its battery, converter and cable.",
  },
  hot: {
    title: "The car's computer is hot",
    text: "It slows down, and the picture may stutter. Let it rest, or give it air.",
  },
};

/** Beside the voltage. Empty where the voltage alone is enough. */
export const BATTERY_WORDS: Readonly<Record<BatteryLevel, string>> = {
  unknown: "not guarded",
  good: "",
  low: "low",
  limited: "slower",
  empty: "empty",
};

export const STATE_WORDS: Readonly<Record<DriveState, string>> = {
  disarmed: "Disarmed",
  arming: "Arming",
  armed: "Armed",
  holding: "Holding",
  braking: "Braking",
  tripped: "Stopped",
  jogging: "Trying",
};

const TAKEN_OVER =
  "It was moved while another device drove, so the car was disarmed. Arm again to drive with it.";

export const NOTICE_WORDS: Readonly<Record<InputNotice, Words>> = {
  "gamepad-gone": {
    title: "Gamepad gone",
    text: "The car is stopping. Touch the device you want to drive with, then arm again.",
  },
  "gamepad-still": {
    title: "Is the gamepad still there?",
    text: "Nothing on it has moved in the least for a while, as if it had lost its radio. A throttle held quite still for five seconds looks the same. Let go, then arm again.",
  },
  "touch-lost": {
    title: "The touch was interrupted",
    text: "The device took your finger for something else. Put it back on the stick, then arm again.",
  },
  "link-slow": {
    title: "The link is too slow: you cannot drive",
    text: "The car's answers take longer than half a second, or do not come. The car stops. Wait until this goes away, let go, then arm again.",
  },
  "setting-up": {
    title: "You are setting up the controls",
    text: "The car cannot be armed meanwhile. Close the panel to drive.",
  },
  "no-picture": {
    title: "Waiting for the picture",
    text: "The car can be armed once it is there.",
  },
  "picture-stopped": {
    title: "The picture has stopped: you cannot drive",
    text: "No new picture has come for half a second. The car stops. Wait until the picture moves, let go, then arm again.",
  },
  "picture-old": {
    title: "The picture is too old: you cannot drive",
    text: "It shows where the car was, not where it is. The car stops. Wait until this goes away, let go, then arm again.",
  },
  "keyboard-took-over": { title: "The keyboard steers now", text: TAKEN_OVER },
  "gamepad-took-over": { title: "The gamepad steers now", text: TAKEN_OVER },
  "other-gamepad-took-over": { title: "The other gamepad steers now", text: TAKEN_OVER },
  "touch-took-over": { title: "The touch sticks steer now", text: TAKEN_OVER },
};

/** Why this page disarmed, in one line. */
export const PAGE_STOP_WORDS: Readonly<Record<PageStop | "car-silent", string>> = {
  "car-silent": "The car did not answer",
  "gamepad-gone": "The gamepad was gone",
  "gamepad-still": "The gamepad stood still",
  "touch-lost": "The touch was interrupted",
  "link-slow": "The link was too slow",
  "setting-up": "The controls were set up",
  "no-picture": "There was no picture",
  "picture-stopped": "The picture stopped",
  "picture-old": "The picture was too old",
  "keyboard-took-over": "The keyboard took over",
  "gamepad-took-over": "The gamepad took over",
  "other-gamepad-took-over": "The other gamepad took over",
  "touch-took-over": "The touch sticks took over",
  hidden: STOP_WORDS.hidden,
  unfocused: STOP_WORDS.unfocused,
  "system-key": "A key of the system was pressed",
  "path-lost": "The path to the car was lost",
  "not-armed": "The car could not be armed",
};

export function stopWords(cause: StopCause): string {
  return cause.by === "page" ? PAGE_STOP_WORDS[cause.why] : reasonWords(cause.why);
}

/** A reason from a later version is shown as it is. */
export function reasonWords(reason: Open<StopReason>): string {
  return isKnown(STOP_REASONS, reason) ? STOP_WORDS[reason] : `The car's reason: ${plain(reason)}`;
}

export function stateWords(state: Open<DriveState>): string {
  return isKnown(DRIVE_STATES, state) ? STATE_WORDS[state] : capital(plain(state));
}

export function byeWords(reason: Open<ByeReason>): Words {
  if (isKnown(BYE_REASONS, reason)) return BYE_WORDS[reason];
  return {
    title: "The drive has ended",
    text: `The reason is one that this page does not know: ${plain(reason)}.`,
  };
}

/** `text` is the host's own explanation, for a code that this page does not know. */
export function errorWords(code: Open<ErrorCode>, text: string): Words {
  if (isKnown(ERROR_CODES, code)) return ERROR_WORDS[code];
  return {
    title: "The host refuses",
    text: text === "" ? `Its reason: ${plain(code)}.` : sentence(text),
  };
}

/** A word from a later version with blanks for hyphens. */
export function plain(word: OtherWord): string {
  return word.replaceAll("-", " ");
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const HOST_WORDS: Readonly<Record<HostTrouble, string>> = {
  unreachable: "The host cannot be reached",
  lost: "The connection to the host broke off",
  silent: "The host has fallen silent",
  "slow-reader": "This page was too slow for the host",
  "too-large": "The host refused a message of this page",
  "rate-limited": "The host asks this page to slow down",
};

/** Where a request was made. */
export type Place = "sign-in" | "code" | "link" | "setup" | "password" | "other";

const WRONG_TOKEN = "This link was used before, has expired, or is incomplete. Ask for a new one.";

/**
 * Message for a failed request; status 0 means no answer, `text` is the host's own explanation.
 */
export function apiWords(place: Place, status: number, code: string, text: string): string {
  if (status === 0) return "The host cannot be reached. Is this device online?";
  if (status === 429)
    return text === "" ? "Too many attempts. Wait a minute and try again." : sentence(text);
  if (code === "set-up-already")
    return "This host has been set up already. Sign in with your account.";
  if (place === "sign-in" && status === 401) return "Wrong name or password.";
  if (place === "code" && status === 401) return "Wrong code.";
  if (
    (place === "link" || place === "setup" || place === "password") &&
    (status === 401 || status === 404 || status === 410)
  )
    return WRONG_TOKEN;
  return text === "" ? `The host answered with status ${status}.` : sentence(text);
}

/** A text from a program, with a capital letter and a full stop. */
export function sentence(text: string): string {
  return capital(/[.!?]$/.test(text) ? text : `${text}.`);
}
