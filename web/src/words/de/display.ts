import type { Catalogue } from "../catalogue";

export const display: Catalogue["display"] = {
  title: "Anzeige, Ton und Sprache",
  sun: "Helles Design für Sonnenlicht",
  large: "Größere Wörter und Zahlen",
  sounds: "Töne, wenn die Verbindung abbricht, das Auto anhält oder der Akku schwach ist",
  vibration: "Vibration bei denselben Anlässen",
  language: "Sprache",
  asBrowser: "Wie der Browser",
};
