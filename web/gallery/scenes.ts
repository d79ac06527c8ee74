/**
 * One scene for each row of the table of states (`src/core/app/banner.ts`), and the states that
 * need no banner.
 */

import { hudOf, type Facts } from "../src/core/app/display";
import type { Hud } from "../src/core/app/hud";
import type { Sample } from "../src/core/input/mixer";
import type { Phase } from "../src/core/link/session";
import type { DriveState } from "../src/protocol/state";
import type { TelemetryFrame } from "../src/protocol/telemetry";

export interface Scene {
  readonly name: string;
  readonly facts: Facts;
}

const NOW = 100_000;

const sample: Sample = {
  visible: true,
  focused: true,
  arm: false,
  brake: false,
  jog: false,
  lights: true,
  horn: false,
  source: "keyboard",
  ageMs: 0,
  steering: 0,
  throttle: 0,
};

const frame: TelemetryFrame = {
  state: "disarmed",
  reason: "none",
  braking: false,
  seq: 1,
  car_time: 0n,
  echo: null,
  steering: 0,
  throttle: 0,
  odometry: null,
  battery_mv: 7_900,
  battery_level: "good",
  switches: { lights: true, horn: false },
  speed_limit: null,
  speed_mm_s: 0,
  computer: {
    temperature: 512,
    heat: "good",
    supply: "good",
    wear: 3,
    load: 41,
    uptime_s: 4_000,
  },
  position: null,
  dropped: 0,
};

/** Connected, and nothing to complain about. */
const calm: Facts = {
  now: NOW,
  carName: "Blitz",
  driver: null,
  mayTake: false,
  question: null,
  relayOnly: false,
  phase: { name: "connected" },
  attempt: 0,
  signaling: { phase: "ready", user: "Ada", software: "rccar-host/1" },
  upSince: NOW - 60_000,
  telemetry: { frame, at: NOW - 10 },
  sample,
  armWanted: false,
  notice: null,
  device: { source: "keyboard", name: null },
  stranger: null,
  blind: null,
  linkSlow: false,
  armFailed: false,
  lastStop: null,
  ageMs: 74,
  rttMs: 46,
  stats: {
    bitrateKbps: 1_240,
    fps: 30,
    framesDecoded: 1_800,
    framesDropped: 0,
    packetsLost: 2,
    jitterMs: 4,
    path: { relayed: false, protocol: "UDP", family: "IPv6", local: "", remote: "" },
  },
  link: {
    host: "up",
    uplink: "mobile",
    interface: "wwan0",
    standby: 1,
    modem: { state: "up", rung: null, operator: "Telekom", signal: 68, fault: null },
  },
  carNotice: null,
};

/** A drive in this state, with other telemetry. */
const driving = (state: DriveState, more: Partial<TelemetryFrame> = {}): Partial<Facts> => ({
  armWanted: state !== "tripped" && state !== "disarmed",
  telemetry: { frame: { ...frame, state, ...more }, at: NOW - 10 },
});
const moving = { steering: 3_200, throttle: 5_400, speed_mm_s: 2_360 };
const steered = { ...sample, arm: true, steering: 0.36, throttle: 0.6 };
const without = (phase: Phase, more: Partial<Facts> = {}): Partial<Facts> => ({
  phase,
  upSince: null,
  telemetry: null,
  stats: null,
  link: null,
  ageMs: null,
  rttMs: null,
  blind: "no-picture",
  ...more,
});
const hostGone = { phase: "waiting", why: "lost", retryAt: NOW + 2_100 } as const;

