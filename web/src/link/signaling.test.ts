import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SignalingEvent } from "../core/link/host";
import { SignalingClient } from "./signaling";

class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: unknown[] = [];
  send = (text: string) => void this.sent.push(JSON.parse(text));
  close = vi.fn();
  receive = (message: object) => this.onmessage?.({ data: JSON.stringify(message) });
}

const welcome = { type: "welcome", v: 1, user: "Ada", software: "rccar-host/0.1.0", cars: [] };

let sockets: FakeSocket[];
let events: SignalingEvent[];
let client: SignalingClient;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  events = [];
  const open = () => {
    const socket = new FakeSocket();
    sockets.push(socket);
    return socket as unknown as WebSocket;
  };
  client = new SignalingClient(
    { url: "ws://host/ws/driver", software: "test/1", open, random: () => 0.5 },
    (event) => events.push(event),
  );
});

afterEach(() => {
  client.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function newest(): FakeSocket {
  const socket = sockets.at(-1);
  if (!socket) throw new Error("no socket was opened");
  return socket;
}

function becomeReady(): FakeSocket {
  client.start();
  newest().onopen?.();
  newest().receive(welcome);
  return newest();
}

describe("SignalingClient", () => {
  it("greets first and is ready once it is welcomed", () => {
    const socket = becomeReady();
    expect(socket.sent).toEqual([{ type: "hello", v: 1, software: "test/1", lists: [1] }]);
    expect(client.state).toEqual({ phase: "ready", user: "Ada", software: "rccar-host/0.1.0" });
    expect(events.at(-1)).toMatchObject({ kind: "message", message: { type: "welcome" } });
  });

  it("sends nothing while the host is away", () => {
    expect(client.send({ type: "restart", session: "1" })).toBe(false);
    client.start();
    expect(client.send({ type: "restart", session: "1" })).toBe(false);
    expect(newest().sent).toEqual([]);
  });

  it("comes back after a loss, later with each failure", () => {
    becomeReady().onclose?.({ code: 1006 });
    expect(client.state).toMatchObject({ phase: "waiting", why: "lost" });
    const waits: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      if (client.state.phase !== "waiting") throw new Error("should wait");
      waits.push(client.state.retryAt - performance.now());
      vi.advanceTimersByTime(5000);
      newest().onclose?.({ code: 1006 });
    }
    expect(waits).toEqual([375, 625, 1125, 2125, 2625, 2625]);
    expect(client.state).toMatchObject({ why: "unreachable" });
  });

  it("gives up on a socket that opens but never welcomes", () => {
    client.start();
    newest().onopen?.();
    vi.advanceTimersByTime(8000);
    expect(client.state).toMatchObject({ phase: "waiting", why: "unreachable" });
    expect(newest().close).toHaveBeenCalled();
  });

  it("pings, and counts ten silent seconds as a loss", () => {
    const socket = becomeReady();
    vi.advanceTimersByTime(5000);
    expect(socket.sent.at(-1)).toEqual({ type: "ping", id: 1 });
    socket.receive({ type: "pong", id: 1 });
    vi.advanceTimersByTime(10_000);
    expect(client.state.phase).toBe("ready");
    vi.advanceTimersByTime(5000);
    expect(client.state).toMatchObject({ phase: "waiting", why: "silent" });
  });

  it("stays away when the host says that nobody is signed in", () => {
    becomeReady().onclose?.({ code: 4401 });
    expect(client.state).toEqual({ phase: "signed-out" });
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });

  it.each([
    [4408, "slow-reader"],
    [4413, "too-large"],
    [4429, "rate-limited"],
  ])("says why the host closed with %i", (code, why) => {
    becomeReady().onclose?.({ code });
    expect(client.state).toMatchObject({ phase: "waiting", why });
  });

  it("lets a host rest that it has called too fast", () => {
    becomeReady().onclose?.({ code: 4429 });
    vi.advanceTimersByTime(5_000);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(5_000);
    expect(sockets).toHaveLength(2);
  });

  it("ignores what it cannot read", () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const socket = becomeReady();
    const before = events.length;
    socket.onmessage?.({ data: "{" });
    socket.onmessage?.({ data: new ArrayBuffer(3) });
    socket.receive({ type: "offer", session: "nonsense", generation: 1, sdp: "v=0" });
    expect(events).toHaveLength(before);
    expect(warn).toHaveBeenCalledTimes(3);
    expect(client.state.phase).toBe("ready");
  });

  it("asks for a reload when the host speaks another version", () => {
    client.start();
    newest().receive({ ...welcome, v: 2 });
    expect(client.state).toEqual({ phase: "outdated" });
  });

  it("retries at once when the network comes back", () => {
    becomeReady().onclose?.({ code: 1006 });
    client.renew();
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(5000);
    expect(sockets).toHaveLength(2);
  });
});
