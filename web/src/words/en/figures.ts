/** Figures of the car, of the connection and of updates. */

export const figures = {
  /** Seconds, minutes, hours, days: whole numbers. */
  seconds: (n: number) => `${n} s`,
  minutes: (n: number) => `${n} min`,
  hours: (n: number) => `${n} h`,
  days: (n: number) => `${n} days`,
  ago: (text: string, duration: string) => `${text} · ${duration} ago`,
  warm: "warm",
  hot: "hot",
  noThermometer: "Nothing measures the computer's temperature",
  computer: "The computer",
  busyTo: (percent: number) => `busy to ${percent} %`,
  onFor: (duration: string) => `on for ${duration}`,
  supply: (words: string) => `5 V ${words}`,
  sagged: "sagged",
  sags: "sags",
  saggedHint: "The computer's supply was too low for a moment.",
  sagsHint: "The computer's supply is too low: it may restart.",
  worn: (percent: number) => `Storage worn ${percent} %`,
  wornHint: "The memory on which the car keeps its programs comes to the end of its life.",
  positionHint: "Where the car is, by its satellite receiver: north and east in degrees.",

  direct: "Direct",
  relayed: "Relayed",
  devices: {
    none: "No device yet",
    keyboard: "Keyboard",
    gamepad: "Gamepad",
    touch: "Touch",
  },
  theCar: "the car",

  /** The last minute, for people who cannot see the plot. */
  minute: {
    unknown: (name: string) => `${name} unknown`,
    figure: (name: string, last: number, unit: string, most: number) =>
      `${name} ${last} ${unit}, at most ${most}`,
    age: "age of the picture",
    roundTrip: "round trip",
    video: "video",
    lost: (packets: number) => `${packets} packets lost`,
  },

  update: {
    newVersion: "a new version",
    other: (target: string, state: string) => `The update to ${target}: ${state}`,
    runs: (version: string) => `Runs ${version}`,
    lastFailed: (running: string, version: string | null) =>
      `Runs ${running}. The last update${version === null ? "" : ` to ${version}`} failed`,
    getting: (target: string, soFar: string | null) =>
      `Getting ${target}${soFar === null ? "" : ` (${soFar} so far)`}`,
    waits: (target: string) => `The update to ${target} waits`,
    restarting: (target: string) => `Restarting into ${target}`,
    trying: (version: string) => `Trying out ${version}`,
    failed: (target: string, running: string) => `The update to ${target} failed. Runs ${running}`,
  },
};
