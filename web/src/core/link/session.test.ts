import { beforeEach, describe, expect, it } from "vitest";
import type { CarPresence, ErrorCode } from "../../protocol/common";
import type { ToDriver } from "../../protocol/signaling";
import type { OtherWord } from "../../protocol/words";
import { effectsOf } from "../effects";
import { Session, type Effect, type PeerEvent } from "./session";

const CAR = "eh7ddx5bksrgcytl7bkai36se4";
const ID = "00000000000000aa";
const OTHER = "00000000000000bb";

let session: Session;

beforeEach(() => {
  session = new Session({ car: CAR, trickle: true });
});

describe("a session that is found", () => {
  it("asks for the car as soon as the host is there", () => {
    session.handleHost(true, 0);
    expect(effects()).toEqual([send({ type: "connect", car: CAR, trickle: true, take: null })]);
    expect(session.phase.name).toBe("asking");
  });

  it("opens a peer, answers the offer and is connected", () => {
    session.handleHost(true, 0);
    effects();
    session.handleMessage(connecting(ID), 10);
    session.handleMessage(offer(ID, 1), 20);
    expect(effects()).toEqual([
      { kind: "open-peer", session: ID, iceServers: [] },
      { kind: "offer", generation: 1, sdp: "v=0" },
    ]);
    session.handlePeer({ kind: "answer", generation: 1, sdp: "v=0 answer" }, 30);
    expect(effects()).toEqual([
      send({ type: "answer", session: ID, generation: 1, sdp: "v=0 answer" }),
    ]);
    session.handlePeer({ kind: "up" }, 40);
    expect(session.phase.name).toBe("connected");
  });

  it("passes candidates both ways and drops those of older generations", () => {
    connect();
    session.handleMessage(offer(ID, 3), 100);
    effects();
    const candidate = { candidate: "candidate:1", sdp_mid: "0", sdp_m_line_index: null };
    for (const generation of [1, 2, 3, 4]) {
      session.handleMessage({ type: "candidate", session: ID, generation, candidate }, 110);
      session.handlePeer({ kind: "candidate", generation, candidate }, 110);
    }
    expect(effects()).toEqual([
      { kind: "candidate", generation: 3, candidate },
      send({ type: "candidate", session: ID, generation: 3, candidate }),
      { kind: "candidate", generation: 4, candidate },
    ]);
  });

  it("hands new credentials on", () => {
    connect();
    session.handleMessage({ type: "ice-servers", session: OTHER, ice_servers: [] }, 100);
    expect(effects()).toEqual([]);
    session.handleMessage({ type: "ice-servers", session: ID, ice_servers: [] }, 100);
    expect(effects()).toEqual([{ kind: "ice-servers", iceServers: [] }]);
  });

  it("ignores what belongs to another session", () => {
    connect();
    session.handleMessage(offer(OTHER, 2), 100);
    session.handleMessage({ type: "bye", session: OTHER, reason: "car-left", by: null }, 100);
    session.handleMessage(error("no-such-session", { session: OTHER }), 100);
    expect(effects()).toEqual([]);
    expect(session.phase.name).toBe("connected");
  });

  it("ignores an offer that is not newer", () => {
    connect();
    session.handleMessage(offer(ID, 1), 100);
    expect(effects()).toEqual([]);
  });

  it("gives back a car that arrives after it was given up", () => {
    session.handleHost(true, 0);
    session.handleLeave();
    effects();
    session.handleMessage(connecting(ID), 10);
    expect(effects()).toEqual([send({ type: "bye", session: ID, reason: "driver-left" })]);
  });
});

describe("a session that was prepared", () => {
  beforeEach(() => {
    session.handleHost(true, 0);
    session.handleMessage(connecting(ID), 10);
    session.handlePrepared(1, 10);
    effects();
  });

  it("is connected at once, without another offer", () => {
    expect(session.phase.name).toBe("negotiating");
    session.handlePeer({ kind: "up" }, 11);
    expect(session.phase.name).toBe("connected");
    session.handleMessage(offer(ID, 1), 12);
    expect(effects()).toEqual([]);
    session.handleMessage(offer(ID, 2), 13);
    expect(effects()).toEqual([{ kind: "offer", generation: 2, sdp: "v=0" }]);
  });

  it("waits for its offer, if the driver was faster", () => {
    session.handlePrepared(0, 10);
    session.handleMessage(offer(ID, 1), 20);
    expect(effects()).toEqual([{ kind: "offer", generation: 1, sdp: "v=0" }]);
  });

  it("asks again if it has ended meanwhile, and takes the answer to that", () => {
    session.handleMessage({ type: "bye", session: ID, reason: "car-busy", by: null }, 20);
    expect(kinds()).toEqual(["close-peer", "send connect"]);
    session.handleMessage(connecting(OTHER), 30);
    session.handleMessage({ type: "bye", session: OTHER, reason: "car-busy", by: null }, 40);
    expect(session.phase).toMatchObject({ name: "ended", cause: { reason: "car-busy" } });
  });

  it("asks again if its path fails before there was a picture", () => {
    session.handlePeer({ kind: "failed" }, 20);
    expect(kinds()).toEqual(["send bye", "close-peer", "send connect"]);
    expect(session.phase.name).toBe("asking");
  });
});

