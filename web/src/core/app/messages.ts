/** Messages for all that can go wrong: what happened, and what to do. */

import { BYE_REASONS, ERROR_CODES, type ByeReason, type ErrorCode } from "../../protocol/common";
import { DRIVE_STATES, STOP_REASONS, type DriveState, type StopReason } from "../../protocol/state";
import { isKnown, type Open, type OtherWord } from "../../protocol/words";
import { t } from "../../words/words";
import type { StopCause } from "./stops";

export interface Words {
  readonly title: string;
  readonly text: string;
}

export function stopWords(cause: StopCause): string {
  return cause.by === "page" ? t().drive.pageStop[cause.why] : reasonWords(cause.why);
}

/** A reason from a later version is shown as it is. */
export function reasonWords(reason: Open<StopReason>): string {
  const { stop, otherStop } = t().drive;
  return isKnown(STOP_REASONS, reason) ? stop[reason] : otherStop(plain(reason));
}

export function stateWords(state: Open<DriveState>): string {
  return isKnown(DRIVE_STATES, state) ? t().drive.state[state] : capital(plain(state));
}

export function byeWords(reason: Open<ByeReason>, by: string | null = null): Words {
  const { bye, otherBye, tookBack } = t().connection;
  if (reason === "taken-back" && by !== null) return { ...bye["taken-back"], title: tookBack(by) };
  return isKnown(BYE_REASONS, reason) ? bye[reason] : otherBye(plain(reason));
}

/** `text` is the host's own explanation, for a code that this page does not know. */
export function errorWords(code: Open<ErrorCode>, text: string): Words {
  const { error, refuses, itsReason } = t().connection;
  if (isKnown(ERROR_CODES, code)) return error[code];
  return { title: refuses, text: text === "" ? itsReason(plain(code)) : sent(text) };
}

/** A word from a later version with blanks for hyphens. */
export function plain(word: OtherWord): string {
  return word.replaceAll("-", " ");
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Where a request was made. */
export type Place = "sign-in" | "code" | "link" | "setup" | "password" | "other";

/**
 * Message for a failed request; status 0 means no answer, `text` is the host's own explanation.
 */
export function apiWords(place: Place, status: number, code: string, text: string): string {
  const words = t().connection.request;
  if (status === 0) return words.noAnswer;
  if (status === 429) return text === "" ? words.tooMany : sent(text);
  if (place === "sign-in" && status === 401) return words.wrongPassword;
  if (place === "code" && status === 401) return words.wrongCode;
  const byLink = place === "link" || place === "setup" || place === "password";
  if (byLink && (status === 401 || status === 404 || status === 410)) return words.wrongLink;
  const known = Object.entries(words.codes).find(([one]) => one === code)?.[1] ?? "";
  if (known !== "") return known;
  return text === "" ? words.status(status) : sent(text);
}

/** A program's own words, which are English. */
function sent(text: string): string {
  return t().connection.request.sent(sentence(text));
}

/** A text from a program, with a capital letter and a full stop. */
export function sentence(text: string): string {
  return capital(/[.!?]$/.test(text) ? text : `${text}.`);
}
