/** Names of the pictures that a driver keeps. */

/** Characters that a name of a file has on every system; others become hyphens. */
const OTHERS = /[^\p{L}\p{N}]+/gu;
const MAX_NAME = 40;

/** `at`: the local time as `2026-11-30T15:52:07…`. */
export function snapshotName(carName: string, at: string): string {
  const name = carName.replace(OTHERS, "-").replace(/^-+|-+$/gu, "");
  const short = Array.from(name).slice(0, MAX_NAME).join("");
  return `${short === "" ? "car" : short}-${at.slice(0, 19).replaceAll(":", "-")}.png`;
}
