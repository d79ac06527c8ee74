import { describe, expect, it } from "vitest";
import { isIceAddress, usableServers } from "./ice";

describe("addresses of ICE servers", () => {
  it.each([
    "stun:stun.example",
    "stun:stun.example:3478",
    "STUN:192.0.2.1:1",
    "stuns:[2001:db8::1]:5349",
    "turn:turn.example?transport=udp",
    "turns:turn.example:443?transport=tcp",
    "turn:[::ffff:192.0.2.1]:65535",
  ])("are taken: %s", (url) => {
    expect(isIceAddress(url)).toBe(true);
  });

  it.each([
    "stun:stun.example:3478?transport=udp",
    "stun://stun.example",
    "turn://turn.example:3478",
    "turn:turn.example?transport=sctp",
    "turn:turn.example?transport=udp&x=1",
    "turn:turn.example:0",
    "turn:turn.example:99999",
    "turn:user@turn.example",
    "stun:",
    "stun: stun.example",
    "http://stun.example",
    "stun.example:3478",
    "stun:2001:db8::1",
    "",
  ])("are left out: %j", (url) => {
    expect(isIceAddress(url)).toBe(false);
  });

  it("leave the good ones of a list, and a relay only with its credentials", () => {
    const server = (urls: string[], username: string | null = null) => ({
      urls,
      username,
      credential: username,
    });
    const good = server(["stun:a.example"]);
    expect(
      usableServers([
        server(["stun:a.example", "stun:b.example?transport=udp"]),
        server(["stun:c.example?transport=udp"]),
        server(["turn:d.example"]),
        server(["turn:e.example"], "user"),
      ]),
    ).toEqual({
      servers: [good, server(["turn:e.example"], "user")],
      refused: ["stun:b.example?transport=udp", "stun:c.example?transport=udp", "turn:d.example"],
    });
  });
});
