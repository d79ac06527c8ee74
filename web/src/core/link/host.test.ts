import { beforeEach, describe, expect, it } from "vitest";
import { effectsOf } from "../effects";
import { HostLink, type Effect } from "./host";

const WELCOME = JSON.stringify({
  type: "welcome",
  v: 1,
  user: "Ada",
  software: "rccar-host/0.1.0",
  cars: [],
});

let host: HostLink;

beforeEach(() => {
  host = new HostLink("test/1");
});

describe("HostLink", () => {
  it("opens, greets, and is ready before it hands on the welcome", () => {
    host.handleStart(0);
    expect(effects()).toEqual([
      { kind: "state", state: { phase: "connecting" } },
      { kind: "open" },
    ]);
    host.handleOpen();
    expect(effects()).toEqual([
      { kind: "send", message: { type: "hello", v: 1, software: "test/1", lists: [1] } },
    ]);
    host.handleData(WELCOME, 100);
    expect(effects().map(({ kind }) => kind)).toEqual(["state", "message"]);
    expect(host.state.phase).toBe("ready");
  });

  it("lets go of the socket before it waits, and opens one when it says", () => {
    becomeReady();
    host.handleClose(1006, 100, 0.5);
    expect(effects()).toEqual([
      { kind: "close" },
      { kind: "state", state: { phase: "waiting", why: "lost", retryAt: 475 } },
    ]);
    host.handleTimeout(474, 0.5);
    expect(effects()).toEqual([]);
    expect(host.pollTimeout()).toBe(475);
    host.handleTimeout(475, 0.5);
    expect(effects()).toContainEqual({ kind: "open" });
  });

  it("pings when it says, and gives a silent host up after ten seconds", () => {
    becomeReady();
    host.handleTimeout(5_000, 0.5);
    expect(effects()).toEqual([{ kind: "send", message: { type: "ping", id: 1 } }]);
    host.handleTimeout(10_000, 0.5);
    expect(effects()).toEqual([{ kind: "send", message: { type: "ping", id: 2 } }]);
    host.handleTimeout(15_000, 0.5);
    expect(host.state).toMatchObject({ phase: "waiting", why: "silent" });
  });

  it.each<[string, (() => void)[]]>([
    ["stopped", []],
    ["stopped again", [becomeReady, () => host.handleStop()]],
    ["signed out", [becomeReady, () => host.handleClose(4401, 10, 0.5)]],
    [
      "outdated",
      [() => host.handleStart(0), () => host.handleData(WELCOME.replace('"v":1', '"v":2'), 10)],
    ],
  ])("asks for no time while it is %s", (phase, steps) => {
    for (const step of steps) step();
    effects();
    expect(host.state.phase).toBe(phase.replace(" again", "").replace(" ", "-"));
    expect(host.pollTimeout()).toBeNull();
    host.handleTimeout(60_000, 0.5);
    expect(effects()).toEqual([]);
  });

  it("never asks twice for the same time", () => {
    host.handleStart(0);
    let before = -1;
    for (let turn = 0; turn < 200; turn += 1) {
      const due = host.pollTimeout() ?? Infinity;
      expect(due).toBeGreaterThan(before);
      host.handleTimeout(due, 0);
      if (turn % 7 === 3 && host.state.phase === "connecting") host.handleData(WELCOME, due);
      effects();
      before = due;
    }
  });
});

function becomeReady(): void {
  host.handleStart(0);
  host.handleOpen();
  host.handleData(WELCOME, 0);
  effects();
}

function effects(): Effect[] {
  return [...effectsOf(host)];
}