const SCENES: Readonly<Record<string, Partial<Facts>>> = {
  disarmed: {},
  armed: { ...driving("armed", moving), sample: steered },
  slowed: {
    ...driving("armed", { ...moving, speed_limit: { share: 5_200, cause: "picture" } }),
    sample: steered,
    ageMs: 212,
    rttMs: 168,
  },
  braking: {
    ...driving("braking", { ...moving, throttle: 0, braking: true }),
    sample: { ...steered, brake: true },
  },
  "outdated page": without({ name: "waiting-host" }, { signaling: { phase: "outdated" } }),
  "signed out": without({ name: "waiting-host" }, { signaling: { phase: "signed-out" } }),
  "drive ended": without({ name: "ended", cause: { kind: "bye", reason: "ice-failed" } }),
  "not secured": without({ name: "ended", cause: { kind: "unsecured" } }),
  "host away before the drive": without({ name: "waiting-host" }, { signaling: hostGone }),
  "car away": without({ name: "waiting-car", why: "offline", askAt: NOW }),
  calling: without({ name: "asking", since: NOW }),
  "finding a path": without({ name: "negotiating", since: NOW }),
  "asked whether the driver is there": {
    question: { by: "Bob", update: false, until: NOW + 43_000 },
  },
  "path broken": {
    ...driving("armed", moving),
    phase: { name: "interrupted", since: NOW },
    blind: "picture-stopped",
  },
  "another path": {
    phase: { name: "restarting", since: NOW },
    telemetry: { frame: { ...frame, ...moving, state: "armed" }, at: NOW - 2_000 },
    lastStop: { by: "page", why: "car-silent" },
    blind: "picture-stopped",
    attempt: 1,
  },
  "path lost": without(
    { name: "retrying", at: NOW + 3_000 },
    { lastStop: { by: "page", why: "path-lost" } },
  ),
  "car silent": {
    telemetry: { frame: { ...frame, ...moving, state: "armed" }, at: NOW - 900 },
    blind: "picture-stopped",
  },
  "link slow, or picture stopped": {
    ...driving("tripped", { reason: "no-device" }),
    notice: "link-slow",
    linkSlow: true,
    lastStop: { by: "page", why: "link-slow" },
    rttMs: 640,
  },
  "picture old": {
    ...driving("tripped", { reason: "no-device" }),
    notice: "picture-old",
    blind: "picture-old",
    ageMs: 1_240,
    lastStop: { by: "page", why: "picture-old" },
  },
  "page without focus": {
    ...driving("disarmed", { reason: "unfocused" }),
    sample: { ...sample, focused: false },
  },
  device: {
    notice: "other-gamepad-took-over",
    device: { source: "gamepad", name: "Xbox Wireless Controller" },
    lastStop: { by: "page", why: "other-gamepad-took-over" },
  },
  "car broken": driving("tripped", { reason: "drive-service-lost" }),
  "car shuts down": driving("tripped", { reason: "shutdown" }),
  "battery empty": driving("tripped", {
    reason: "battery-empty",
    battery_mv: 6_050,
    battery_level: "empty",
  }),
  "arming waits for the throttle": {
    ...driving("arming"),
    sample: { ...sample, arm: true, throttle: 0.4 },
  },
  stopped: {
    ...driving("tripped", { reason: "stale-input" }),
    lastStop: { by: "car", why: "stale-input" },
  },
  "could not be armed": { armFailed: true },
  "throttle while disarmed": {
    sample: { ...sample, throttle: 0.5 },
    lastStop: { by: "page", why: "hidden" },
  },
  "unknown device": { stranger: "T150 Racing Wheel" },
  "the car says something": {
    carNotice: { level: "warning", text: "The camera was busy and has been opened again." },
  },
  "supply sags": driving("disarmed", {
    computer: frame.computer && { ...frame.computer, supply: "sags" },
  }),
  "computer hot": driving("disarmed", {
    computer: frame.computer && { ...frame.computer, heat: "hot", temperature: 824 },
  }),
  "host away while driving": {
    ...driving("armed", moving),
    sample: steered,
    signaling: hostGone,
  },
};

export const scenes: readonly Scene[] = Object.entries(SCENES).map(([name, change]) => ({
  name,
  facts: { ...calm, ...change },
}));

export function hudIn({ facts }: Scene): Hud {
  return hudOf(facts);
}
