import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SignalingState } from "../core/link/host";
import type { SignalingClient } from "../link/signaling";
import type { CarInfo } from "../protocol/common";
import { decodeControl } from "../protocol/control";
import type { FromDriver, ToDriver } from "../protocol/signaling";
import { encodeTelemetry } from "../protocol/telemetry";
import { AheadOfClick } from "./ahead";
import { FakeChannel, fakeBrowser } from "./browser.fake";
import { Cockpit } from "./cockpit";

const CAR = "eh7ddx5bksrgcytl7bkai36se4";
const SESSION = "00000000000000aa";

class FakeConnection {
  iceConnectionState = "new";
  connectionState = "new";
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  ondatachannel: ((event: { channel: RTCDataChannel }) => void) | null = null;
  setRemoteDescription = vi.fn(() => Promise.resolve());
  setLocalDescription = () => {
    this.localDescription = { sdp: "v=0 answer" };
    return Promise.resolve();
  };
  getStats = vi.fn(() =>
    Promise.resolve(new Map([["v", { id: "v", type: "inbound-rtp", kind: "video" }]])),
  );
  close = vi.fn();

  constructor() {
    connections.push(this);
  }

  become(ice: string, whole: string): void {
    [this.iceConnectionState, this.connectionState] = [ice, whole];
    this.onconnectionstatechange?.();
  }

  open(label: string): FakeChannel {
    const channel = new FakeChannel(label);
    this.ondatachannel?.({ channel: channel.real });
    return channel;
  }
}

let connections: FakeConnection[];
let state: SignalingState;
let said: FromDriver[];
let cockpit: Cockpit;
let ahead: AheadOfClick;
let carSeq: number;
let open: () => Cockpit;

beforeEach(() => {
  fakeBrowser();
  connections = [];
  said = [];
  carSeq = 0;
  state = { phase: "ready", user: "Ada", software: "rccar-host/1" };
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("RTCRtpReceiver", {
    getCapabilities: () => ({ codecs: [{ mimeType: "video/H264" }] }),
  });
  const signaling = {
    get state() {
      return state;
    },
    send: (message: FromDriver) => said.push(message) > 0,
  } as unknown as SignalingClient;
  const cars = signal<readonly CarInfo[] | null>(null);
  ahead = new AheadOfClick(signaling);
  open = () =>
    new Cockpit(
      { page: "car", car: CAR, relayOnly: false, trickle: true },
      signaling,
      cars,
      (session) => ahead.take(session),
    );
  cockpit = open();
});