describe("a session that is refused", () => {
  it("waits for a car that is offline and connects when it is back", () => {
    session.handleHost(true, 0);
    session.handleMessage(error("car-offline", { car: CAR }), 10);
    expect(session.phase.name).toBe("waiting-car");
    session.handleMessage(cars("offline"), 20);
    expect(session.phase.name).toBe("waiting-car");
    effects();
    session.handleMessage(cars("available"), 30);
    expect(kinds()).toEqual(["send connect"]);
  });

  it.each<ErrorCode>(["car-busy", "no-such-car", "forbidden", "timeout", "internal"])(
    "ends when it hears %s",
    (code) => {
      session.handleHost(true, 0);
      session.handleMessage(error(code, { car: CAR }), 10);
      expect(session.phase).toEqual({
        name: "ended",
        cause: { kind: "error", code, text: "words" },
      });
    },
  );

  it("connects again when the driver asks", () => {
    session.handleHost(true, 0);
    session.handleMessage(error("car-busy", { car: CAR }), 10);
    effects();
    session.handleConnect(20);
    expect(kinds()).toEqual(["send connect"]);
  });

  it("ends when the car sends no offer in ten seconds", () => {
    session.handleHost(true, 0);
    session.handleMessage(connecting(ID), 10);
    effects();
    session.handleTimeout(9_999);
    expect(session.phase.name).toBe("asking");
    session.handleTimeout(10_000);
    expect(session.phase).toMatchObject({ name: "ended", cause: { code: "timeout" } });
    expect(kinds()).toEqual(["send bye", "close-peer"]);
  });

  it("says apart that a path was found and could not be secured", () => {
    negotiate();
    session.handlePeer({ kind: "path" }, 1_000);
    session.handlePeer({ kind: "unsecured" }, 1_500);
    expect(session.phase).toEqual({ name: "ended", cause: { kind: "unsecured" } });
    expect(kinds()).toEqual(["send bye", "close-peer"]);
  });

  it("says so, too, when the keys never come", () => {
    negotiate();
    session.handlePeer({ kind: "path" }, 1_000);
    session.handleTimeout(session.pollTimeout() ?? 0);
    expect(session.phase).toEqual({ name: "ended", cause: { kind: "unsecured" } });
  });

  it("does not say so of a path that was lost again", () => {
    negotiate();
    session.handlePeer({ kind: "path" }, 1_000);
    session.handlePeer({ kind: "disconnected" }, 1_100);
    session.handlePeer({ kind: "failed" }, 5_000);
    expect(session.phase).toMatchObject({ cause: { kind: "bye", reason: "ice-failed" } });
  });

  it("tries again when a drive that worked loses its keys", () => {
    connect();
    session.handlePeer({ kind: "unsecured" }, 1_000);
    expect(session.phase.name).toBe("retrying");
  });

  it("ends when no path is found", () => {
    negotiate();
    session.handlePeer({ kind: "failed" }, 5_000);
    expect(session.phase).toEqual({ name: "ended", cause: { kind: "bye", reason: "ice-failed" } });
    expect(effects()).toEqual([
      send({ type: "bye", session: ID, reason: "ice-failed" }),
      { kind: "close-peer" },
    ]);
  });

  it("says so to the car when the browser cannot receive H.264", () => {
    negotiate();
    session.handlePeer({ kind: "problem", reason: "no-h264" }, 5_000);
    expect(effects()).toEqual([
      send({ type: "bye", session: ID, reason: "no-h264" }),
      { kind: "close-peer" },
    ]);
    expect(session.phase.name).toBe("ended");
  });

  it.each(["replaced", "revoked", "bad-description", "internal"] as const)(
    "ends on a bye with %s",
    (reason) => {
      connect();
      session.handleMessage({ type: "bye", session: ID, reason, by: null }, 100);
      expect(session.phase).toEqual({ name: "ended", cause: { kind: "bye", reason } });
      expect(kinds()).toEqual(["close-peer"]);
    },
  );
});

