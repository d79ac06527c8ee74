/** The pages around the cockpit: who is signed in, the cars, the releases. */

import { pluralIn } from "../plural";

const plural = pluralIn("en");

export const pages = {
  names: "Pages",
  cars: "Cars",
  releases: "Releases",
  people: "People",
  signOut: "Sign out",
  accountOf: (name: string) => `Account of ${name}`,
  connected: "Connected",
  connecting: "Connecting",
  tryingAgain: (trouble: string) => `${trouble}. Trying again`,
  outdated: "This page is outdated. Reload it",
  close: "Close",
  oneMoment: "One moment",
  noServer: "The server cannot be reached",
  noServerText: "This page goes on by itself as soon as it answers. Is this device online?",
  signingIn: "Signing in",
  serverSilent: "The server does not answer",
  linkFails: "This link does not work",
  mayStillWork: (trouble: string) => `${trouble} It may still work: try again when you are online.`,
  tryAgain: "Try again",
  otherWay: "Sign in another way",
  /** In the browser's tab. */
  tab: {
    setup: "Set up – rccar",
    signIn: "Sign in – rccar",
    password: "New password – rccar",
    account: "Account – rccar",
    people: "People – rccar",
    releases: "Releases – rccar",
    cars: "Cars – rccar",
    gone: "Server gone – rccar",
  },
};

export const signIn = {
  almost: "Almost there",
  noAccount: "This server has no account yet.",
  openLink:
    "Open the one-time set-up link that the server printed when it started. It is in the terminal or in the log of `rccar-host`.",
  toCar: "Sign in to the car",
  codeOnCard:
    "Enter its access code. The car has written it into provision-report.txt on its card.",
  enterCode: "Enter the car's access code.",
  signIn: "Sign in",
  code: "Code",
  welcome: "Welcome back",
  toDrive: "Sign in to drive.",
  name: "Name",
  password: "Password",
  setUp: "Set up your server",
  firstAccount: "Make the first account. It may drive every car and add new ones.",
  makeAccount: "Make account",
  passwordAgain: "Password again",
  choose: "Choose a password",
  chooseText:
    "The link works once. It signs you in here and ends all other sign-ins of your account.",
  savePassword: "Save password",
  differ: "The two passwords differ.",
  newPassword: "New password",
  newPasswordAgain: "New password again",
};

export const account = {
  title: "Your account",
  where: "Where you are signed in",
  browser: "A browser",
  since: (network: string | null, day: string, seen: string | null) =>
    `${network === null ? "" : `From ${network}, `}since ${day}${
      seen === null ? "" : `, last seen ${seen}`
    }`,
  thisOne: "This one",
  endOne: (browser: string, day: string) => `Sign out: ${browser}, since ${day}`,
  endOthers: "Sign out everywhere else",
  driveEnds: "A drive from a browser that you sign out ends at once.",
  changed: "Your password is changed. All other browsers are signed out.",
  change: "Change password",
  present: "Present password",
  none: "This account has none and signs in by links. For a password ask the person who runs the server for a password link.",
};

export const releases = {
  intro: "Signed images that cars fetch by themselves and install when they are parked.",
  add: "Add a release",
  nothing: "Nothing here yet. Cars keep the image that they have.",
  by: (day: string, person: string | null) => `${day}${person === null ? "" : ` by ${person}`}`,
  signedBy: (signer: string) => `signed by ${signer}`,
  offered: "Offered to {share}",
  share: (percent: number) => `${percent} % of the cars`,
  resume: "Resume",
  pause: "Pause",
  keep: "Keep",
  removeForGood: "Remove for good",
  remove: "Remove",
  paused: "Paused",
  forNone: "For no car yet",
  forAll: "For all cars",
  choose: "Choose a signed bundle {kind}",
  channel: "Channel",
  channelHint: "Lower-case letters, digits and hyphens",
  howMany: "For how many cars at first {share}",
  whatIsNew: "What is new",
  upload: "Upload and check",
  checking: "The server checks signature and content",
  uploading: "Uploading",
  sizeOf: (sent: string, total: string) => `${sent} of ${total}`,
  cancel: "Cancel",
  taken: "{version} is whole and signed by {signer}. It runs on {board}.",
  refused: (name: string) => `Refused: ${name}`,
  dismiss: "Dismiss",
  noKeyring:
    "This server takes no bundles: it cannot check signatures. Put the cars' keyring beside its configuration and name it as `keyring` in `[releases]`.",
  tooLarge: (size: string, most: string) =>
    `The bundle has ${size}; this server takes ${most} at most.`,
};

export const cars = {
  this: "This car",
  yours: "Your cars",
  asking: "Asking the server",
  noneFits: "No car fits.",
  showAll: "Show all",
  add: "Add a car",
  notYet: "Has not registered yet",
  mine: "Yours",
  of: (owner: string) => `${owner}'s`,
  remove: "Remove",
  drive: { available: "Drive", busy: "Open", offline: "Wait for it" },
  open: "Open",
  openCar: (what: string, car: string) => `${what}: ${car}`,
  ready: "Ready",
  offline: "Offline",
  busy: "Busy",
  drives: (driver: string) => `${driver} drives`,
  noCars: "No cars yet",
  flash: "Flash the image onto an SD card.",
  putFile: "Add the car here and put the file you get onto the card.",
  switchOn: "Put the card into the car and switch it on. It appears here by itself.",
  soFar: (known: string, number: number) =>
    plural(number, {
      one: `${known} car so far, more are coming`,
      other: `${known} cars so far, more are coming`,
    }),
  nothing: "Nothing to drive so far",
  fit: (total: string, known: string, ready: string) =>
    `${total} of ${known} cars fit, ${ready} ready to drive`,
  noneReady: "None is ready right now",
  areReady: (ready: string, total: string) => `${ready} of ${total} ready to drive`,
  install: (version: string) => `Install ${version}`,
  installOn: (version: string, car: string) => `Install ${version} on ${car}`,
  removeThis: (car: string) => `Remove ${car}?`,
  removeText:
    "A drive under way ends at once. The car then shows a code on its own page, and whoever types that code here owns it.",
  keepIt: "Keep it",
  removeIt: "Remove it",
  search: "Search by name, owner or identifier",
  searchHint: "Name, owner or identifier",
  show: "Show",
  shows: { all: "All", own: "Mine", ready: "Ready" },
  sort: "Sort",
  sorts: { ready: "Ready first", name: "Name" },
  parts: "Parts of the list",
  previous: "Previous",
  next: "Next",
  part: (first: string, last: string, total: string) => `${first} to ${last} of ${total}`,
};
