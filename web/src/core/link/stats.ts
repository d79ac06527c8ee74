/** What `RTCPeerConnection.getStats` says about the video and its path. */

/**
 * An entry of an `RTCStatsReport`; all other fields may be absent (W3C webrtc-stats).
 */
export type StatsEntry = Record<string, unknown> & { id: string; type: string };

/** The path of the selected candidate pair. */
export interface Path {
  readonly relayed: boolean;
  readonly protocol: string;
  readonly family: "IPv4" | "IPv6" | null;
  /** Candidate types, such as `host`, `srflx`, `prflx`, `relay`. */
  readonly local: string;
  readonly remote: string;
}

export interface LinkStats {
  readonly bitrateKbps: number | null;
  readonly fps: number | null;
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly packetsLost: number;
  readonly jitterMs: number | null;
  readonly path: Path | null;
}

interface Reading {
  readonly at: number;
  readonly bytes: number;
  readonly frames: number;
}

/** Turns counters into rates between two reports. */
export class StatsMeter {
  #last: Reading | null = null;

  /** Takes a report that was made at `now` (ms). */
  handleReport(entries: readonly StatsEntry[], now: number): LinkStats {
    const video = entries.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    const reading = {
      at: now,
      bytes: count(video, "bytesReceived"),
      frames: count(video, "framesDecoded"),
    };
    const last = this.#last;
    this.#last = reading;
    const seconds = last === null ? 0 : (reading.at - last.at) / 1000;
    const jitter = video?.["jitter"];
    return {
      bitrateKbps:
        last && seconds > 0
          ? Math.max(0, ((reading.bytes - last.bytes) * 8) / 1000 / seconds)
          : null,
      fps: last && seconds > 0 ? Math.max(0, (reading.frames - last.frames) / seconds) : null,
      framesDecoded: reading.frames,
      framesDropped: count(video, "framesDropped"),
      packetsLost: count(video, "packetsLost"),
      jitterMs: typeof jitter === "number" ? jitter * 1000 : null,
      path: selectedPath(entries),
    };
  }
}

function selectedPath(entries: readonly StatsEntry[]): Path | null {
  const byId = (id: unknown) => entries.find((entry) => entry.id === id);
  const transport = entries.find(({ type }) => type === "transport");
  // Firefox has no `transport` entry and marks the pair itself.
  const pair =
    byId(transport?.["selectedCandidatePairId"]) ??
    entries.find((entry) => entry.type === "candidate-pair" && entry["selected"] === true) ??
    entries.find(
      (entry) =>
        entry.type === "candidate-pair" &&
        entry["nominated"] === true &&
        entry["state"] === "succeeded",
    );
  const local = byId(pair?.["localCandidateId"]);
  const remote = byId(pair?.["remoteCandidateId"]);
  if (!local || !remote) return null;
  const localType = text(local, "candidateType");
  const remoteType = text(remote, "candidateType");
  // The browser hides host addresses behind mDNS names; then the other end's address shows the
  // family.
  const address = [local, remote]
    .map((end) => text(end, "address"))
    .find((a) => a.includes(":") || /^\d+(\.\d+){3}$/.test(a));
  return {
    relayed: localType === "relay" || remoteType === "relay",
    protocol: (text(local, "relayProtocol") || text(local, "protocol")).toUpperCase(),
    family: address === undefined ? null : address.includes(":") ? "IPv6" : "IPv4",
    local: localType,
    remote: remoteType,
  };
}

function count(entry: StatsEntry | undefined, key: string): number {
  const value = entry?.[key];
  return typeof value === "number" ? value : 0;
}

function text(entry: StatsEntry, key: string): string {
  const value = entry[key];
  return typeof value === "string" ? value : "";
}
