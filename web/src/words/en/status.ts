/** What a car says of itself on its own page. */

import { pluralIn } from "../plural";

const plural = pluralIn("en");

export const status = {
  unowned: "Nobody owns this car yet",
  /** `{server}`: a link, or `itsServer`. */
  claimAt:
    "Sign in at {server}, choose “Add a car” and type this code. Whoever does so owns the car.",
  itsServer: "its server",
  scan: "Or point a phone's camera at this picture:",
  qr: (url: string) => `QR code that opens ${url} with this code`,
  line: (line: number, key: string) => `Line ${line}, ${key}:`,
  until: (table: string, holds: string) => `Until [${table}] is right, ${holds}.`,
  kept: "the settings from before hold for it",
  defaults: "the defaults hold for it",
  off: "the car cannot be armed",
  otherSettings: (what: string) => `other settings hold for it (${what})`,
  noticed: "Noticed at the start",
  mistakes: (number: number) =>
    plural(number, {
      one: "A mistake in the settings file (provision.toml)",
      other: `${number} mistakes in the settings file (provision.toml)`,
    }),
  missing: "The card has no settings file (provision.toml)",
  unreadable: "The card's settings file (provision.toml) cannot be read",
  otherFile: (state: string) => `The card's settings file (provision.toml): ${state}`,
  server: "Server",
  none: "None. This page is the only way to drive",
  thisPage: "This page",
  car: "Car",
  registered: (url: string) => `Registered with ${url}`,
  unclaimed: (url: string) => `Waits to be claimed at ${url}`,
  refused: (url: string, why: string) => `${url} refuses it: ${why}`,
  noReason: "no reason given",
  connecting: (url: string) => `Connecting to ${url}`,
  cannotReach: (url: string, why: string) => `Cannot reach ${url}: ${why}. Trying again`,
  other: (url: string, state: string, why: string | null) =>
    `${url}: ${state}${why === null ? "" : `, ${why}`}`,
};
