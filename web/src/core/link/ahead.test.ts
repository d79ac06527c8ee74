import { beforeEach, describe, expect, it } from "vitest";
import type { ToDriver } from "../../protocol/signaling";
import { effectsOf } from "../effects";
import { Ahead, type Effect } from "./ahead";

const CAR = "eh7ddx5bksrgcytl7bkai36se4";
const OTHER_CAR = "bgmpdvrrtfh4ypzyz3dmhgknqy";
const ID = "00000000000000aa";
const OTHER = "00000000000000bb";

let ahead: Ahead;

beforeEach(() => {
  ahead = new Ahead();
  ahead.handleHost(true);
});

const effects = (): Effect[] => [...effectsOf(ahead)];
const asks = (car: string) => [{ kind: "send", message: { type: "prepare", car } }];
const prepared = (session: string, car = CAR): ToDriver => ({
  type: "prepared",
  session,
  car,
  ice_servers: [],
});
const offer = (session: string, generation = 1): ToDriver => ({
  type: "offer",
  session,
  generation,
  sdp: "v=0",
});
const bye = (session: string): ToDriver => ({
  type: "bye",
  session,
  reason: "driver-left",
  by: null,
});

function prepare(): void {
  ahead.handleWanted(CAR, true, 0);
  ahead.handleMessage(prepared(ID));
  ahead.handleMessage(offer(ID));
  effects();
}

describe("a session ahead of the click", () => {
  it("is asked for, answered, and ready", () => {
    ahead.handleWanted(CAR, true, 0);
    expect(effects()).toEqual(asks(CAR));
    ahead.handleMessage(prepared(ID));
    ahead.handleMessage(offer(ID));
    expect(effects()).toEqual([
      { kind: "open-peer", iceServers: [] },
      { kind: "offer", generation: 1, sdp: "v=0" },
    ]);
    ahead.handlePeer({ kind: "answer", generation: 1, sdp: "v=0 answer" });
    expect(effects()).toEqual([
      { kind: "send", message: { type: "answer", session: ID, generation: 1, sdp: "v=0 answer" } },
    ]);
    expect([ahead.session, ahead.generation]).toEqual([ID, 1]);
  });

  it("waits until a pointer rests, and forgets one that passes", () => {
    ahead.handleWanted(CAR, false, 0);
    expect(ahead.pollTimeout()).toBe(50);
    ahead.handleUnwanted();
    ahead.handleTimeout(50);
    expect(effects()).toEqual([]);
    ahead.handleWanted(CAR, false, 100);
    ahead.handleTimeout(149);
    expect(effects()).toEqual([]);
    ahead.handleTimeout(150);
    expect(effects()).toEqual(asks(CAR));
  });

  it("is asked for once, however often the hand comes back", () => {
    prepare();
    for (let now = 0; now < 20_000; now += 100) {
      ahead.handleWanted(CAR, true, now);
      ahead.handleTimeout(now);
    }
    expect(effects()).toEqual([]);
  });

  it("asks at most once in a second or so, whatever is wanted", () => {
    let asked = 0;
    for (let now = 0; now <= 11_000; now += 10) {
      ahead.handleWanted(now % 20 === 0 ? CAR : OTHER_CAR, true, now);
      ahead.handleTimeout(now);
      asked += effects().length;
    }
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThanOrEqual(11);
  });

  it("gives up the one for another car", () => {
    prepare();
    ahead.handleWanted(OTHER_CAR, true, 2_000);
    expect(effects()).toEqual([{ kind: "close-peer" }, ...asks(OTHER_CAR)]);
    ahead.handleMessage(offer(ID, 2));
    expect(effects()).toEqual([]);
  });

  it("tries again when the host has refused in silence, but not soon", () => {
    ahead.handleWanted(CAR, true, 0);
    effects();
    ahead.handleWanted(CAR, true, 4_999);
    expect(effects()).toEqual([]);
    ahead.handleWanted(CAR, true, 5_000);
    expect(effects()).toEqual(asks(CAR));
  });

  it("ends with a bye of the host, and can be asked for again", () => {
    prepare();
    ahead.handleMessage(bye(OTHER));
    expect(effects()).toEqual([]);
    ahead.handleMessage(bye(ID));
    expect(effects()).toEqual([{ kind: "close-peer" }]);
    ahead.handleWanted(CAR, true, 30_000);
    expect(effects()).toEqual(asks(CAR));
  });

  it("is given back when the page is hidden, and lost when the host is", () => {
    prepare();
    ahead.handleAway();
    expect(effects()).toEqual([
      { kind: "send", message: { type: "bye", session: ID, reason: "driver-left" } },
      { kind: "close-peer" },
    ]);
    ahead.handleAway();
    expect(effects()).toEqual([]);
    ahead.handleWanted(CAR, true, 10_000);
    ahead.handleMessage(prepared(ID));
    effects();
    ahead.handleHost(false);
    expect(effects()).toEqual([{ kind: "close-peer" }]);
    ahead.handleWanted(CAR, true, 20_000);
    expect(effects()).toEqual([]);
  });

  it("leaves the peer connection to the cockpit that takes it", () => {
    prepare();
    ahead.handleTaken();
    ahead.handleConnecting();
    expect(effects()).toEqual([]);
    expect(ahead.session).toBeNull();
  });

  it("is void when another session begins", () => {
    prepare();
    ahead.handleConnecting();
    expect(effects()).toEqual([{ kind: "close-peer" }]);
  });

  it("is given back when its path fails", () => {
    prepare();
    ahead.handlePeer({ kind: "failed" });
    expect(effects().map(({ kind }) => kind)).toEqual(["send", "close-peer"]);
  });

  it("takes no answer to a question that it has not asked", () => {
    ahead.handleMessage(prepared(ID));
    ahead.handleWanted(CAR, true, 0);
    effects();
    ahead.handleMessage(prepared(ID, OTHER_CAR));
    expect(effects()).toEqual([]);
    ahead.handleMessage(prepared(ID));
    ahead.handleMessage(prepared(OTHER));
    expect(effects()).toEqual([{ kind: "open-peer", iceServers: [] }]);
  });
});
