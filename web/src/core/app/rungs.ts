/**
 * The parts of the connection between driver and car: host, path, uplink, modem. Pure: the
 * situation in, words and colours out.
 */

import type { Phase } from "../link/session";
import type { SignalingState } from "../link/host";
import type { Blindness } from "../link/sight";
import {
  MODEM_RUNGS,
  UPLINK_KINDS,
  type CarLink,
  type ModemLink,
  type ModemRung,
} from "../../protocol/events";
import { isKnown, type Open } from "../../protocol/words";
import { t } from "../../words/words";
import { capital, plain } from "./messages";

export interface Rung {
  readonly id: "host" | "path" | "uplink" | "modem";
  /** Short enough for one line. */
  readonly text: string;
  /** Explanation, shown when a person points at it. */
  readonly hint: string;
  readonly tone: "good" | "warn" | "bad" | "idle";
}

/**
 * What is wrong with a path that is up: the car is silent, its answers come late, or the picture
 * does.
 */
export type PathTrouble = "silent" | "link-slow" | Blindness;

/** Below this a modem is at the edge of its cell: some −105 dBm of LTE's RSRP. */
const WEAK_SIGNAL = 25;

/** From the page to the car. `link`: what the car said last. */
export function rungsOf(
  host: SignalingState["phase"],
  phase: Phase["name"],
  link: CarLink | null,
  trouble: PathTrouble | null = null,
): Rung[] {
  const modem = link?.modem ? modemRung(link.modem) : null;
  const fromCar = [
    ...(link === null ? [] : [uplinkRung(link)]),
    ...(modem === null ? [] : [modem]),
  ];
  // The last words of a silent car may no longer be true.
  const heard =
    trouble === "silent" ? fromCar.map((rung): Rung => ({ ...rung, tone: "idle" })) : fromCar;
  return [hostRung(host, link), pathRung(phase, trouble), ...heard];
}

function hostRung(host: SignalingState["phase"], link: CarLink | null): Rung {
  const rung = (text: string, hint: string, tone: Rung["tone"]): Rung => ({
    id: "host",
    text,
    hint,
    tone,
  });
  const words = t().connection.rungs;
  if (host !== "ready") return rung(words.serverAway, words.pageLostServer, "warn");
  if (link?.host === "down") return rung(words.serverAway, words.carLostServer, "warn");
  return rung(words.server, words.serverHint, "good");
}

function pathRung(phase: Phase["name"], trouble: PathTrouble | null): Rung {
  const rung = (text: string, hint: string, tone: Rung["tone"]): Rung => ({
    id: "path",
    text,
    hint,
    tone,
  });
  const words = t().connection.rungs;
  switch (phase) {
    case "connected":
      return trouble === null
        ? rung(words.link, words.linkHint, "good")
        : rung(...troubleWords(trouble));
    case "interrupted":
      return rung(words.linkSilent, words.linkSilentHint, "bad");
    case "restarting":
      return rung(words.newLink, words.newLinkHint, "bad");
    case "asking":
    case "negotiating":
    case "retrying":
      return rung(words.finding, words.findingHint, "warn");
    case "waiting-host":
    case "waiting-car":
    case "ended":
      return rung(words.none, words.noneHint, "idle");
  }
}

function troubleWords(
  trouble: PathTrouble,
): readonly [text: string, hint: string, tone: Rung["tone"]] {
  const words = t().connection.rungs;
  switch (trouble) {
    case "silent":
      return [words.linkSilent, words.linkSilentHint, "bad"];
    case "link-slow":
      return [words.linkSlow, words.linkSlowHint, "bad"];
    case "no-picture":
      return [words.link, words.pictureComing, "warn"];
    case "picture-stopped":
      return [words.noPicture, words.noPictureHint, "bad"];
    case "picture-old":
      return [words.pictureLate, words.pictureLateHint, "bad"];
  }
}

function uplinkRung({ uplink, interface: name, standby, modem }: CarLink): Rung {
  const rung = (text: string, hint: string, tone: Rung["tone"]): Rung => ({
    id: "uplink",
    text,
    hint,
    tone,
  });
  const words = t().connection.rungs;
  if (uplink === null) return rung(words.noUplink, words.noUplinkHint, "warn");
  const more = standby === 0 ? "" : ` +${standby}`;
  const hint = words.uplinkHint(name, standby);
  if (!isKnown(UPLINK_KINDS, uplink)) return rung(`${capital(plain(uplink))}${more}`, hint, "good");
  switch (uplink) {
    case "ethernet":
      return rung(`${words.cable}${more}`, hint, "good");
    case "wifi":
      return rung(`${words.wifi}${more}`, hint, "good");
    case "mobile": {
      const signal = modem?.signal ?? null;
      const text = [
        modem?.operator ?? words.mobile,
        ...(signal === null ? [] : [`${signal} %`]),
      ].join(" ");
      return rung(
        `${text}${more}`,
        hint,
        signal !== null && signal < WEAK_SIGNAL ? "warn" : "good",
      );
    }
    case "other":
      return rung(`${name ?? words.uplink}${more}`, hint, "good");
  }
}

function rungWords(rung: Open<ModemRung>): string {
  const { modem, modemOther } = t().connection.rungs;
  return isKnown(MODEM_RUNGS, rung) ? modem[rung] : modemOther(plain(rung));
}

/** `null` while the modem is fine. */
function modemRung({ state, rung, fault }: ModemLink): Rung | null {
  const words = t().connection.rungs;
  if (fault !== null) return { id: "modem", text: fault, hint: words.modemFaultHint, tone: "bad" };
  if (state === "up") return null;
  const text = rung === null ? words.modemReconnects : rungWords(rung);
  const shown = state === "waiting" ? words.soon(text) : text;
  return { id: "modem", text: shown, hint: words.modemHint, tone: "warn" };
}
