import { beforeEach, describe, expect, it, vi } from "vitest";
import { Peer, type PeerOutput } from "./peer";

class FakeConnection extends EventTarget {
  iceConnectionState = "new";
  connectionState = "new";
  iceGatheringState = "new";
  localDescription: { sdp: string } | null = null;
  calls: string[] = [];
  onicecandidate: ((event: { candidate: object | null }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  constructor(public configuration: RTCConfiguration) {
    super();
  }
  setConfiguration = (configuration: RTCConfiguration) => {
    this.configuration = configuration;
  };
  setRemoteDescription = vi.fn(async ({ sdp }: { sdp: string }) => {
    this.calls.push(`remote ${sdp}`);
    await Promise.resolve();
    if (sdp === "nonsense") throw new Error("cannot parse");
  });
  setLocalDescription = async () => {
    await Promise.resolve();
    this.localDescription = { sdp: `a=ice-ufrag:u${this.calls.push("local")}\r\n` };
  };
  addIceCandidate = async (candidate: RTCIceCandidateInit) => {
    this.calls.push(
      `candidate ${candidate.candidate ?? ""} ${candidate.sdpMid ?? `#${candidate.sdpMLineIndex ?? "?"}`}`,
    );
    return Promise.resolve();
  };
  close = vi.fn();
  become(ice: string, whole: string) {
    this.iceConnectionState = ice;
    this.connectionState = whole;
    this.onconnectionstatechange?.();
  }
}

let connection: FakeConnection;
let outputs: PeerOutput[];

beforeEach(() => {
  outputs = [];
});

function open(options: { trickle?: boolean; relayOnly?: boolean; h264?: boolean } = {}): Peer {
  return new Peer(
    {
      iceServers: [{ urls: ["stun:192.0.2.1:3478"], username: null, credential: null }],
      trickle: options.trickle ?? true,
      relayOnly: options.relayOnly ?? false,
    },
    {
      create: (configuration) =>
        (connection = new FakeConnection(configuration)) as unknown as RTCPeerConnection,
      receivesH264: () => options.h264 ?? true,
    },
    (output) => outputs.push(output),
  );
}

describe("Peer", () => {
  it("answers an offer and names its generation", async () => {
    const peer = open();
    peer.handleOffer(1, "one");
    await vi.waitFor(() => expect(outputs).toHaveLength(1));
    expect(outputs[0]).toMatchObject({ kind: "answer", generation: 1 });
    expect(connection.configuration).toMatchObject({
      iceServers: [{ urls: ["stun:192.0.2.1:3478"] }],
      iceTransportPolicy: "all",
    });
  });

  it("takes new credentials for the next restart, and a browser that cannot goes on", () => {
    const peer = open({ relayOnly: true });
    const server = { urls: ["turn:192.0.2.1:3478"], username: "new", credential: "word" };
    peer.handleServers([server]);
    expect(connection.configuration).toEqual({
      iceServers: [server],
      iceTransportPolicy: "relay",
      bundlePolicy: "max-bundle",
    });
    connection.setConfiguration = () => {
      throw new TypeError("not a function");
    };
    peer.handleServers([]);
    expect(connection.configuration.iceServers).toEqual([server]);
    expect(outputs).toEqual([]);
  });

  it("uses the relay only when asked to", () => {
    open({ relayOnly: true });
    expect(connection.configuration.iceTransportPolicy).toBe("relay");
  });

  it("keeps candidates until their description is set, and drops those of older ones", async () => {
    const peer = open();
    peer.handleCandidate(1, line("early"));
    peer.handleCandidate(2, line("later"));
    peer.handleOffer(1, "one");
    await vi.waitFor(() => expect(outputs).toHaveLength(1));
    peer.handleOffer(2, "two");
    await vi.waitFor(() => expect(outputs).toHaveLength(2));
    peer.handleCandidate(1, line("late"));
    expect(connection.calls).toEqual([
      "remote one",
      "candidate early 0",
      "local",
      "remote two",
      "candidate later 0",
      "local",
    ]);
  });

  it("applies offers one after the other", async () => {
    const peer = open();
    peer.handleOffer(1, "one");
    peer.handleOffer(2, "two");
    await vi.waitFor(() => expect(outputs).toHaveLength(2));
    expect(connection.calls).toEqual(["remote one", "local", "remote two", "local"]);
  });

  it("finds the media section by its index when the car writes no name", async () => {
    const peer = open();
    peer.handleOffer(1, "one");
    await vi.waitFor(() => expect(outputs).toHaveLength(1));
    peer.handleCandidate(1, { candidate: "c", sdp_mid: "", sdp_m_line_index: 1 });
    expect(connection.calls.at(-1)).toBe("candidate c #1");
  });

  it("reports a description that cannot be used", async () => {
    vi.spyOn(console, "error").mockReturnValue();
    open().handleOffer(1, "nonsense");
    await vi.waitFor(() =>
      expect(outputs).toEqual([{ kind: "problem", reason: "bad-description" }]),
    );
  });

  it("sends its candidates with the generation, one end for each, and none of the generation before", async () => {
    const peer = open();
    peer.handleOffer(1, "one");
    await vi.waitFor(() => expect(outputs).toHaveLength(1));
    const candidate = {
      candidate: "candidate:1",
      sdpMid: "0",
      sdpMLineIndex: 0,
      usernameFragment: "u2",
    };
    connection.onicecandidate?.({ candidate });
    connection.onicecandidate?.({ candidate: { ...candidate, usernameFragment: "old" } });
    connection.onicecandidate?.({ candidate: { ...candidate, candidate: "" } });
    connection.onicecandidate?.({ candidate: null });
    expect(outputs.slice(1)).toEqual([
      {
        kind: "candidate",
        generation: 1,
        candidate: { candidate: "candidate:1", sdp_mid: "0", sdp_m_line_index: 0 },
      },
      {
        kind: "candidate",
        generation: 1,
        candidate: { candidate: "", sdp_mid: "0", sdp_m_line_index: 0 },
      },
    ]);
  });

  it("gives the answer before the candidates that were found on the way", async () => {
    const peer = open();
    peer.handleOffer(1, "one");
    await vi.waitFor(() => expect(connection.calls).toContain("remote one"));
    connection.onicecandidate?.({ candidate: { candidate: "candidate:1" } });
    await vi.waitFor(() => expect(outputs).toHaveLength(2));
    expect(outputs.map(({ kind }) => kind)).toEqual(["answer", "candidate"]);
  });

  it("waits for all candidates when the car cannot take them one by one", async () => {
    const peer = open({ trickle: false });
    peer.handleOffer(1, "one");
    await vi.waitFor(() => expect(connection.calls).toContain("local"));
    connection.onicecandidate?.({ candidate: { candidate: "candidate:1" } });
    expect(outputs).toEqual([]);
    connection.iceGatheringState = "complete";
    connection.dispatchEvent(new Event("icegatheringstatechange"));
    await vi.waitFor(() => expect(outputs).toHaveLength(1));
    expect(outputs[0]).toMatchObject({ kind: "answer" });
  });

  it.each([
    ["checking", "connecting", []],
    ["connected", "connecting", ["path"]],
    ["connected", "connected", ["up"]],
    ["completed", "connected", ["up"]],
    ["disconnected", "disconnected", ["disconnected"]],
    ["failed", "failed", ["failed"]],
    ["connected", "failed", ["unsecured"]],
    ["closed", "closed", ["closed"]],
  ])("with ICE %s and the whole %s it tells %j", (ice, whole, kinds) => {
    open();
    connection.become(ice, whole);
    expect(outputs.map(({ kind }) => kind)).toEqual(kinds);
  });

  it("reports a browser without H.264 and opens nothing", async () => {
    const peer = open({ h264: false });
    expect(outputs).toEqual([]);
    await vi.waitFor(() => expect(outputs).toEqual([{ kind: "problem", reason: "no-h264" }]));
    expect(peer.connection).toBe("closed");
  });

  it("is silent once it is closed", () => {
    const peer = open();
    peer.close();
    connection.become("closed", "closed");
    expect(outputs).toEqual([]);
    expect(connection.close).toHaveBeenCalledOnce();
  });
});

function line(candidate: string) {
  return { candidate, sdp_mid: "0", sdp_m_line_index: null };
}
