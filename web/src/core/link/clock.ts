/**
 * The car's clock as seen from this page, the round trip, and the age of a picture.
 *
 * Each telemetry frame that echoes a control frame gives one sample, as in NTP (RFC 5905 section
 * 8). The shorter a round trip is, the less its two directions can differ. So the sample with the
 * shortest round trip of the last seconds sets the offset.
 */

import type { TelemetryFrame } from "../../protocol/telemetry";
import { micros32, VIDEO_CLOCK_HZ } from "../../protocol/units";

/**
 * How long a sample counts. Two crystals that differ by 100 ppm drift 1 ms apart in this time.
 */
const WINDOW_MS = 10_000;
/** A longer round trip comes from a wrapped or foreign time stamp. */
const MAX_RTT_US = 10_000_000;
/** Weight of a new sample in the smoothed round trip (RFC 6298 section 2). */
const SMOOTHING = 1 / 8;
/**
 * An age outside of this range is impossible: the picture is older still, or its time stamps are
 * not from the car's clock.
 */
const MIN_AGE_MS = -1_000;
const MAX_AGE_MS = 60_000;

interface Sample {
  readonly at: number;
  readonly rttUs: number;
  /** Car's clock minus page's clock. */
  readonly offsetUs: number;
}

export class CarClock {
  #samples: Sample[] = [];
  #best: Sample | null = null;
  #rttUs: number | null = null;

  /**
   * Takes a telemetry frame that arrived at `now` (ms of this page's clock), and returns its round
   * trip in ms; `null` without a usable echo.
   */
  handleTelemetry(frame: TelemetryFrame, now: number): number | null {
    if (!frame.echo) return null;
    const rttUs = (micros32(now) - frame.echo.sent_us - frame.echo.held_us) >>> 0;
    if (rttUs > MAX_RTT_US) return null;
    this.#rttUs = this.#rttUs === null ? rttUs : this.#rttUs + SMOOTHING * (rttUs - this.#rttUs);
    this.#samples = this.#samples.filter(({ at }) => at > now - WINDOW_MS);
    this.#samples.push({
      at: now,
      rttUs,
      offsetUs: Number(frame.car_time) + rttUs / 2 - now * 1000,
    });
    this.#best = this.#samples.reduce((best, sample) =>
      sample.rttUs <= best.rttUs ? sample : best,
    );
    return rttUs / 1000;
  }

  /** The smoothed round trip in ms; `null` before the first echo. */
  get rttMs(): number | null {
    return this.#rttUs === null ? null : this.#rttUs / 1000;
  }

  /** The car's clock in µs at the page's time `now`; `null` before the first echo. */
  carTimeUs(now: number): number | null {
    return this.#best === null ? null : now * 1000 + this.#best.offsetUs;
  }

  /**
   * How old a picture with this RTP time stamp is at `now`, in ms; `null` before the first echo,
   * `Infinity` if the age is impossible.
   */
  pictureAgeMs(rtpTimestamp: number, now: number): number | null {
    const carUs = this.carTimeUs(now);
    if (carUs === null) return null;
    const carTicks = Math.round((carUs * VIDEO_CLOCK_HZ) / 1e6);
    // The time stamp holds only the low 32 bits: `| 0` finds the nearest time that has them.
    const ageTicks = (carTicks - rtpTimestamp) | 0;
    const ageMs = (ageTicks * 1000) / VIDEO_CLOCK_HZ;
    return ageMs < MIN_AGE_MS || ageMs > MAX_AGE_MS ? Infinity : Math.max(0, ageMs);
  }
}
