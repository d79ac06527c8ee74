/**
 * Waiting times between attempts, spread at random so that after a host's restart not all drivers
 * come back at once.
 */

/** Shortest and longest wait in ms. */
const SHORTEST = 250;
const LONGEST = 5_000;

/** The wait in ms before attempt `attempt` (from 0), for a random number of 0…1. */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST, SHORTEST * 2 ** (attempt + 1));
  return SHORTEST + random * (ceiling - SHORTEST);
}