describe("words of a later version", () => {
  it("end the session that they are said of, and no other", () => {
    negotiate();
    const later = "cycle-moon" as OtherWord;
    session.handleMessage({ type: "bye", session: "fffffffffffffff1", reason: later, by: null }, 9);
    session.handleMessage(
      { type: "error", code: later, text: "x", car: null, session: "fffffffffffffff1" },
      9,
    );
    expect(session.phase.name).toBe("negotiating");
    session.handleMessage({ type: "bye", session: ID, reason: later, by: null }, 9);
    expect(session.phase).toEqual({ name: "ended", cause: { kind: "bye", reason: later } });
  });
});

describe("a car that starts again", () => {
  it.each(["car-left", "car-gone", "shutdown"] as const)(
    "is waited for after %s, and asked once it is listed",
    (why) => {
      session.handleMessage(cars("busy"), 0);
      connect();
      // `car-gone` says nothing about a path that is up.
      session.handlePeer({ kind: "disconnected" }, 50);
      session.handleMessage(cars("offline"), 90);
      session.handleMessage({ type: "bye", session: ID, reason: why, by: null }, 100);
      expect(session.phase).toMatchObject({ name: "waiting-car", why });
      expect(kinds()).toEqual(["close-peer"]);
      session.handleTimeout(20_000);
      expect(effects()).toEqual([]);
      session.handleMessage(cars("available"), 20_100);
      expect(kinds()).toEqual(["send connect"]);
    },
  );

  it("is not asked while it stops, though the list still has it", () => {
    connect();
    session.handleMessage({ type: "bye", session: ID, reason: "shutdown", by: null }, 100);
    session.handleMessage(cars("available"), 110);
    session.handleTimeout(1_099);
    expect(kinds()).toEqual(["close-peer"]);
    session.handleTimeout(1_100);
    expect(kinds()).toEqual(["send connect"]);
  });

  it("is asked at once when it never left the list", () => {
    session.handleMessage(cars("available"), 0);
    connect();
    session.handleMessage({ type: "bye", session: ID, reason: "car-left", by: null }, 100);
    session.handleTimeout(100);
    expect(kinds()).toEqual(["close-peer", "send connect"]);
  });

  it("is believed to be offline before the list says so", () => {
    session.handleMessage(cars("available"), 0);
    session.handleHost(true, 0);
    session.handleMessage(error("car-offline", { car: CAR }), 10);
    effects();
    session.handleTimeout(60_000);
    expect(effects()).toEqual([]);
  });

  it("is asked more and more slowly when it leaves again and again", () => {
    session.handleMessage(cars("available"), 0);
    session.handleHost(true, 0);
    const waits = [0, 1, 2, 3, 4].map(() => {
      session.handleMessage(connecting(ID), 0);
      session.handleMessage({ type: "bye", session: ID, reason: "car-left", by: null }, 0);
      if (session.phase.name !== "waiting-car") throw new Error(`is ${session.phase.name}`);
      const { askAt } = session.phase;
      session.handleTimeout(askAt);
      return askAt;
    });
    expect(waits).toEqual([0, 1_000, 2_000, 5_000, 5_000]);
  });

  it("is left alone when the driver left it", () => {
    connect();
    session.handleLeave();
    effects();
    session.handleMessage({ type: "bye", session: ID, reason: "shutdown", by: null }, 100);
    session.handleMessage(cars("available"), 200);
    session.handleTimeout(60_000);
    expect(effects()).toEqual([]);
    expect(session.phase).toEqual({ name: "ended", cause: { kind: "left" } });
  });
});

