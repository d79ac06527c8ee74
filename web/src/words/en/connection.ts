/** Between page, server and car: why a drive ended, what the server refuses, and its state. */

export const connection = {
  /** Why a drive ended, by the reason on the wire. */
  bye: {
    "driver-left": { title: "You left the car", text: "The car is free for somebody else." },
    "driver-gone": {
      title: "Your connection broke off",
      text: "The server did not hear from this page for too long and ended the drive.",
    },
    "car-left": { title: "The car ended the drive", text: "It may be starting again." },
    "car-gone": {
      title: "The car is gone",
      text: "It lost its connection to the server and did not come back. Has it left the network, or is its battery empty?",
    },
    replaced: {
      title: "Opened in another page",
      text: "You opened this car in another tab or on another device, which drives it now.",
    },
    "car-busy": {
      title: "Somebody else drives this car",
      text: "You can connect once they have left.",
    },
    "ice-failed": {
      title: "No link to the car",
      text: "Neither a direct link nor the relay works. Is UDP blocked on this network or on the car's? A mobile hotspot or another network often helps; otherwise the server's TURN relay may be down.",
    },
    "no-h264": {
      title: "This browser cannot show the picture",
      text: "The car sends H.264 video, which this browser cannot receive. Firefox fetches its H.264 plugin some minutes after its first start: open about:addons, Plugins, and let OpenH264 always activate. Chrome, Edge and Safari can; some builds of Chromium leave it out.",
    },
    "bad-description": {
      title: "The browser and the car do not understand each other",
      text: "One of them sent a description that the other cannot use. Is either of them very old?",
    },
    revoked: {
      title: "You may no longer drive this car",
      text: "Your right to drive it was taken back. Ask the person who runs the server.",
    },
    "taken-back": {
      title: "The car was taken back",
      text: "Its owner, or an admin of the server, drives it now.",
    },
    idle: {
      title: "You were away, and somebody waits",
      text: "The car was freed because nobody answered. Connect again if it is still free.",
    },
    shutdown: {
      title: "The car has shut down",
      text: "Its program was stopped, perhaps for an update.",
    },
    internal: {
      title: "Something broke",
      text: "A program reported a fault of its own; its log has more.",
    },
  },
  /** A link was found, and the connection on it could not be secured. */
  unsecured: {
    title: "The connection could not be secured",
    text: "A link to the car was found, but the browser and the car did not agree on its encryption, or something on the way answered in the car's place. Try another network. If that does not help, restart the car and update the browser.",
  },
  otherBye: (reason: string) => ({
    title: "The drive has ended",
    text: `The reason is one that this page does not know: ${reason}.`,
  }),
  tookBack: (person: string) => `${person} took the car back`,
  drivesThisCar: (driver: string) => `${driver} drives this car`,

  /** Why the server refused, by the code on the wire. */
  error: {
    malformed: {
      title: "The server did not understand this page",
      text: "Reload the page to get the server's own version.",
    },
    "unknown-type": {
      title: "The server did not understand this page",
      text: "Reload the page to get the server's own version.",
    },
    "too-large": {
      title: "The message was too large",
      text: "The server refused it. Reload the page and try again.",
    },
    "rate-limited": {
      title: "Too many attempts",
      text: "The server asks for a little patience. Try again in a minute.",
    },
    "unsupported-version": {
      title: "This page does not fit the server",
      text: "They speak different versions. Reload the page.",
    },
    "out-of-order": {
      title: "That came at the wrong time",
      text: "The conversation got out of step. Connect again.",
    },
    "not-signed-in": { title: "You are signed out", text: "Sign in again to go on." },
    forbidden: {
      title: "You may not drive this car",
      text: "Ask the person who runs the server for the right to drive it.",
    },
    "no-such-car": {
      title: "No such car",
      text: "The server does not know this car. Was it removed?",
    },
    "car-offline": {
      title: "The car is offline",
      text: "Is it switched on, and does it have a network?",
    },
    "car-busy": {
      title: "Somebody else drives this car",
      text: "You can connect once they have left.",
    },
    "no-such-session": {
      title: "The drive has ended",
      text: "The server does not know this drive any more. Connect again.",
    },
    "not-enrolled": {
      title: "The car is not on the server's list",
      text: "Add it to the list by a file for its card or by the code that it shows.",
    },
    "bad-signature": {
      title: "The car could not prove who it is",
      text: "Its key does not match. Add it to the list again.",
    },
    timeout: {
      title: "The car does not answer",
      text: "It is connected to the server but sent no video offer in time. Its network may be very slow right now.",
    },
    "slow-reader": {
      title: "This page fell behind",
      text: "The server broke off because messages piled up. Connect again.",
    },
    internal: { title: "The server has a fault", text: "Something broke there; its log has more." },
  },
  refuses: "The server refuses",
  itsReason: (reason: string) => `Its reason: ${reason}.`,
  isOffline: (car: string) => `${car} is offline`,

  /** Why there is no connection to the server. */
  server: {
    unreachable: "The server cannot be reached",
    lost: "The connection to the server broke off",
    silent: "The server has fallen silent",
    "slow-reader": "This page was too slow for the server",
    "too-large": "The server refused a message of this page",
    "rate-limited": "The server asks this page to slow down",
  },
  connectingToServer: { title: "Connecting to the server", text: "One moment." },

  /** Answers to requests. */
  request: {
    noAnswer: "The server cannot be reached. Is this device online?",
    tooMany: "Too many attempts. Wait a minute and try again.",
    wrongPassword: "Wrong name or password.",
    wrongCode: "Wrong code.",
    wrongLink: "This link was used before, has expired, or is incomplete. Ask for a new one.",
    status: (status: number) => `The server answered with status ${status}.`,
    /** A text that is shown as it was sent, because its code is unknown. */
    sent: (text: string) => text,
    /** By code. What is empty is shown in the server's own words. */
    codes: {
      "set-up-already": "This server has been set up already. Sign in with your account.",
      "wrong-password": "",
      "weak-password": "",
      "no-password": "",
      "no-such-code": "",
      "no-such-car": "",
      "no-such-sign-in": "",
      forbidden: "",
      "not-signed-in": "",
      "car-offline": "",
      "not-on-request": "",
      "no-such-release": "",
      "release-exists": "",
      "no-keyring": "",
      "no-space": "",
      "too-large": "",
      busy: "",
      timeout: "",
      internal: "",
      "plain-http": "",
      "foreign-origin": "",
    },
  },

  /** The parts of the connection: a few letters, and more for those who point at them. */
  rungs: {
    serverAway: "Server away",
    pageLostServer: "This page has lost the server. Driving goes on without it.",
    carLostServer: "The car has lost the server. Driving goes on without it.",
    server: "Server",
    serverHint: "Page and car are connected to the server.",
    link: "Link",
    linkHint: "Picture and commands flow.",
    linkSilent: "Link silent",
    linkSilentHint: "Nothing comes from the car.",
    linkSlow: "Link slow",
    linkSlowHint: "The car's answers are late.",
    pictureComing: "The picture is on its way.",
    noPicture: "No picture",
    noPictureHint: "Commands flow, the picture does not.",
    pictureLate: "Picture late",
    pictureLateHint: "Commands flow, the picture comes too late.",
    newLink: "New link",
    newLinkHint: "Page and car look for another link.",
    finding: "Finding a link",
    findingHint: "Page and car look for a link.",
    none: "No link",
    noneHint: "There is no connection to the car.",
    noUplink: "No Internet",
    noUplinkHint: "The car has no way into the Internet.",
    uplink: "Internet",
    uplinkHint: (name: string | null, standby: number) =>
      `The car's way into the Internet${name === null ? "" : ` (${name})`}. ${
        standby === 0 ? "No other one stands by." : `${standby} more stand by.`
      }`,
    cable: "Cable",
    wifi: "Wi-Fi",
    mobile: "Mobile",
    modemHint: "What the car does to bring its mobile link back.",
    modemFaultHint: "The modem needs a person.",
    modemReconnects: "Modem reconnects",
    soon: (what: string) => `${what} soon`,
    modemOther: (what: string) => `Modem: ${what}`,
    modem: {
      reconnect: "Modem connects",
      "cycle-bearer": "Modem connects again",
      "cycle-radio": "Modem's radio restarts",
      reset: "Modem is reset",
      "restart-daemon": "Modem service restarts",
      "cycle-usb": "Modem's power is cycled",
      reboot: "Car restarts for its modem",
    },
  },
};
