import type { Catalogue } from "../catalogue";

export const connection: Catalogue["connection"] = {
  bye: {
    "driver-left": { title: "Sie haben das Auto verlassen", text: "Das Auto ist frei für andere." },
    "driver-gone": {
      title: "Ihre Verbindung ist abgebrochen",
      text: "Der Server hat zu lange nichts von dieser Seite gehört und die Fahrt beendet.",
    },
    "car-left": {
      title: "Das Auto hat die Fahrt beendet",
      text: "Vielleicht startet es gerade neu.",
    },
    "car-gone": {
      title: "Das Auto ist weg",
      text: "Es hat die Verbindung zum Server verloren und ist nicht zurückgekommen. Hat es das Netz verlassen, oder ist sein Akku leer?",
    },
    replaced: {
      title: "Auf einer anderen Seite geöffnet",
      text: "Sie haben dieses Auto in einem anderen Tab oder auf einem anderen Gerät geöffnet und fahren es jetzt dort.",
    },
    "car-busy": {
      title: "Jemand anderes fährt dieses Auto",
      text: "Sie können sich verbinden, sobald es frei ist.",
    },
    "ice-failed": {
      title: "Keine Verbindung zum Auto",
      text: "Weder der direkte Weg noch das Relais funktioniert. Ist UDP in diesem Netz oder in dem des Autos gesperrt? Oft hilft ein mobiler Hotspot oder ein anderes Netz; sonst ist vielleicht das TURN-Relais des Servers ausgefallen.",
    },
    "no-h264": {
      title: "Dieser Browser kann das Bild nicht zeigen",
      text: "Das Auto sendet Video als H.264, und dieser Browser kann das nicht empfangen. Firefox lädt sein H.264-Plugin einige Minuten nach dem ersten Start: Öffnen Sie about:addons, Plugins, und lassen Sie OpenH264 immer aktivieren. Chrome, Edge und Safari können es; manchen Ausgaben von Chromium fehlt es.",
    },
    "bad-description": {
      title: "Browser und Auto verstehen sich nicht",
      text: "Einer von beiden hat eine Beschreibung gesendet, die der andere nicht verwenden kann. Ist einer davon sehr alt?",
    },
    revoked: {
      title: "Sie dürfen dieses Auto nicht mehr fahren",
      text: "Ihr Recht dazu wurde zurückgenommen. Fragen Sie die Person, die den Server betreibt.",
    },
    "taken-back": {
      title: "Das Auto wurde zurückgeholt",
      text: "Jetzt fährt, wem es gehört, oder wer den Server verwaltet.",
    },
    idle: {
      title: "Sie waren nicht da, und jemand wartet",
      text: "Das Auto wurde freigegeben, weil niemand geantwortet hat. Verbinden Sie sich neu, wenn es noch frei ist.",
    },
    shutdown: {
      title: "Das Auto wurde heruntergefahren",
      text: "Sein Programm wurde beendet, vielleicht für ein Update.",
    },
    internal: {
      title: "Etwas ist kaputtgegangen",
      text: "Ein Programm meldet einen eigenen Fehler; mehr steht in seinem Protokoll.",
    },
  },
  unsecured: {
    title: "Die Verbindung ließ sich nicht sichern",
    text: "Ein Weg zum Auto ist gefunden, aber Browser und Auto wurden sich über die Verschlüsselung nicht einig, oder etwas dazwischen hat an Stelle des Autos geantwortet. Versuchen Sie ein anderes Netz. Hilft das nicht, starten Sie das Auto neu und aktualisieren Sie den Browser.",
  },
  otherBye: (reason) => ({
    title: "Die Fahrt ist beendet",
    text: `Diese Seite kennt den Grund nicht: ${reason}.`,
  }),
  tookBack: (person) => `${person} hat das Auto zurückgeholt`,
  drivesThisCar: (driver) => `${driver} fährt dieses Auto`,
  error: {
    malformed: {
      title: "Der Server hat diese Seite nicht verstanden",
      text: "Laden Sie die Seite neu, um die Version des Servers zu bekommen.",
    },
    "unknown-type": {
      title: "Der Server hat diese Seite nicht verstanden",
      text: "Laden Sie die Seite neu, um die Version des Servers zu bekommen.",
    },
    "too-large": {
      title: "Die Nachricht war zu groß",
      text: "Der Server hat sie abgelehnt. Laden Sie die Seite neu und versuchen Sie es noch einmal.",
    },
    "rate-limited": {
      title: "Zu viele Versuche",
      text: "Der Server bittet um etwas Geduld. Versuchen Sie es in einer Minute noch einmal.",
    },
    "unsupported-version": {
      title: "Diese Seite passt nicht zum Server",
      text: "Sie sprechen verschiedene Versionen. Laden Sie die Seite neu.",
    },
    "out-of-order": {
      title: "Das kam zur falschen Zeit",
      text: "Das Gespräch ist aus dem Takt geraten. Verbinden Sie sich neu.",
    },
    "not-signed-in": {
      title: "Sie sind abgemeldet",
      text: "Melden Sie sich wieder an, um fortzufahren.",
    },
    forbidden: {
      title: "Sie dürfen dieses Auto nicht fahren",
      text: "Fragen Sie die Person, die den Server betreibt, nach dem Recht dazu.",
    },
    "no-such-car": {
      title: "Dieses Auto gibt es nicht",
      text: "Der Server kennt es nicht. Wurde es entfernt?",
    },
    "car-offline": {
      title: "Das Auto ist offline",
      text: "Ist es eingeschaltet, und hat es ein Netz?",
    },
    "car-busy": {
      title: "Jemand anderes fährt dieses Auto",
      text: "Sie können sich verbinden, sobald es frei ist.",
    },
    "no-such-session": {
      title: "Die Fahrt ist beendet",
      text: "Der Server kennt diese Fahrt nicht mehr. Verbinden Sie sich neu.",
    },
    "not-enrolled": {
      title: "Das Auto steht nicht in der Liste des Servers",
      text: "Fügen Sie es hinzu: mit einer Datei für seine Karte oder mit dem Code, den es zeigt.",
    },
    "bad-signature": {
      title: "Das Auto konnte sich nicht ausweisen",
      text: "Sein Schlüssel passt nicht. Fügen Sie es neu hinzu.",
    },
    timeout: {
      title: "Das Auto antwortet nicht",
      text: "Es ist mit dem Server verbunden, hat aber nicht rechtzeitig ein Bild angeboten. Vielleicht ist sein Netz gerade sehr langsam.",
    },
    "slow-reader": {
      title: "Diese Seite kam nicht mehr mit",
      text: "Der Server hat abgebrochen, weil sich Nachrichten stauten. Verbinden Sie sich neu.",
    },
    internal: {
      title: "Der Server hat einen Fehler",
      text: "Dort ist etwas kaputtgegangen; mehr steht in seinem Protokoll.",
    },
  },
  refuses: "Der Server lehnt ab",
  itsReason: (reason) => `Sein Grund: ${reason}.`,
  isOffline: (car) => `${car} ist offline`,
  server: {
    unreachable: "Der Server ist nicht erreichbar",
    lost: "Die Verbindung zum Server ist abgebrochen",
    silent: "Der Server antwortet nicht mehr",
    "slow-reader": "Diese Seite war zu langsam für den Server",
    "too-large": "Der Server hat eine Nachricht dieser Seite abgelehnt",
    "rate-limited": "Der Server bittet diese Seite, langsamer zu sein",
  },
  connectingToServer: { title: "Verbindung zum Server wird aufgebaut", text: "Einen Moment." },
  request: {
    noAnswer: "Der Server ist nicht erreichbar. Ist dieses Gerät online?",
    tooMany: "Zu viele Versuche. Warten Sie eine Minute und versuchen Sie es noch einmal.",
    wrongPassword: "Name oder Passwort ist falsch.",
    wrongCode: "Der Code ist falsch.",
    wrongLink:
      "Dieser Link wurde schon benutzt, ist abgelaufen oder unvollständig. Bitten Sie um einen neuen.",
    status: (status) => `Der Server antwortet mit dem Status ${status}.`,
    sent: (text) => `Der Server sagt: „${text}“`,
    codes: {
      "set-up-already": "Dieser Server ist schon eingerichtet. Melden Sie sich mit Ihrem Konto an.",
      "wrong-password": "Das jetzige Passwort ist falsch.",
      "weak-password": "Dieses Passwort ist zu schwach. Nehmen Sie ein längeres.",
      "no-password": "Dieses Konto hat kein Passwort.",
      "no-such-code": "Kein Auto zeigt diesen Code. Stimmt er, und ist das Auto online?",
      "no-such-car": "Dieses Auto gibt es nicht.",
      "no-such-sign-in": "Diese Anmeldung gibt es nicht mehr.",
      forbidden: "Sie haben das Recht dazu nicht.",
      "not-signed-in": "Melden Sie sich zuerst an.",
      "car-offline": "Das Auto ist offline.",
      "not-on-request": "Dieses Auto wartet nicht auf Ihre Zustimmung.",
      "no-such-release": "Diese Version gibt es hier nicht.",
      "release-exists": "Diese Version gibt es hier schon.",
      "no-keyring": "Dieser Server kann keine Unterschriften prüfen: Ihm fehlt der Schlüsselbund.",
      "no-space": "Auf dem Server ist kein Platz mehr.",
      "too-large": "Das ist zu groß für den Server.",
      busy: "Der Server ist gerade beschäftigt. Versuchen Sie es gleich noch einmal.",
      timeout: "Das hat zu lange gedauert. Versuchen Sie es noch einmal.",
      internal: "Der Server hat einen Fehler; mehr steht in seinem Protokoll.",
      "plain-http":
        "Dieser Server ist ohne HTTPS nur aus seinen eigenen Netzen zu benutzen. Sein Betreiber kann das ändern.",
      "foreign-origin": "Das dürfen Seiten von anderen Servern nicht.",
    },
  },
  rungs: {
    serverAway: "Server weg",
    pageLostServer: "Diese Seite hat den Server verloren. Die Fahrt geht ohne ihn weiter.",
    carLostServer: "Das Auto hat den Server verloren. Die Fahrt geht ohne ihn weiter.",
    server: "Server",
    serverHint: "Seite und Auto sind mit dem Server verbunden.",
    link: "Verbindung",
    linkHint: "Bild und Befehle fließen.",
    linkSilent: "Auto stumm",
    linkSilentHint: "Vom Auto kommt nichts.",
    linkSlow: "Langsam",
    linkSlowHint: "Die Antworten des Autos kommen spät.",
    pictureComing: "Das Bild ist unterwegs.",
    noPicture: "Kein Bild",
    noPictureHint: "Befehle fließen, das Bild nicht.",
    pictureLate: "Bild zu spät",
    pictureLateHint: "Befehle fließen, das Bild kommt zu spät.",
    newLink: "Neuer Weg",
    newLinkHint: "Seite und Auto suchen einen anderen Weg zueinander.",
    finding: "Sucht Weg",
    findingHint: "Seite und Auto suchen einen Weg zueinander.",
    none: "Getrennt",
    noneHint: "Es gibt keine Verbindung zum Auto.",
    noUplink: "Kein Internet",
    noUplinkHint: "Das Auto hat keinen Weg ins Internet.",
    uplink: "Internet",
    uplinkHint: (name, standby) =>
      `Der Weg des Autos ins Internet${name === null ? "" : ` (${name})`}. ${
        standby === 0 ? "Kein anderer steht bereit." : `${standby} weitere stehen bereit.`
      }`,
    cable: "Kabel",
    wifi: "WLAN",
    mobile: "Mobilfunk",
    modemHint: "Was das Auto tut, um seine Mobilfunkverbindung zurückzuholen.",
    modemFaultHint: "Das Modem braucht einen Menschen.",
    modemReconnects: "Modem verbindet neu",
    soon: (what) => `Gleich: ${what}`,
    modemOther: (what) => `Modem: ${what}`,
    modem: {
      reconnect: "Modem verbindet",
      "cycle-bearer": "Modem verbindet neu",
      "cycle-radio": "Funk startet neu",
      reset: "Modem startet neu",
      "restart-daemon": "Modemdienst startet neu",
      "cycle-usb": "Modem aus und ein",
      reboot: "Auto startet neu",
    },
  },
};
