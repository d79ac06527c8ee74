import type { Catalogue } from "../catalogue";

const TAKEN_OVER = "bewegte sich, während ein anderes Gerät fuhr. Geben Sie das Auto wieder frei.";
const takenOver = (title: string) => ({ title, text: `Es ${TAKEN_OVER}` });

export const drive: Catalogue["drive"] = {
  state: {
    disarmed: "Gesperrt",
    arming: "Wird freigegeben",
    armed: "Freigegeben",
    holding: "Hält",
    braking: "Bremst",
    tripped: "Gestoppt",
    jogging: "Probe",
  },
  noAnswer: "Keine Antwort",
  waitingForCar: "Wartet auf das Auto",
  notConnected: "Nicht verbunden",
  lastStop: (why) => `Letzter Halt: ${why}`,
  slowed: (percent, why) => `Auf ${percent} % gebremst: ${why}`,
  stop: {
    none: "",
    silent: "Das Auto hört nichts von dieser Seite",
    hidden: "Die Seite war verdeckt",
    unfocused: "Die Seite hatte nicht den Fokus",
    "stale-input": "Ihre Eingabe war zu alt",
    "no-device": "Der Seite fehlte ein Gerät zum Fahren",
    "driver-disarmed": "Sie haben gesperrt",
    "driver-left": "Kein Fahrer",
    "drive-service-lost": "Der Fahrdienst des Autos antwortet nicht",
    "actuator-fault": "Lenkung oder Motor meldet einen Fehler",
    shutdown: "Das Auto fährt herunter",
    "battery-empty": "Der Akku ist leer",
    "old-picture": "Ihr Bild war zu alt",
    calibrating: "Jemand stellt das Auto an seinem eigenen Terminal ein",
  },
  otherStop: (reason) => `Grund des Autos: ${reason}`,
  pageStop: {
    "car-silent": "Das Auto hat nicht geantwortet",
    "gamepad-gone": "Das Gamepad war weg",
    "gamepad-still": "Das Gamepad stand still",
    "touch-lost": "Die Berührung wurde unterbrochen",
    "link-slow": "Die Verbindung war zu langsam",
    "setting-up": "Die Steuerung wurde eingerichtet",
    "no-picture": "Es gab kein Bild",
    "picture-stopped": "Das Bild blieb stehen",
    "picture-old": "Das Bild war zu alt",
    "keyboard-took-over": "Die Tastatur übernahm",
    "gamepad-took-over": "Das Gamepad übernahm",
    "other-gamepad-took-over": "Das andere Gamepad übernahm",
    "touch-took-over": "Die Touch-Sticks übernahmen",
    hidden: "Die Seite war verdeckt",
    unfocused: "Die Seite hatte nicht den Fokus",
    "system-key": "Eine Taste des Systems wurde gedrückt",
    "path-lost": "Die Verbindung zum Auto ging verloren",
    "not-armed": "Das Auto ließ sich nicht freigeben",
  },
  limit: { picture: "Das Bild ist alt", battery: "Der Akku ist schwach" },
  battery: {
    unknown: "unbewacht",
    good: "",
    low: "schwach",
    limited: "langsamer",
    empty: "leer",
  },
  batteryAlone: "Akku",
  notice: {
    "gamepad-gone": {
      title: "Gamepad weg",
      text: "Das Auto hält an. Berühren Sie das Gerät, mit dem Sie fahren wollen, und geben Sie das Auto wieder frei.",
    },
    "gamepad-still": {
      title: "Ist das Gamepad noch da?",
      text: "Daran hat sich eine Weile nicht das Geringste bewegt, als wäre der Funk weg. Fünf Sekunden ganz ruhig gehaltenes Gas sieht genauso aus. Lassen Sie los und geben Sie das Auto wieder frei.",
    },
    "touch-lost": {
      title: "Die Berührung wurde unterbrochen",
      text: "Das Gerät hat Ihren Finger für etwas anderes gehalten. Legen Sie ihn wieder auf den Stick und geben Sie das Auto wieder frei.",
    },
    "link-slow": {
      title: "Zu langsam: Sie können nicht fahren",
      text: "Das Auto antwortet zu spät oder gar nicht. Es hält an. Warten Sie, bis dies verschwindet, lassen Sie los und geben Sie es wieder frei.",
    },
    "setting-up": {
      title: "Sie richten die Steuerung ein",
      text: "Solange lässt sich das Auto nicht freigeben. Schließen Sie das Fenster, um zu fahren.",
    },
    "no-picture": {
      title: "Wartet auf das Bild",
      text: "Sobald es da ist, lässt sich das Auto freigeben.",
    },
    "picture-stopped": {
      title: "Das Bild steht: Sie können nicht fahren",
      text: "Es kommt kein neues. Das Auto hält an. Warten Sie, bis sich das Bild bewegt, lassen Sie los und geben Sie das Auto wieder frei.",
    },
    "picture-old": {
      title: "Das Bild ist zu alt: Sie können nicht fahren",
      text: "Es zeigt, wo das Auto war, nicht, wo es ist. Das Auto hält an. Warten Sie, bis dies verschwindet, lassen Sie los und geben Sie es wieder frei.",
    },
    "keyboard-took-over": {
      title: "Jetzt lenkt die Tastatur",
      text: `Sie ${TAKEN_OVER}`,
    },
    "gamepad-took-over": takenOver("Jetzt lenkt das Gamepad"),
    "other-gamepad-took-over": takenOver("Jetzt lenkt das andere Gamepad"),
    "touch-took-over": {
      title: "Jetzt lenken die Touch-Sticks",
      text: "Einer bewegte sich, während ein anderes Gerät fuhr. Geben Sie das Auto wieder frei.",
    },
  },
  tookOver: (name) => `${name} ${TAKEN_OVER}`,
  pictureIsOld: (seconds) => `Das Bild ist ${seconds} s alt: Sie können nicht fahren`,
  computer: {
    sags: {
      title: "Die 5-V-Versorgung bricht ein",
      text: "Der Computer des Autos bekommt zu wenig Spannung und startet vielleicht während der Fahrt neu. Sehen Sie nach Akku, Wandler und Kabel.",
    },
    hot: {
      title: "Der Computer des Autos ist heiß",
      text: "Er wird langsamer, und das Bild kann stocken. Gönnen Sie ihm eine Pause oder mehr Luft.",
    },
  },
  tryingAgain: (seconds) => `Neuer Versuch${inSeconds(seconds)}.`,
  connectsByItself: " Diese Seite verbindet sich von selbst, sobald es wieder da ist.",
  calling: (car) => `${car} wird gerufen`,
  waitingForOffer: "Wartet auf das Bild des Autos.",
  shortestLink: "Sucht den kürzesten Weg.",
  linkBroken: {
    title: "Die Verbindung zum Auto ist unterbrochen",
    text: "Wartet einen Moment, ob sie zurückkommt. Das Auto hält von selbst an.",
  },
  anotherLink: "Sucht einen anderen Weg zum Auto",
  serverAwayToo:
    "Auch der Server ist weg; ohne ihn findet sich keiner. Das Auto hat von selbst angehalten.",
  attempt: (number) => `Versuch ${number}. Das Auto hält von selbst an.`,
  stopsMeanwhile: "Das Auto hält solange von selbst an.",
  linkLost: "Die Verbindung zum Auto ist verloren",
  connectingAgain: (seconds) =>
    `Verbindet neu${inSeconds(seconds)}. Das Auto hat von selbst angehalten.`,
  carSilent: {
    title: "Das Auto antwortet nicht",
    text: "Seit einem Moment kommt nichts von ihm. Es hält von selbst an.",
  },
  unfocused: {
    title: "Zum Fahren hier klicken",
    text: "Diese Seite hat nicht den Fokus.",
  },
  broken: "Das Auto kann nicht fahren, bis das repariert ist. Mehr steht in seinem Protokoll.",
  cannotDrive: "Es kann nicht mehr gefahren werden.",
  charge:
    "Das Auto lässt sich nicht freigeben. Laden Sie den Akku oder setzen Sie einen anderen ein.",
  letGo: {
    title: "Gas loslassen",
    text: "Das Auto wird freigegeben, sobald alles in Ruhe ist.",
  },
  stopped: "Gestoppt",
  inputLost: "Die Eingabe ging verloren",
  armToGoOn: (why) => `${why}. Geben Sie das Auto frei, um weiterzufahren.`,
  notArmed: "Das Auto ließ sich nicht freigeben",
  notArmedPicture: "Ihr Bild war zu alt. Drücken Sie noch einmal auf Freigeben.",
  notArmedLink:
    "Die Verbindung stockt, und das Auto hat diese Seite mit Lücken gehört. Drücken Sie noch einmal auf Freigeben.",
  isDisarmed: "Das Auto ist gesperrt",
  letGoThenArm: (lastStop) =>
    `${lastStop === null ? "" : `${lastStop}. `}Lassen Sie das Gas los und drücken Sie auf Freigeben.`,
  theDevice: "Das Gerät",
  notSetUp: (device) => ({
    title: `${device} ist nicht eingerichtet`,
    text: "Diese Seite weiß nicht, was seine Bedienteile bedeuten; darum fährt es noch nichts.",
  }),
  goOnMeanwhile: (text) => `${text} Sie können solange weiterfahren.`,
  stillThere: "Sind Sie noch da?",
  somebodyWaits: (person, car, seconds) =>
    `${person ?? "Ein Update"} wartet auf ${car}, und Sie tun nichts damit. Ohne Antwort wird es in ${seconds} s frei.`,
  actions: {
    take: "Zurückholen",
    stay: "Ich bin da",
    connect: "Neu verbinden",
    relay: "Über das Relais versuchen",
    back: "Zurück zu den Autos",
    reload: "Seite neu laden",
    "sign-in": "Anmelden",
    controls: "Einrichten",
  },
};

function inSeconds(seconds: number): string {
  return seconds > 0 ? ` in ${seconds} s` : "";
}
