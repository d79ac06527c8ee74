import { describe, expect, it } from "vitest";
import { StatsMeter, type StatsEntry } from "./stats";

describe("StatsMeter", () => {
  it("turns two readings into rates", () => {
    const meter = new StatsMeter();
    expect(meter.handleReport([video(1_000, 10)], 0)).toMatchObject({
      bitrateKbps: null,
      fps: null,
    });
    expect(meter.handleReport([video(101_000, 25)], 500)).toMatchObject({
      bitrateKbps: 1600,
      fps: 30,
    });
  });

  it("reports no rate below zero when a new track starts its counters", () => {
    const meter = new StatsMeter();
    meter.handleReport([video(1_000_000, 100)], 0);
    expect(meter.handleReport([video(0, 0)], 500)).toMatchObject({ bitrateKbps: 0, fps: 0 });
  });

  it("finds the selected path through the transport", () => {
    const path = new StatsMeter().handleReport(
      [
        { id: "T", type: "transport", selectedCandidatePairId: "P2" },
        { id: "P1", type: "candidate-pair", localCandidateId: "L1", remoteCandidateId: "R1" },
        { id: "P2", type: "candidate-pair", localCandidateId: "L2", remoteCandidateId: "R1" },
        { id: "L1", type: "local-candidate", candidateType: "host", protocol: "udp" },
        {
          id: "L2",
          type: "local-candidate",
          candidateType: "relay",
          protocol: "udp",
          relayProtocol: "tcp",
        },
        {
          id: "R1",
          type: "remote-candidate",
          candidateType: "host",
          protocol: "udp",
          address: "2001:db8::1",
        },
      ],
      0,
    ).path;
    expect(path).toEqual({
      relayed: true,
      protocol: "TCP",
      family: "IPv6",
      local: "relay",
      remote: "host",
    });
  });

  it("is not misled by mDNS names and finds the pair that Firefox marks", () => {
    const path = new StatsMeter().handleReport(
      [
        {
          id: "P",
          type: "candidate-pair",
          selected: true,
          localCandidateId: "L",
          remoteCandidateId: "R",
        },
        {
          id: "L",
          type: "local-candidate",
          candidateType: "host",
          protocol: "udp",
          address: "f00.local",
        },
        {
          id: "R",
          type: "remote-candidate",
          candidateType: "prflx",
          protocol: "udp",
          address: "192.0.2.7",
        },
      ],
      0,
    ).path;
    expect(path).toMatchObject({ relayed: false, protocol: "UDP", family: "IPv4" });
  });

  it("tells no path before one is selected", () => {
    expect(new StatsMeter().handleReport([{ id: "T", type: "transport" }], 0).path).toBeNull();
  });
});

function video(bytesReceived: number, framesDecoded: number): StatsEntry {
  return { id: "V", type: "inbound-rtp", kind: "video", bytesReceived, framesDecoded };
}
