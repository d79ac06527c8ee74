import type { Catalogue } from "../catalogue";

export const display: Catalogue["display"] = {
  title: "Anzeige",
  sun: "Helles Design für Sonnenlicht",
  large: "Größere Wörter und Zahlen",
  language: "Sprache",
  asBrowser: "Wie der Browser",
};
