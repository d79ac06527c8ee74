/**
 * Waiting times between attempts, spread so that the drivers of a restarted host do not come back
 * in step.
 */

/** Shortest and longest wait in ms. */
const SHORTEST = 250;
const LONGEST = 5_000;

/** The wait before attempt `attempt` (from 0), for a random number of 0…1. */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST, SHORTEST * 2 ** (attempt + 1));
  return SHORTEST + random * (ceiling - SHORTEST);
}
