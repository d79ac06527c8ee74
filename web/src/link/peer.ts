/**
 * The peer connection to the car: answers its offers, one after the other, and passes on the stream
 * and the channels that the car opens.
 *
 * **One `RTCPeerConnection` serves a session from the first offer to the last**: a later offer is
 * an ICE restart on it, so the video and both data channels go on.
 */

import type { Candidate, IceServer } from "../protocol/common";
import { usableServers } from "../core/link/ice";
import type { PeerEvent as SessionEvent } from "../core/link/session";

/** Longest time to gather candidates when the car cannot take them one by one. */
const FULL_GATHER_MS = 3_000;

export interface PeerOptions {
  readonly iceServers: readonly IceServer[];
  /** Uses only TURN. */
  readonly relayOnly: boolean;
  /** `false`: the answer holds all candidates. */
  readonly trickle: boolean;
}

/** What this module needs of the browser. */
export interface PeerPlatform {
  readonly create: (configuration: RTCConfiguration) => RTCPeerConnection;
  readonly receivesH264: () => boolean;
}

export type PeerOutput =
  | SessionEvent
  | { readonly kind: "stream"; readonly stream: MediaStream }
  | { readonly kind: "channel"; readonly channel: RTCDataChannel };

export const browserPlatform: PeerPlatform = {
  create: (configuration) => new RTCPeerConnection(configuration),
  receivesH264: () =>
    RTCRtpReceiver.getCapabilities("video")?.codecs.some(
      ({ mimeType }) => mimeType.toLowerCase() === "video/h264",
    ) ?? false,
};

