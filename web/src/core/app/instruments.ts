/**
 * What the cockpit displays, and when: keeps the latest from the car, the video and the statistics,
 * and makes a display of it.
 *
 * **Ten times a second, and at once when the car's state or the phase of the session changes.** A
 * display that looks like the last one gives no effect.
 */

import type { Phase } from "../link/session";
import type { SignalingState } from "../link/host";
import type { Question } from "../link/idle";
import type { FrameClock } from "../link/sight";
import { StatsMeter, type LinkStats, type StatsEntry } from "../link/stats";
import type { CarInfo } from "../../protocol/common";
import type { CarEvent, CarLink, NoticeLevel } from "../../protocol/events";
import type { TelemetryFrame } from "../../protocol/telemetry";
import type { Open } from "../../protocol/words";
import { hudOf } from "./display";
import { t } from "../../words/words";
import { emptyHud, sameHud, type Hud } from "./hud";
import { Minute, type Moment } from "./minute";
import { Picture, type PresentedFrame } from "./picture";
import type { DriverFacts } from "./send-path";
import { LastStop } from "./stops";

/** How often the display changes: as fast as an eye can read. */
const SHOW_MS = 100;
/** Displays between two looks at the statistics: `getStats` costs milliseconds on a phone. */
const STATS_SHOWS = 5;
/** How long a notice from the car stays on the screen. */
const NOTICE_MS = 6_000;

/** What other parts know at the moment of showing. */
export interface Surroundings {
  readonly phase: Phase;
  readonly attempt: number;
  readonly signaling: SignalingState;
  /** The car in the host's list, if it is there. */
  readonly car: CarInfo | null;
  readonly driver: DriverFacts;
  readonly question: Question | null;
}

export type Effect =
  | { readonly kind: "show"; readonly hud: Hud }
  /** Read the statistics of the connection and give them to `handleStats`. */
  | { readonly kind: "read-stats" };

export class Instruments {
  readonly #relayOnly: boolean;
  readonly #lastStop = new LastStop();
  readonly #minute = new Minute();
  #hud = emptyHud;
  #effects: Effect[] = [];
  #showAt: number;
  #shows = 0;
  #carName: string | null = null;
  #carNotice: { level: Open<NoticeLevel>; text: string; until: number } | null = null;

  // Of one connection.
  #picture = new Picture();
  #meter = new StatsMeter();
  #telemetry: { frame: TelemetryFrame; at: number } | null = null;
  #stats: LinkStats | null = null;
  #carLink: CarLink | null = null;
  #upSince: number | null = null;

  constructor(relayOnly: boolean, now: number) {
    this.#relayOnly = relayOnly;
    this.#showAt = now + SHOW_MS;
  }

  pollEffect(): Effect | null {
    return this.#effects.shift() ?? null;
  }

  pollTimeout(): number {
    return this.#showAt;
  }

  handleTimeout(now: number, around: Surroundings): void {
    if (now < this.#showAt) return;
    this.#showAt = now + SHOW_MS;
    this.#shows += 1;
    if (this.#shows % STATS_SHOWS === 0) this.#effects.push({ kind: "read-stats" });
    this.#show(now, around);
    const { ageMs, rttMs, bitrateKbps: kbps } = this.#hud;
    this.#minute.handleMoment(now, { ageMs, rttMs, kbps }, this.#stats?.packetsLost ?? null);
  }

  /** What was shown in the last minute. */
  get moments(): readonly Moment[] {
    return this.#minute.moments;
  }

  /** To be called when the session may have changed its phase. */
  handlePhase(now: number, around: Surroundings): void {
    if (around.phase.name !== this.#hud.phase) this.#show(now, around);
  }

  /** The peer connection is up. */
  handleUp(now: number): void {
    this.#upSince ??= now;
  }

  handleTelemetry(frame: TelemetryFrame, now: number, around: Surroundings): void {
    this.#telemetry = { frame, at: now };
    this.#noteStop(now, around);
    // A stop is shown at once, the rest ten times a second.
    if (frame.state !== this.#hud.state) this.#show(now, around);
  }

  handleCarEvent(event: CarEvent, now: number): void {
    if (event.type === "hello") this.#carName = event.name;
    else if (event.type === "link") this.#carLink = event;
    else if (event.type === "notice") this.#carNotice = { ...event, until: now + NOTICE_MS };
  }

  handleFrame(frame: PresentedFrame, clock: FrameClock): void {
    this.#picture.handleFrame(frame, clock);
  }

  handleStats(entries: readonly StatsEntry[], now: number): void {
    this.#stats = this.#meter.handleReport(entries, now);
  }

  /**
   * Another connection, or none. The last stop stays on the screen, and so does the car's name.
   */
  handleNewSession(): void {
    this.#picture = new Picture();
    this.#meter = new StatsMeter();
    this.#telemetry = null;
    this.#stats = null;
    this.#carLink = null;
    this.#upSince = null;
  }

  /** For people who look for a fault, and for tests. */
  diagnose(now: number): object {
    const telemetry = this.#telemetry;
    const { count = 0, width = 0, height = 0 } = this.#picture.last ?? {};
    return {
      telemetry: telemetry && { ...telemetry.frame, car_time: Number(telemetry.frame.car_time) },
      telemetry_age_ms: telemetry && now - telemetry.at,
      picture_age_ms: this.#picture.ageMs(now),
      video: { frames: count, width, height },
      stats: this.#stats,
      link: this.#carLink,
      last_stop: this.#lastStop.cause?.why ?? null,
    };
  }

  #noteStop(now: number, { driver: { armWanted, pageStop } }: Surroundings): void {
    const heardAt = this.#telemetry?.at ?? null;
    const { state, reason } = this.#telemetry?.frame ?? { state: null, reason: "none" };
    this.#lastStop.handleFacts({ now, heardAt, state, reason, armWanted, pageStop });
  }

  #show(now: number, around: Surroundings): void {
    const { driver } = around;
    this.#noteStop(now, around);
    const hud = hudOf({
      now,
      carName: this.#carName ?? around.car?.name ?? t().figures.theCar,
      driver: around.car?.driver ?? null,
      // On a car's own page nobody has a role, and everybody may everything.
      mayTake: around.car !== null && (around.car.role ?? "owner") === "owner",
      question: around.question,
      relayOnly: this.#relayOnly,
      phase: around.phase,
      attempt: around.attempt,
      signaling: around.signaling,
      upSince: this.#upSince,
      telemetry: this.#telemetry,
      sample: driver.sample,
      armWanted: driver.armWanted,
      armFailed: driver.armFailed,
      device: driver.device,
      stranger: driver.stranger,
      notice: driver.notice,
      blind: driver.blind,
      linkSlow: driver.linkSlow,
      lastStop: this.#lastStop.cause,
      ageMs: this.#picture.ageMs(now),
      rttMs: driver.rttMs,
      stats: this.#stats,
      link: this.#carLink,
      carNotice: this.#carNotice && now < this.#carNotice.until ? this.#carNotice : null,
    });
    if (sameHud(hud, this.#hud)) return;
    this.#hud = hud;
    this.#effects.push({ kind: "show", hud });
  }
}
