import type { Catalogue } from "../catalogue";
import { pluralIn } from "../plural";

const plural = pluralIn("de");

export const pages: Catalogue["pages"] = {
  names: "Seiten",
  cars: "Autos",
  releases: "Versionen",
  people: "Personen",
  signOut: "Abmelden",
  accountOf: (name) => `Konto von ${name}`,
  connected: "Verbunden",
  connecting: "Verbindet",
  tryingAgain: (trouble) => `${trouble}. Neuer Versuch`,
  outdated: "Diese Seite ist veraltet. Laden Sie sie neu",
  close: "Schließen",
  oneMoment: "Einen Moment",
  noServer: "Der Server ist nicht erreichbar",
  noServerText:
    "Diese Seite macht von selbst weiter, sobald er antwortet. Ist dieses Gerät online?",
  signingIn: "Anmeldung läuft",
  serverSilent: "Der Server antwortet nicht",
  linkFails: "Dieser Link geht nicht",
  mayStillWork: (trouble) =>
    `${trouble} Vielleicht gilt der Link noch: Versuchen Sie es, sobald Sie online sind.`,
  tryAgain: "Noch einmal versuchen",
  otherWay: "Anders anmelden",
  tab: {
    setup: "Einrichten – rccar",
    signIn: "Anmelden – rccar",
    password: "Neues Passwort – rccar",
    account: "Konto – rccar",
    people: "Personen – rccar",
    releases: "Versionen – rccar",
    cars: "Autos – rccar",
    gone: "Server weg – rccar",
  },
};

export const signIn: Catalogue["signIn"] = {
  almost: "Fast geschafft",
  noAccount: "Dieser Server hat noch kein Konto.",
  openLink:
    "Öffnen Sie den Einmal-Link zum Einrichten, den der Server beim Start ausgegeben hat. Er steht im Terminal oder im Protokoll von `rccar-host`.",
  toCar: "Am Auto anmelden",
  codeOnCard:
    "Geben Sie seinen Zugangscode ein. Das Auto hat ihn in provision-report.txt auf seine Karte geschrieben.",
  enterCode: "Geben Sie den Zugangscode des Autos ein.",
  signIn: "Anmelden",
  code: "Code",
  welcome: "Willkommen zurück",
  toDrive: "Melden Sie sich an, um zu fahren.",
  name: "Name",
  password: "Passwort",
  setUp: "Server einrichten",
  firstAccount: "Legen Sie das erste Konto an. Es darf jedes Auto fahren und neue hinzufügen.",
  makeAccount: "Konto anlegen",
  passwordAgain: "Passwort wiederholen",
  choose: "Passwort wählen",
  chooseText:
    "Der Link gilt einmal. Er meldet Sie hier an und beendet alle anderen Anmeldungen Ihres Kontos.",
  savePassword: "Passwort speichern",
  differ: "Die beiden Passwörter sind verschieden.",
  newPassword: "Neues Passwort",
  newPasswordAgain: "Neues Passwort wiederholen",
};

export const account: Catalogue["account"] = {
  title: "Ihr Konto",
  where: "Wo Sie angemeldet sind",
  browser: "Ein Browser",
  since: (network, day, seen) =>
    `${network === null ? "Seit" : `Von ${network}, seit`} dem ${day}${
      seen === null ? "" : `, zuletzt gesehen am ${seen}`
    }`,
  thisOne: "Dieser hier",
  endOne: (browser, day) => `Abmelden: ${browser}, seit dem ${day}`,
  endOthers: "Überall sonst abmelden",
  driveEnds: "Eine Fahrt aus einem Browser, den Sie abmelden, endet sofort.",
  changed: "Ihr Passwort ist geändert. Alle anderen Browser sind abgemeldet.",
  change: "Passwort ändern",
  present: "Jetziges Passwort",
  none: "Dieses Konto hat keines und meldet sich mit Links an. Bitten Sie für ein Passwort die Person, die den Server betreibt, um einen Passwort-Link.",
};

