/** Personen und ihre Rechte: Konten des Servers, und wer was mit einem Auto darf. */

import type { Catalogue } from "../catalogue";
import { pluralIn } from "../plural";

const plural = pluralIn("de");

export const people: Catalogue["people"] = {
  title: "Personen",
  intro: "Alle, die ein Konto auf diesem Server haben.",
  accounts: "Konten",
  admin: "Verwaltet",
  cars: (cars) => plural(cars, { one: "1 Auto", other: `${cars} Autos` }),
  seen: (moment) => `, zuletzt gesehen ${moment}`,
  notSignedIn: ", nicht angemeldet",
  noPassword: ", ohne Passwort",
  makeAdmin: "Verwalten lassen",
  makeMember: "Nicht mehr verwalten lassen",
  makeAdminOf: (name) => `Verwalten lassen: ${name}`,
  makeMemberOf: (name) => `Nicht mehr verwalten lassen: ${name}`,
  link: "Passwort-Link",
  linkOf: (name) => `Passwort-Link für ${name}`,
  remove: "Entfernen",
  removeOf: (name) => `${name} entfernen`,
  linkFor: (name) => `Link für ${name}`,
  passOn: (name, until) =>
    `Geben Sie ihn weiter. Wer ihn öffnet, wählt das Passwort von ${name}, einmal, bis ${until}.`,
  addTitle: "Jemanden hinzufügen",
  add: "Hinzufügen",
  name: "Anmeldename",
  adminDoes: "Verwaltet Personen und Versionen, und darf mit jedem Auto alles",
  linkComes: "Sie bekommen einen Link, mit dem die Person ein Passwort wählt.",
  removeThis: (name) => `${name} entfernen?`,
  removeText: (name) => `Alle Anmeldungen und Fahrten von ${name} enden sofort.`,
  carsGoTo: (cars) => plural(cars, { one: "Das Auto bekommt", other: `Die ${cars} Autos bekommt` }),
  nobody: "niemand, bis es wieder ein Konto mit diesem Namen gibt",
  keep: "Konto behalten",
  removeIt: "Entfernen",
};

export const sharing: Catalogue["sharing"] = {
  open: "Teilen …",
  nobodys: "Gehört niemandem",
  mayOnlySee: (owner) =>
    `Sie dürfen dieses Auto sehen. Fragen Sie ${owner ?? "die Verwaltung"} nach dem Recht, es zu fahren.`,
  title: (car) => `${car} teilen`,
  everybody: "Alle auf diesem Server dürfen",
  nothing: "Es nicht einmal sehen",
  spectator: "Es in der Liste sehen",
  driver: "Es sehen und fahren",
  account: "Name des Kontos",
  may: "Darf",
  share: "Teilen",
  takeBack: "Zurücknehmen",
  takeBackFrom: (name) => `Zurücknehmen: ${name}`,
  endsAtOnce:
    "Wenn Sie ein Recht zurücknehmen, endet eine laufende Fahrt sofort. Wer den Server verwaltet, darf immer alles.",
  takeThis: (car) => `${car} zurückholen?`,
  takeText:
    "Die laufende Fahrt endet sofort. Das Auto bremst, wie wenn seine Verbindung abreißt, und wer fährt, erfährt, wer es zurückgeholt hat.",
  leaveIt: "Lassen",
  takeIt: "Zurückholen",
};