afterEach(() => {
  cockpit.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("a cockpit", () => {
  it("asks for its car, answers the offer, and drives over the channel that the car opens", async () => {
    expect(types()).toEqual(["connect"]);
    const { connection, control } = await connect();
    expect(types()).toEqual(["answer"]);
    expect(connection.setRemoteDescription).toHaveBeenCalledWith({ type: "offer", sdp: "v=0" });
    vi.advanceTimersByTime(100);
    expect(control.sent).toHaveLength(5);
    expect(decodeControl(control.sent[0] as ArrayBuffer)).toMatchObject({
      visible: true,
      focused: true,
      arm: false,
    });
  });

  it("shows a new state of the car at once, its silence soon, and its return at once", async () => {
    const { control } = await connect();
    hear(control, "disarmed");
    expect(cockpit.hud.value).toMatchObject({
      state: "disarmed",
      silent: false,
      phase: "connected",
    });
    hear(control, "armed");
    expect(cockpit.hud.value.state).toBe("armed");
    vi.advanceTimersByTime(610);
    expect(cockpit.hud.value).toMatchObject({
      silent: true,
      banner: { title: "The car does not answer" },
    });
    hear(control, "tripped");
    expect(cockpit.hud.value).toMatchObject({ state: "tripped", silent: false });
  });

  it("asks for another path when the session says so: one second after the path broke", async () => {
    const { connection } = await connect();
    said = [];
    connection.become("disconnected", "connected");
    expect(cockpit.hud.value.phase).toBe("interrupted");
    vi.advanceTimersByTime(999);
    expect(types()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(types()).toEqual(["restart"]);
    expect(cockpit.hud.value.phase).toBe("restarting");
  });

  it("sends nothing over the channel of a car that has gone, and shows that it waits", async () => {
    const { connection, control } = await connect();
    hear(control, "armed");
    receive({ type: "bye", session: SESSION, reason: "car-left", by: null });
    control.sent = [];
    vi.advanceTimersByTime(500);
    expect(control.sent).toEqual([]);
    expect(connection.close).toHaveBeenCalled();
    expect(cockpit.hud.value).toMatchObject({ phase: "waiting-car", state: null });
  });

  it("reads the statistics twice a second, and shows them", async () => {
    const { connection } = await connect();
    connection.getStats.mockClear();
    await vi.advanceTimersByTimeAsync(1_100);
    expect(connection.getStats).toHaveBeenCalledTimes(2);
    expect(cockpit.hud.value).toMatchObject({ bitrateKbps: 0, fps: 0 });
  });

  it("tells who looks for a fault what all of its parts know", async () => {
    const { control } = await connect();
    hear(control, "armed");
    vi.advanceTimersByTime(40);
    expect(cockpit.diagnose()).toMatchObject({
      session: { id: SESSION, phase: { name: "connected" }, attempt: 0 },
      peer: { connection: "connected", generation: 1, channelId: 4, instance: 1 },
      telemetry: { state: "armed", car_time: 5 },
      telemetry_age_ms: 40,
      rtt_ms: null,
      picture_age_ms: null,
      video: { frames: 0, width: 0, height: 0 },
      stats: null,
      link: null,
      control: { skipped: 0, malformed: 0 },
      blind: "no-picture",
      input: { source: "none", armWanted: false, notice: "no-picture" },
      last_stop: null,
    });
  });

  it("takes the connection that was made before the click, and what the car said over it", async () => {
    cockpit.dispose();
    said = [];
    const all = (message: ToDriver) => {
      ahead.handleSignaling({ kind: "message", message });
      cockpit.handleSignaling({ kind: "message", message });
    };
    ahead.handleSignaling({ kind: "state", state });
    ahead.want(CAR, true);
    all({ type: "prepared", session: SESSION, car: CAR, ice_servers: [] });
    all({ type: "offer", session: SESSION, generation: 1, sdp: "v=0" });
    await vi.advanceTimersByTimeAsync(0);
    expect(types()).toEqual(["prepare", "answer"]);
    const connection = connections.at(-1);
    connection?.become("connected", "connected");
    const [control, events] = [connection?.open("control"), connection?.open("events")];
    if (!control || !events) throw new Error("no connection was opened");
    expect([control.sent, events.sent]).toEqual([[], []]);
    cockpit = open();
    expect(types()).toEqual(["connect"]);
    // Over the peer connection it may be faster than the host's `connecting`.
    hear(control, "armed");
    all({ type: "connecting", session: SESSION, car: CAR, ice_servers: [] });
    ahead.handleConnecting();
    expect(connections).toHaveLength(1);
    expect(cockpit.hud.value).toMatchObject({ phase: "connected", state: "armed" });
    expect(JSON.parse(events.sent[0] as string)).toMatchObject({ type: "hello" });
    vi.advanceTimersByTime(100);
    expect(control.sent).toHaveLength(5);
  });

  it("says good-bye and leaves nothing running", async () => {
    const { connection, control } = await connect();
    said = [];
    cockpit.dispose();
    expect(said).toEqual([{ type: "bye", session: SESSION, reason: "driver-left" }]);
    expect(connection.close).toHaveBeenCalled();
    // Messages that are still on their way must not bring it back to life.
    hear(control, "armed");
    expect(vi.getTimerCount()).toBe(0);
  });
});

async function connect(): Promise<{ connection: FakeConnection; control: FakeChannel }> {
  receive({ type: "connecting", session: SESSION, car: CAR, ice_servers: [] });
  receive({ type: "offer", session: SESSION, generation: 1, sdp: "v=0" });
  await vi.advanceTimersByTimeAsync(0);
  const connection = connections.at(-1);
  if (!connection) throw new Error("no connection was opened");
  connection.become("connected", "connected");
  return { connection, control: connection.open("control") };
}

function receive(message: ToDriver): void {
  cockpit.handleSignaling({ kind: "message", message });
}

function types(): string[] {
  return said.splice(0).map(({ type }) => type);
}

function hear(control: FakeChannel, state: "disarmed" | "armed" | "tripped"): void {
  carSeq += 1;
  const frame = {
    state,
    reason: "none",
    seq: carSeq,
    car_time: 5n,
    echo: null,
    steering: 0,
    throttle: 0,
  } as const;
  const bytes = encodeTelemetry(
    {
      ...frame,
      braking: false,
      battery_mv: null,
      battery_level: null,
      switches: null,
      speed_limit: null,
      speed_mm_s: null,
      computer: null,
      position: null,
      odometry: null,
      dropped: 0,
    },
    1,
  );
  control.onmessage?.({ data: bytes.buffer });
}
