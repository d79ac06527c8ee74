/** The drive: its states, why it stops, and what the banner says. */

const TAKEN_OVER =
  "was moved while another device drove, so the car was disarmed. Arm again to drive with it.";
const takenOver = (title: string) => ({ title, text: `It ${TAKEN_OVER}` });

export const drive = {
  state: {
    disarmed: "Disarmed",
    arming: "Arming",
    armed: "Armed",
    holding: "Holding",
    braking: "Braking",
    tripped: "Stopped",
    jogging: "Trying",
  },
  noAnswer: "No answer",
  waitingForCar: "Waiting for the car",
  notConnected: "Not connected",
  lastStop: (why: string) => `Last stop: ${why}`,
  slowed: (percent: number, why: string) => `Slowed to ${percent} %: ${why}`,
  /** Why the wheels do not follow. Empty where the state alone is clear. */
  stop: {
    none: "",
    silent: "The car hears nothing from this page",
    hidden: "The page was hidden",
    unfocused: "The page lost the focus",
    "stale-input": "Your input was too old",
    "no-device": "The page had nothing to drive by",
    "driver-disarmed": "You disarmed",
    "driver-left": "No driver",
    "drive-service-lost": "The drive service of the car does not answer",
    "actuator-fault": "The steering or motor reports a fault",
    shutdown: "The car is shutting down",
    "battery-empty": "The battery is empty",
    "old-picture": "Your picture was too old",
    calibrating: "Somebody calibrates the car at its own terminal",
  },
  otherStop: (reason: string) => `The car's reason: ${reason}`,
  /** Why this page disarmed, in one line. */
  pageStop: {
    "car-silent": "The car did not answer",
    "gamepad-gone": "The gamepad was gone",
    "gamepad-still": "The gamepad stood still",
    "touch-lost": "The touch was interrupted",
    "link-slow": "The link was too slow",
    "setting-up": "The controls were set up",
    "no-picture": "There was no picture",
    "picture-stopped": "The picture stopped",
    "picture-old": "The picture was too old",
    "keyboard-took-over": "The keyboard took over",
    "gamepad-took-over": "The gamepad took over",
    "other-gamepad-took-over": "The other gamepad took over",
    "touch-took-over": "The touch sticks took over",
    hidden: "The page was hidden",
    unfocused: "The page lost the focus",
    "system-key": "A key of the system was pressed",
    "path-lost": "The link to the car was lost",
    "not-armed": "The car could not be armed",
  },
  /** Why the car is slow, behind the share of the throttle that is left. */
  limit: { picture: "the picture is old", battery: "the battery is low" },
  /** Beside the voltage. Empty where the voltage alone is enough. */
  battery: { unknown: "not guarded", good: "", low: "low", limited: "slower", empty: "empty" },
  batteryAlone: "battery",

  /** What a device or the picture does to the drive. */
  notice: {
    "gamepad-gone": {
      title: "Gamepad gone",
      text: "The car is stopping. Touch the device you want to drive with, then arm again.",
    },
    "gamepad-still": {
      title: "Is the gamepad still there?",
      text: "Nothing on it has moved in the least for a while, as if it had lost its radio. A throttle held quite still for five seconds looks the same. Let go, then arm again.",
    },
    "touch-lost": {
      title: "The touch was interrupted",
      text: "The device took your finger for something else. Put it back on the stick, then arm again.",
    },
    "link-slow": {
      title: "The link is too slow: you cannot drive",
      text: "The car's answers take longer than half a second, or do not come. The car stops. Wait until this goes away, let go, then arm again.",
    },
    "setting-up": {
      title: "You are setting up the controls",
      text: "The car cannot be armed meanwhile. Close the panel to drive.",
    },
    "no-picture": {
      title: "Waiting for the picture",
      text: "The car can be armed once it is there.",
    },
    "picture-stopped": {
      title: "The picture has stopped: you cannot drive",
      text: "No new picture has come for half a second. The car stops. Wait until the picture moves, let go, then arm again.",
    },
    "picture-old": {
      title: "The picture is too old: you cannot drive",
      text: "It shows where the car was, not where it is. The car stops. Wait until this goes away, let go, then arm again.",
    },
    "keyboard-took-over": takenOver("The keyboard steers now"),
    "gamepad-took-over": takenOver("The gamepad steers now"),
    "other-gamepad-took-over": takenOver("The other gamepad steers now"),
    "touch-took-over": takenOver("The touch sticks steer now"),
  },
  /** Of two gamepads only the name tells which one is meant. */
  tookOver: (name: string) => `${name} ${TAKEN_OVER}`,
  pictureIsOld: (seconds: string) => `The picture is ${seconds} s old: you cannot drive`,

  /** What the car's computer suffers from. */
  computer: {
    sags: {
      title: "The 5 V supply sags",
      text: "The car's computer gets too little voltage and may restart while you drive. Look at its battery, converter and cable.",
    },
    hot: {
      title: "The car's computer is hot",
      text: "It slows down, and the picture may stutter. Let it rest, or give it air.",
    },
  },

  /** Seconds that are counted down stand before a full stop: they are not read aloud. */
  tryingAgain: (seconds: number) => `Trying again${inSeconds(seconds)}.`,
  connectsByItself: " This page connects by itself as soon as it is back.",
  calling: (car: string) => `Calling ${car}`,
  waitingForOffer: "Waiting for the car's picture.",
  shortestLink: "Looking for the shortest link.",
  linkBroken: {
    title: "The link to the car is broken",
    text: "Waiting a moment for it to heal. The car stops by itself.",
  },
  anotherLink: "Looking for another link",
  serverAwayToo:
    "The server is away as well; it is needed to find one. The car has stopped by itself.",
  attempt: (number: number) => `Attempt ${number}. The car stops by itself.`,
  stopsMeanwhile: "The car stops by itself meanwhile.",
  linkLost: "The link to the car is lost",
  connectingAgain: (seconds: number) =>
    `Connecting again${inSeconds(seconds)}. The car has stopped by itself.`,
  carSilent: {
    title: "The car does not answer",
    text: "No word from it for a moment. It stops by itself.",
  },
  unfocused: { title: "Click here to drive", text: "This page does not have the focus." },
  broken: "The car cannot be driven until this is repaired. Its log has more.",
  cannotDrive: "It cannot be driven any more.",
  charge: "The car cannot be armed. Charge the battery or put in another one.",
  letGo: { title: "Let go of the throttle", text: "The car arms once it has rested at neutral." },
  stopped: "Stopped",
  inputLost: "Input was lost",
  armToGoOn: (why: string) => `${why}. Arm to go on.`,
  notArmed: "The car could not be armed",
  notArmedPicture: "Your picture was too old. Press Arm again.",
  notArmedLink: "The link stutters, and the car heard this page with gaps. Press Arm again.",
  isDisarmed: "The car is disarmed",
  letGoThenArm: (lastStop: string | null) =>
    `${lastStop === null ? "" : `${lastStop}. `}Let go of the throttle, then press Arm.`,
  theDevice: "The device",
  notSetUp: (device: string) => ({
    title: `${device} is not set up`,
    text: "This page does not know what its controls mean, so it drives nothing yet.",
  }),
  goOnMeanwhile: (text: string) => `${text} You can go on driving meanwhile.`,
  stillThere: "Are you still there?",
  /** `person`: who waits; `null`: an update does. */
  somebodyWaits: (person: string | null, car: string, seconds: number) =>
    `${person ?? "An update"} waits for ${car}, and you do nothing with it. Without an answer it is freed in ${seconds} s.`,
  actions: {
    take: "Take it back",
    stay: "I am here",
    connect: "Connect again",
    relay: "Try through the relay",
    back: "Back to the cars",
    reload: "Reload the page",
    "sign-in": "Sign in",
    controls: "Set it up",
  },
};

function inSeconds(seconds: number): string {
  return seconds > 0 ? ` in ${seconds} s` : "";
}