describe("a path that is lost", () => {
  it("heals by itself within a second", () => {
    connect();
    session.handlePeer({ kind: "disconnected" }, 1_000);
    session.handleTimeout(1_999);
    session.handlePeer({ kind: "up" }, 1_999);
    session.handleTimeout(10_000);
    expect(effects()).toEqual([]);
    expect(session.phase.name).toBe("connected");
  });

  it("asks for a restart after a second", () => {
    connect();
    session.handlePeer({ kind: "disconnected" }, 1_000);
    session.handleTimeout(2_000);
    expect(effects()).toEqual([send({ type: "restart", session: ID })]);
    expect(session.phase.name).toBe("restarting");
  });

  it("asks at once when ICE has failed", () => {
    connect();
    session.handlePeer({ kind: "failed" }, 1_000);
    expect(kinds()).toEqual(["send restart"]);
  });

  it("asks for another path when this device has another network, and not while there is none to lose", () => {
    session.handleNetwork(0);
    expect(effects()).toEqual([]);
    connect();
    session.handleNetwork(1_000);
    expect(kinds()).toEqual(["send restart"]);
    // The socket that carried the request is renewed as well.
    session.handleHost(false, 1_001);
    session.handleHost(true, 1_100);
    expect(kinds()).toEqual(["send restart"]);
  });

  it("answers the restart's offer on the same peer", () => {
    connect();
    session.handlePeer({ kind: "failed" }, 1_000);
    effects();
    session.handleMessage(offer(ID, 2), 1_100);
    session.handlePeer({ kind: "answer", generation: 2, sdp: "v=0" }, 1_150);
    session.handlePeer({ kind: "up" }, 1_300);
    expect(kinds()).toEqual(["offer", "send answer"]);
    expect(session.phase.name).toBe("connected");
  });

  it("is connected again when the old path stayed up throughout a restart", () => {
    connect();
    session.handleRestart(1_000);
    session.handleMessage(offer(ID, 2), 1_100);
    session.handlePeer({ kind: "answer", generation: 2, sdp: "v=0" }, 1_150);
    expect(session.phase.name).toBe("connected");
  });

  it("connects again when the restart has not worked in eight seconds", () => {
    connect();
    session.handlePeer({ kind: "failed" }, 1_000);
    effects();
    session.handleTimeout(8_999);
    expect(effects()).toEqual([]);
    session.handleTimeout(9_000);
    session.handleTimeout(9_001);
    expect(kinds()).toEqual(["send bye", "close-peer", "send connect"]);
  });

  it("tries again more slowly each time, and hears busy as its own lost session", () => {
    connect();
    session.handlePeer({ kind: "closed" }, 0);
    const waits: number[] = [];
    for (let now = 0; waits.length < 4; now += 10_000) {
      if (session.phase.name !== "retrying") throw new Error(`is ${session.phase.name}`);
      waits.push(session.phase.at - now);
      session.handleTimeout(session.phase.at);
      session.handleMessage(error("car-busy", { car: CAR }), now + 10_000);
    }
    expect(waits).toEqual([0, 1_000, 2_000, 5_000]);
    expect(session.phase).toMatchObject({ name: "ended", cause: { code: "car-busy" } });
  });

  it("connects again at once when the car closes its end", () => {
    connect();
    session.handlePeer({ kind: "closed" }, 1_000);
    session.handleTimeout(1_000);
    expect(kinds()).toEqual(["send bye", "close-peer", "send connect"]);
  });
});

describe("a host that is lost", () => {
  it("does not end the drive", () => {
    connect();
    session.handleHost(false, 1_000);
    session.handleTimeout(60_000);
    expect(effects()).toEqual([]);
    expect(session.phase.name).toBe("connected");
  });

  it("hears at once which session it still has, so that it does not give the driver up", () => {
    connect();
    session.handleHost(false, 1_000);
    session.handleHost(true, 2_000);
    expect(effects()).toEqual([
      send({
        type: "candidate",
        session: ID,
        generation: 1,
        candidate: { candidate: "", sdp_mid: null, sdp_m_line_index: null },
      }),
    ]);
    session.handleMessage(error("no-such-session", { session: ID }), 2_100);
    expect(session.phase.name).toBe("connected");
    session.handleHost(false, 3_000);
    session.handleHost(true, 4_000);
    expect(effects()).toEqual([]);
  });

  it("gets the question for a restart when it is back", () => {
    connect();
    session.handleHost(false, 1_000);
    session.handlePeer({ kind: "disconnected" }, 2_000);
    session.handleTimeout(3_000);
    session.handleTimeout(30_000);
    expect(effects()).toEqual([]);
    session.handleHost(true, 31_000);
    expect(kinds()).toEqual(["send restart"]);
  });

  it("may have forgotten the session: the drive goes on until the peer fails", () => {
    connect();
    session.handleRestart(1_000);
    session.handleMessage(error("no-such-session", { session: ID }), 1_100);
    expect(session.phase.name).toBe("connected");
    effects();
    session.handlePeer({ kind: "failed" }, 5_000);
    session.handleTimeout(5_000);
    expect(kinds()).toEqual(["close-peer", "send connect"]);
  });

  it("may have forgotten the session while the path is down: everything is built again", () => {
    connect();
    session.handlePeer({ kind: "failed" }, 1_000);
    session.handleMessage(error("no-such-session", { session: ID }), 1_100);
    session.handleTimeout(1_100);
    expect(kinds()).toEqual(["send restart", "close-peer", "send connect"]);
  });

  it("may report the car gone: the drive goes on while the path holds", () => {
    connect();
    session.handleMessage({ type: "bye", session: ID, reason: "car-gone", by: null }, 1_000);
    expect(effects()).toEqual([]);
    expect(session.phase.name).toBe("connected");
  });

  it("is waited for when it vanishes while a path is looked for", () => {
    negotiate();
    session.handleHost(false, 1_000);
    session.handleTimeout(20_000);
    expect(session.phase.name).toBe("waiting-host");
    effects();
    session.handleHost(true, 21_000);
    expect(kinds()).toEqual(["send connect"]);
  });
});

