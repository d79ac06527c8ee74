import type { Catalogue } from "../catalogue";
import { pluralIn } from "../plural";

const plural = pluralIn("de");

export const status: Catalogue["status"] = {
  unowned: "Dieses Auto gehört noch niemandem",
  claimAt:
    "Melden Sie sich bei {server} an, wählen Sie „Auto hinzufügen“ und geben Sie diesen Code ein. Wer das tut, dem gehört das Auto.",
  itsServer: "seinem Server",
  scan: "Oder die Kamera eines Telefons auf dieses Bild halten:",
  qr: (url) => `QR-Code, der ${url} mit diesem Code öffnet`,
  line: (line, key) => `Zeile ${line}, ${key}:`,
  until: (table, holds) => `Bis [${table}] stimmt, ${holds}.`,
  kept: "gelten dafür die Einstellungen von vorher",
  defaults: "gelten dafür die Vorgaben",
  off: "lässt sich das Auto nicht freigeben",
  otherSettings: (what) => `gelten dafür andere Einstellungen (${what})`,
  noticed: "Beim Start bemerkt",
  mistakes: (number) =>
    plural(number, {
      one: "Ein Fehler in der Einstellungsdatei (provision.toml)",
      other: `${number} Fehler in der Einstellungsdatei (provision.toml)`,
    }),
  missing: "Auf der Karte fehlt die Einstellungsdatei (provision.toml)",
  unreadable: "Die Einstellungsdatei der Karte (provision.toml) ist nicht lesbar",
  otherFile: (state) => `Die Einstellungsdatei der Karte (provision.toml): ${state}`,
  server: "Server",
  none: "Keiner. Nur auf dieser Seite lässt sich fahren",
  thisPage: "Diese Seite",
  car: "Auto",
  registered: (url) => `Angemeldet bei ${url}`,
  unclaimed: (url) => `Wartet bei ${url} auf seinen Besitzer`,
  refused: (url, why) => `${url} lehnt es ab: ${why}`,
  noReason: "ohne Angabe eines Grundes",
  connecting: (url) => `Verbindet mit ${url}`,
  cannotReach: (url, why) => `${url} ist nicht erreichbar: ${why}. Neuer Versuch`,
  other: (url, state, why) => `${url}: ${state}${why === null ? "" : `, ${why}`}`,
};