export class Peer {
  readonly #options: PeerOptions;
  readonly #emit: (output: PeerOutput) => void;
  readonly #connection: RTCPeerConnection | null;
  /** Generation of the description that is set; 0 before the first. */
  #generation = 0;
  /** Newest generation that was answered, and newest whose end of candidates was sent. */
  #answered = 0;
  #ended = 0;
  /** Own candidates that were found before the answer was sent. */
  #held: (RTCIceCandidate | null)[] = [];
  /** Candidates that came before their description. */
  #waiting: { generation: number; candidate: Candidate }[] = [];
  /**
   * Applies descriptions in order: `setRemoteDescription` of one must not overtake the answer to
   * another.
   */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: PeerOptions, platform: PeerPlatform, emit: (output: PeerOutput) => void) {
    this.#options = options;
    this.#emit = (output) => {
      if (!this.#closed) emit(output);
    };
    this.#connection = this.#open(platform);
  }

  get ice(): RTCIceConnectionState {
    return this.#connection?.iceConnectionState ?? "closed";
  }

  get connection(): RTCPeerConnectionState {
    return this.#connection?.connectionState ?? "closed";
  }

  /** Servers with new credentials, for the next ICE restart. The present path stays. */
  handleServers(iceServers: readonly IceServer[]): void {
    if (!this.#connection || this.#closed) return;
    try {
      this.#connection.setConfiguration(this.#configuration(iceServers));
    } catch (error) {
      // Firefox before 119 has no such function: there a restart uses what the session began with.
      console.warn("rccar: this browser does not take new ICE servers:", String(error));
    }
  }

  handleOffer(generation: number, sdp: string): void {
    this.#work = this.#work
      .then(() => this.#answer(generation, sdp))
      .catch((error: unknown) => {
        if (this.#closed) return;
        console.error("rccar: the car's offer cannot be used:", String(error));
        this.#emit({ kind: "problem", reason: "bad-description" });
      });
  }

  handleCandidate(generation: number, candidate: Candidate): void {
    if (generation === this.#generation) this.#add(candidate);
    else if (generation > this.#generation) this.#waiting.push({ generation, candidate });
  }

  async stats(): Promise<RTCStatsReport | null> {
    return this.#closed || !this.#connection ? null : await this.#connection.getStats();
  }

  close(): void {
    this.#closed = true;
    this.#connection?.close();
  }

  #open(platform: PeerPlatform): RTCPeerConnection | null {
    let connection: RTCPeerConnection;
    try {
      if (!platform.receivesH264()) {
        this.#later({ kind: "problem", reason: "no-h264" });
        return null;
      }
      connection = platform.create(this.#configuration(this.#options.iceServers));
    } catch (error) {
      console.error("rccar: this browser refuses the connection:", String(error));
      this.#later({ kind: "problem", reason: "internal" });
      return null;
    }
    connection.onicecandidate = ({ candidate }) => this.#handleLocal(candidate);
    connection.oniceconnectionstatechange = connection.onconnectionstatechange = () =>
      this.#handleState(connection);
    connection.ontrack = ({ streams: [stream], track }) =>
      this.#emit({ kind: "stream", stream: stream ?? new MediaStream([track]) });
    connection.ondatachannel = ({ channel }) => this.#emit({ kind: "channel", channel });
    return connection;
  }

  #configuration(iceServers: readonly IceServer[]): RTCConfiguration {
    const { servers, refused } = usableServers(iceServers);
    for (const url of refused) console.warn(`rccar: no address of an ICE server: ${url}`);
    return {
      iceServers: servers.map(({ urls, username, credential }) => ({
        urls,
        ...(username === null ? {} : { username }),
        ...(credential === null ? {} : { credential }),
      })),
      iceTransportPolicy: this.#options.relayOnly ? "relay" : "all",
      bundlePolicy: "max-bundle",
    };
  }

  /** Emits after the constructor has returned, when the owner has this peer. */
  #later(output: PeerOutput): void {
    queueMicrotask(() => this.#emit(output));
  }

  async #answer(generation: number, sdp: string): Promise<void> {
    const connection = this.#connection;
    if (!connection || this.#closed || generation <= this.#generation) return;
    await connection.setRemoteDescription({ type: "offer", sdp });
    this.#generation = generation;
    const early = this.#waiting;
    this.#waiting = early.filter((item) => item.generation > generation);
    for (const item of early) if (item.generation === generation) this.#add(item.candidate);
    await connection.setLocalDescription();
    if (!this.#options.trickle) await gathered(connection);
    const answer = connection.localDescription;
    if (!answer) return;
    this.#emit({ kind: "answer", generation, sdp: answer.sdp });
    this.#answered = generation;
    for (const candidate of this.#held.splice(0)) this.#handleLocal(candidate);
  }

  #add({ candidate, sdp_mid, sdp_m_line_index }: Candidate): void {
    this.#connection
      // Some stacks write an empty `sdpMid`, which no media section has. Then the index counts.
      ?.addIceCandidate(
        sdp_mid
          ? { candidate, sdpMid: sdp_mid }
          : { candidate, sdpMLineIndex: sdp_m_line_index ?? 0 },
      )
      .catch((error: unknown) =>
        console.warn("rccar: a candidate of the car's cannot be used:", String(error)),
      );
  }

  #handleLocal(candidate: RTCIceCandidate | null): void {
    const connection = this.#connection;
    if (!connection || !this.#options.trickle) return;
    if (this.#answered < this.#generation || this.#generation === 0)
      return void this.#held.push(candidate);
    const line = candidate?.candidate ?? "";
    if (line === "" && this.#ended === this.#generation) return;
    // A candidate that was found while a restart began belongs to the generation before.
    const ufrag = candidate?.usernameFragment;
    if (line !== "" && ufrag && !connection.localDescription?.sdp.includes(`a=ice-ufrag:${ufrag}`))
      return;
    if (line === "") this.#ended = this.#generation;
    this.#emit({
      kind: "candidate",
      generation: this.#generation,
      candidate: {
        candidate: line,
        sdp_mid: candidate?.sdpMid ?? null,
        sdp_m_line_index: candidate?.sdpMLineIndex ?? null,
      },
    });
  }

  #handleState(connection: RTCPeerConnection): void {
    const { iceConnectionState: ice, connectionState: whole } = connection;
    if (whole === "closed") this.#emit({ kind: "closed" });
    else if (ice === "failed") this.#emit({ kind: "failed" });
    // Of the whole, DTLS is what is left: no restart can help.
    else if (whole === "failed") this.#emit({ kind: "unsecured" });
    else if (ice === "disconnected") this.#emit({ kind: "disconnected" });
    else if (ice === "connected" || ice === "completed")
      this.#emit({ kind: whole === "connected" ? "up" : "path" });
  }
}

/**
 * Resolves when all candidates are gathered, at the latest after `FULL_GATHER_MS`: then the missing
 * ones are not worth a longer wait.
 */
function gathered(connection: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      if (connection.iceGatheringState === "complete") resolve();
    };
    connection.addEventListener("icegatheringstatechange", done);
    setTimeout(resolve, FULL_GATHER_MS);
    done();
  });
}
