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

const RUNG_WORDS: Readonly<Record<ModemRung, string>> = {
  reconnect: "Modem connects",
  "cycle-bearer": "Modem connects again",
  "cycle-radio": "Modem's radio restarts",
  reset: "Modem is reset",
  "restart-daemon": "Modem service restarts",
  "cycle-usb": "Modem's power is cycled",
  reboot: "Car restarts for its modem",
};

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
  if (host !== "ready")
    return rung("Host away", "This page has lost the host. Driving goes on without it.", "warn");
  if (link?.host === "down") {
    return rung("Host away", "The car has lost the host. Driving goes on without it.", "warn");
  }
  return rung("Host", "Page and car are connected to the host.", "good");
}

function pathRung(phase: Phase["name"], trouble: PathTrouble | null): Rung {
  const rung = (text: string, hint: string, tone: Rung["tone"]): Rung => ({
    id: "path",
    text,
    hint,
    tone,
  });
  switch (phase) {
    case "connected":
      return trouble === null
        ? rung("Path", "Picture and commands flow.", "good")
        : rung(...TROUBLE[trouble]);
    case "interrupted":
      return rung("Path silent", "Nothing comes from the car.", "bad");
    case "restarting":
      return rung("New path", "Page and car look for another path.", "bad");
    case "asking":
    case "negotiating":
    case "retrying":
      return rung("Finding a path", "Page and car look for a path.", "warn");
    case "waiting-host":
    case "waiting-car":
    case "ended":
      return rung("No path", "There is no connection to the car.", "idle");
  }
}

const TROUBLE: Readonly<
  Record<PathTrouble, readonly [text: string, hint: string, tone: Rung["tone"]]>
> = {
  silent: ["Path silent", "Nothing comes from the car.", "bad"],
  "link-slow": ["Path slow", "The car's answers are late.", "bad"],
  "no-picture": ["Path", "The picture is on its way.", "warn"],
  "picture-stopped": ["No picture", "Commands flow, the picture does not.", "bad"],
  "picture-old": ["Picture late", "Commands flow, the picture comes too late.", "bad"],
};

function uplinkRung({ uplink, interface: name, standby, modem }: CarLink): Rung {
  const rung = (text: string, hint: string, tone: Rung["tone"]): Rung => ({
    id: "uplink",
    text,
    hint,
    tone,
  });
  if (uplink === null) return rung("No uplink", "The car has no way into the Internet.", "warn");
  const more = standby === 0 ? "" : ` +${standby}`;
  const others = standby === 0 ? "No other one stands by." : `${standby} more stand by.`;
  const hint = `The car's uplink${name === null ? "" : ` (${name})`}. ${others}`;
  if (!isKnown(UPLINK_KINDS, uplink)) return rung(`${capital(plain(uplink))}${more}`, hint, "good");
  switch (uplink) {
    case "ethernet":
      return rung(`Cable${more}`, hint, "good");
    case "wifi":
      return rung(`Wi-Fi${more}`, hint, "good");
    case "mobile": {
      const signal = modem?.signal ?? null;
      const text = [modem?.operator ?? "Mobile", ...(signal === null ? [] : [`${signal} %`])].join(
        " ",
      );
      return rung(
        `${text}${more}`,
        hint,
        signal !== null && signal < WEAK_SIGNAL ? "warn" : "good",
      );
    }
    case "other":
      return rung(`${name ?? "Uplink"}${more}`, hint, "good");
  }
}

function rungWords(rung: Open<ModemRung>): string {
  return isKnown(MODEM_RUNGS, rung) ? RUNG_WORDS[rung] : `Modem: ${plain(rung)}`;
}

/** `null` while the modem is fine. */
function modemRung({ state, rung, fault }: ModemLink): Rung | null {
  const hint = "What the car does to bring its mobile link back.";
  if (fault !== null)
    return { id: "modem", text: fault, hint: "The modem needs a person.", tone: "bad" };
  if (state === "up") return null;
  const text = rung === null ? "Modem reconnects" : rungWords(rung);
  return { id: "modem", text: state === "waiting" ? `${text} soon` : text, hint, tone: "warn" };
}