export const releases: Catalogue["releases"] = {
  intro: "Signierte Abbilder, die sich Autos selbst holen und einspielen, wenn sie geparkt sind.",
  add: "Version hinzufügen",
  nothing: "Noch nichts hier. Die Autos behalten das Abbild, das sie haben.",
  by: (day, person) => `${day}${person === null ? "" : ` von ${person}`}`,
  signedBy: (signer) => `signiert von ${signer}`,
  offered: "Angeboten für {share}",
  share: (percent) => `${percent} % der Autos`,
  resume: "Fortsetzen",
  pause: "Anhalten",
  keep: "Behalten",
  removeForGood: "Endgültig entfernen",
  remove: "Entfernen",
  paused: "Angehalten",
  forNone: "Noch für kein Auto",
  forAll: "Für alle Autos",
  choose: "Signiertes Paket wählen {kind}",
  channel: "Kanal",
  channelHint: "Kleinbuchstaben, Ziffern und Bindestriche",
  howMany: "Zuerst für so viele Autos {share}",
  whatIsNew: "Was ist neu",
  upload: "Hochladen und prüfen",
  checking: "Der Server prüft Signatur und Inhalt",
  uploading: "Lädt hoch",
  sizeOf: (sent, total) => `${sent} von ${total}`,
  cancel: "Abbrechen",
  taken: "{version} ist vollständig und signiert von {signer}. Läuft auf {board}.",
  refused: (name) => `Abgelehnt: ${name}`,
  dismiss: "Ausblenden",
  noKeyring:
    "Dieser Server nimmt keine Pakete: Er kann keine Signaturen prüfen. Legen Sie den Schlüsselbund der Autos neben seine Konfiguration und nennen Sie ihn als `keyring` in `[releases]`.",
  tooLarge: (size, most) => `Das Paket hat ${size}; dieser Server nimmt höchstens ${most}.`,
};

export const cars: Catalogue["cars"] = {
  this: "Dieses Auto",
  yours: "Ihre Autos",
  asking: "Fragt den Server",
  noneFits: "Kein Auto passt.",
  showAll: "Alle zeigen",
  add: "Auto hinzufügen",
  notYet: "Hat sich noch nie gemeldet",
  mine: "Ihres",
  of: (owner) => `von ${owner}`,
  remove: "Entfernen",
  drive: { available: "Fahren", busy: "Öffnen", offline: "Darauf warten" },
  open: "Öffnen",
  openCar: (what, car) => `${what}: ${car}`,
  ready: "Bereit",
  offline: "Offline",
  busy: "Besetzt",
  drives: (driver) => `${driver} fährt`,
  noCars: "Noch keine Autos",
  flash: "Schreiben Sie das Abbild auf eine SD-Karte.",
  putFile:
    "Fügen Sie das Auto hier hinzu und legen Sie die Datei, die Sie bekommen, auf die Karte.",
  switchOn:
    "Stecken Sie die Karte in das Auto und schalten Sie es ein. Es erscheint hier von selbst.",
  soFar: (known, number) =>
    plural(number, {
      one: `Bisher ${known} Auto, weitere folgen`,
      other: `Bisher ${known} Autos, weitere folgen`,
    }),
  nothing: "Bisher nichts zu fahren",
  fit: (total, known, ready) => `${total} von ${known} Autos passen, ${ready} bereit zum Fahren`,
  noneReady: "Gerade ist keines bereit",
  areReady: (ready, total) => `${ready} von ${total} bereit zum Fahren`,
  install: (version) => `${version} einspielen`,
  installOn: (version, car) => `${version} auf ${car} einspielen`,
  removeThis: (car) => `${car} entfernen?`,
  removeText:
    "Eine laufende Fahrt endet sofort. Das Auto zeigt dann auf seiner eigenen Seite einen Code, und wer ihn hier eingibt, dem gehört es.",
  keepIt: "Behalten",
  removeIt: "Entfernen",
  search: "Nach Name, Besitzer oder Kennung suchen",
  searchHint: "Name, Besitzer oder Kennung",
  show: "Zeigen",
  shows: { all: "Alle", own: "Meine", ready: "Bereite" },
  sort: "Sortierung",
  sorts: { ready: "Bereite zuerst", name: "Name" },
  parts: "Teile der Liste",
  previous: "Zurück",
  next: "Weiter",
  part: (first, last, total) => `${first} bis ${last} von ${total}`,
};