describe("leaving", () => {
  it("tells the car and closes the peer", () => {
    connect();
    session.handleLeave();
    expect(effects()).toEqual([
      send({ type: "bye", session: ID, reason: "driver-left" }),
      { kind: "close-peer" },
    ]);
    expect(session.phase).toEqual({ name: "ended", cause: { kind: "left" } });
  });
});

describe("time", () => {
  it("always brings a session on when it asks for it", () => {
    const random = numbers(7);
    const peer: PeerEvent[] = [
      { kind: "up" },
      { kind: "disconnected" },
      { kind: "failed" },
      { kind: "closed" },
    ];
    const seen = new Set<string>();
    for (let now = 0, step = 0; step < 5_000; step += 1) {
      const happens = [
        () => session.handleHost(random() < 0.7, now),
        () => session.handleMessage(cars(random() < 0.7 ? "available" : "offline"), now),
        () => session.handleMessage(connecting(ID), now),
        () => session.handleMessage(offer(ID, session.generation + 1), now),
        () =>
          session.handleMessage({ type: "bye", session: ID, reason: "car-left", by: null }, now),
        () => session.handlePeer(peer[Math.floor(random() * peer.length)] ?? { kind: "up" }, now),
        () => session.handleConnect(now),
        () => session.handleNetwork(now),
      ];
      happens[Math.floor(random() * happens.length)]?.();
      effects();
      const [due, before] = [session.pollTimeout(), session.phase];
      if (due === null || random() < 0.5) continue;
      now = Math.max(now, due);
      session.handleTimeout(due - 0.5);
      expect(session.phase).toBe(before);
      session.handleTimeout(now);
      expect(session.phase).not.toBe(before);
      seen.add(before.name);
    }
    expect([...seen].sort()).toEqual([
      "asking",
      "interrupted",
      "negotiating",
      "restarting",
      "retrying",
      "waiting-car",
    ]);
  });
});

function negotiate(): void {
  session.handleHost(true, 0);
  session.handleMessage(connecting(ID), 0);
  session.handleMessage(offer(ID, 1), 0);
  effects();
}

function connect(): void {
  negotiate();
  session.handlePeer({ kind: "answer", generation: 1, sdp: "v=0" }, 0);
  session.handlePeer({ kind: "up" }, 0);
  effects();
}

function effects(): Effect[] {
  return [...effectsOf(session)];
}

/** The same numbers of 0…1 for the same seed (a linear congruence, as in Numerical Recipes). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_664_525 + 1_013_904_223) >>> 0) / 2 ** 32;
}

function kinds(): string[] {
  return effects().map((effect) =>
    effect.kind === "send" ? `send ${effect.message.type}` : effect.kind,
  );
}

function send(message: Extract<Effect, { kind: "send" }>["message"]): Effect {
  return { kind: "send", message };
}

function connecting(id: string): ToDriver {
  return { type: "connecting", session: id, car: CAR, ice_servers: [] };
}

function offer(id: string, generation: number): ToDriver {
  return { type: "offer", session: id, generation, sdp: "v=0" };
}

function error(code: ErrorCode, about: { car?: string; session?: string }): ToDriver {
  return {
    type: "error",
    code,
    text: "words",
    car: about.car ?? null,
    session: about.session ?? null,
  };
}

function cars(presence: CarPresence): ToDriver {
  return {
    type: "cars",
    cars: [
      {
        id: CAR,
        name: "Blitz",
        presence,
        driver: null,
        software: null,
        owner: null,
        role: null,
        update: null,
      },
    ],
    gone: null,
    more: null,
  };
}
