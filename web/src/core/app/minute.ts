/** The last minute of the connection, for a plot. */

import { t } from "../../words/words";

/** How far back the plot goes. */
export const MINUTE_MS = 60_000;
/** Ten a second for a minute, and some more: a page whose timers are quick must not grow. */
const MOST = 700;

export interface Moment {
  readonly at: number;
  /** `null` while unknown. */
  readonly ageMs: number | null;
  readonly rttMs: number | null;
  readonly kbps: number | null;
  /** Packets of the picture that were lost since the moment before. */
  readonly lost: number;
}

export class Minute {
  #moments: Moment[] = [];
  #lost: number | null = null;

  get moments(): readonly Moment[] {
    return this.#moments;
  }

  /** `packetsLost` counts from the begin of the connection. */
  handleMoment(
    at: number,
    facts: { ageMs: number | null; rttMs: number | null; kbps: number | null },
    packetsLost: number | null,
  ): void {
    const before = this.#lost ?? packetsLost ?? 0;
    // A packet that arrives late takes its loss back; another connection counts anew.
    const lost = Math.max(0, (packetsLost ?? before) - before);
    this.#lost = packetsLost;
    const first = this.#moments.findIndex((moment) => moment.at > at - MINUTE_MS);
    const kept = first < 0 ? [] : this.#moments.slice(Math.max(first, 0));
    this.#moments = [...kept.slice(1 - MOST), { at, ...facts, lost }];
  }
}

/** A line of the plot: where it is in the lane, 0 at the bottom and 1 at the top. */
export interface Point {
  /** 0 a minute ago, 1 now. */
  readonly x: number;
  readonly y: number;
}

/** Unbroken parts of a line: it has gaps where nothing was known. */
export function linesOf(
  moments: readonly Moment[],
  value: (moment: Moment) => number | null,
  now: number,
  top: number,
): Point[][] {
  const lines: Point[][] = [];
  let line: Point[] = [];
  const end = () => {
    if (line.length > 0) lines.push(line);
    line = [];
  };
  for (const moment of moments) {
    const height = value(moment);
    if (height === null || !Number.isFinite(height)) end();
    else {
      const x = 1 - (now - moment.at) / MINUTE_MS;
      line.push({ x, y: Math.min(1, Math.max(0, height / top)) });
    }
  }
  end();
  return lines;
}

/** A round figure that the whole lane fits under. */
export function topOf(values: readonly (number | null)[], least: number): number {
  const most = Math.max(
    least,
    ...values.filter((v) => v !== null && Number.isFinite(v)).map(Number),
  );
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((times) => times * step).find((round) => round >= most) ?? most;
}

/** The plot in words, for people who cannot see it. */
export function minuteInWords(moments: readonly Moment[]): string {
  const words = t().figures.minute;
  const figures = (pick: (moment: Moment) => number | null) =>
    moments.map(pick).filter((value) => value !== null);
  const range = (name: string, values: readonly number[], unit: string) => {
    const last = values.at(-1);
    if (last === undefined) return words.unknown(name);
    const most = Math.round(Math.max(...values));
    return words.figure(name, Math.round(last), unit, most);
  };
  const lost = moments.reduce((sum, moment) => sum + moment.lost, 0);
  return [
    range(
      words.age,
      figures((moment) => moment.ageMs),
      "ms",
    ),
    range(
      words.roundTrip,
      figures((moment) => moment.rttMs),
      "ms",
    ),
    range(
      words.video,
      figures((moment) => moment.kbps),
      "kbit/s",
    ),
    words.lost(lost),
  ].join("; ");
}
