/** Makes the display of the cockpit from all that is known. Pure. */

import type { Device, InputNotice, Sample } from "../input/mixer";
import { NEUTRAL } from "../input/pad";
import type { Phase } from "../link/session";
import type { SignalingState } from "../link/host";
import type { Question } from "../link/idle";
import type { Blindness } from "../link/sight";
import type { LinkStats } from "../link/stats";
import type { CarLink, NoticeLevel } from "../../protocol/events";
import type { TelemetryFrame } from "../../protocol/telemetry";
import { FULL_SCALE } from "../../protocol/units";
import type { Open } from "../../protocol/words";
import { bannerFor, SILENT_MS, type Situation } from "./banner";
import type { BatteryFigure, Hud, LimitFigure } from "./hud";
import { stopWords } from "./messages";
import { rungsOf, type PathTrouble } from "./rungs";
import type { StopCause } from "./stops";
import { vitalsOf } from "./vitals";

/**
 * Data channels open two round trips after the path. Before this time, missing telemetry is not
 * silence.
 */
const FIRST_WORD_MS = 2_000;

export interface Facts {
  readonly now: number;
  readonly carName: string;
  readonly driver: string | null;
  /** The user may take the car from whoever drives it. */
  readonly mayTake: boolean;
  readonly question: Question | null;
  readonly relayOnly: boolean;
  readonly phase: Phase;
  readonly attempt: number;
  readonly signaling: SignalingState;
  /** When the peer connection first came up. */
  readonly upSince: number | null;
  readonly telemetry: { readonly frame: TelemetryFrame; readonly at: number } | null;
  readonly sample: Sample;
  readonly armWanted: boolean;
  readonly device: Device;
  readonly stranger: string | null;
  readonly notice: InputNotice | null;
  readonly blind: Blindness | null;
  readonly linkSlow: boolean;
  readonly armFailed: boolean;
  readonly lastStop: StopCause | null;
  readonly ageMs: number | null;
  readonly rttMs: number | null;
  readonly stats: LinkStats | null;
  readonly link: CarLink | null;
  readonly carNotice: { readonly level: Open<NoticeLevel>; readonly text: string } | null;
}

export function hudOf(facts: Facts): Hud {
  const { now, phase, signaling, telemetry, sample, stats, blind } = facts;
  const frame = telemetry?.frame ?? null;
  const situation = situationOf(facts);
  const { state, reason, lastStop, silentSince } = situation;
  // A broken path carries nothing, even if the last telemetry came just now.
  const silent =
    phase.name === "interrupted" || (silentSince !== null && now - silentSince > SILENT_MS);
  return {
    state,
    reason,
    lastStop,
    carName: facts.carName,
    phase: phase.name,
    host: signaling.phase,
    banner: bannerFor(situation),
    silent,
    armWanted: facts.armWanted,
    source: sample.source,
    device: facts.device,
    ageMs: facts.ageMs,
    rttMs: facts.rttMs,
    bitrateKbps: stats?.bitrateKbps ?? null,
    fps: stats?.fps ?? null,
    path: stats?.path ?? null,
    rungs: rungsOf(signaling.phase, phase.name, facts.link, pathTrouble(facts, silent)),
    steering: (frame?.steering ?? 0) / FULL_SCALE,
    throttle: (frame?.throttle ?? 0) / FULL_SCALE,
    wantedSteering: sample.steering,
    wantedThrottle: sample.throttle,
    braking: (!silent && frame?.braking === true) || sample.brake,
    speedKmh: speedOf(frame),
    battery: batteryOf(frame),
    switches: frame?.switches ?? { lights: null, horn: null },
    limit: limitOf(frame),
    vitals: vitalsOf(frame?.computer ?? null, frame?.position ?? null),
    frozen: silent || blind !== null,
  };
}

/** What the table of states looks at. */
export function situationOf(facts: Facts): Situation {
  const { telemetry, sample } = facts;
  const frame = telemetry?.frame ?? null;
  return {
    now: facts.now,
    phase: facts.phase,
    attempt: facts.attempt,
    signaling: facts.signaling,
    carName: facts.carName,
    driver: facts.driver,
    mayTake: facts.mayTake,
    question: facts.question,
    relayOnly: facts.relayOnly,
    silentSince: telemetry?.at ?? (facts.upSince === null ? null : facts.upSince + FIRST_WORD_MS),
    state: frame?.state ?? null,
    reason: frame?.reason ?? "none",
    lastStop: facts.lastStop && stopWords(facts.lastStop),
    visible: sample.visible,
    focused: sample.focused,
    notice: facts.notice,
    device: facts.device,
    stranger: facts.stranger,
    pictureAgeMs: facts.ageMs,
    armWanted: facts.armWanted,
    armFailed: facts.armFailed,
    throttleHeld: Math.abs(sample.throttle) > NEUTRAL,
    carNotice: facts.carNotice,
    computer: frame?.computer ?? null,
  };
}

function limitOf(frame: TelemetryFrame | null): LimitFigure | null {
  if (!frame?.speed_limit) return null;
  const { share, cause } = frame.speed_limit;
  return { percent: Math.floor((share * 10) / FULL_SCALE) * 10, cause };
}

/** A wheel knows better than the simulator, which knows only what it would do. */
function speedOf(frame: TelemetryFrame | null): number | null {
  const speed = frame?.speed_mm_s ?? frame?.odometry?.speed_mm_s ?? null;
  return speed === null ? null : (Math.abs(speed) * 3.6) / 1000;
}

function batteryOf(frame: TelemetryFrame | null): BatteryFigure | null {
  if (frame === null || (frame.battery_mv === null && frame.battery_level === null)) return null;
  const volts = frame.battery_mv === null ? null : frame.battery_mv / 1000;
  return { volts, level: frame.battery_level };
}

function pathTrouble({ linkSlow, blind }: Facts, silent: boolean): PathTrouble | null {
  if (silent) return "silent";
  return linkSlow ? "link-slow" : blind;
}
