/** The car's two data channels, one class for each. */

import { CALIBRATION_VERSION } from "../protocol/calibration";
import { encodeControl, type ControlFrame } from "../protocol/control";
import { OUR_FRAMES, parseCarEvent, type CarEvent, type DriverEvent } from "../protocol/events";
import type { FrameVersion } from "../protocol/frame";
import { greasedMessage } from "../protocol/grease";
import { writeJson } from "../protocol/signaling";
import { decodeTelemetry, type TelemetryFrame } from "../protocol/telemetry";
import { isNewer, PROTOCOL_VERSION } from "../protocol/units";

/**
 * Frames that may wait in the browser, 40 ms of them. More would arrive too late to count as input.
 */
const MAX_WAITING_FRAMES = 2;

/** Control frames out, telemetry in: unordered, never sent twice, **the newest wins**. */
export class ControlChannel {
  readonly #channel: RTCDataChannel;
  #lastSeq: number | null = null;
  /** Version of the frames that the car reads. */
  version: FrameVersion = 1;
  /** Number of frames that were not sent because older ones still wait. */
  skipped = 0;
  /** Frame version of the newest telemetry. */
  heardVersion: number | null = null;
  /** Number of telemetry frames that could not be read. */
  malformed = 0;

  constructor(channel: RTCDataChannel, onTelemetry: (frame: TelemetryFrame) => void) {
    this.#channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const frame = this.#read(data);
      if (frame) onTelemetry(frame);
    };
  }

  get id(): number | null {
    return this.#channel.id;
  }

  get open(): boolean {
    return this.#channel.readyState === "open";
  }

  /** Sends a frame unless older ones still wait; returns whether it was sent. */
  send(frame: ControlFrame): boolean {
    if (!this.open) return false;
    const bytes = encodeControl(frame, this.version);
    if (this.#channel.bufferedAmount > MAX_WAITING_FRAMES * bytes.length) {
      this.skipped += 1;
      return false;
    }
    this.#channel.send(bytes);
    return true;
  }

  #read(data: unknown): TelemetryFrame | null {
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError("telemetry is binary");
      const frame = decodeTelemetry(data);
      this.heardVersion = new Uint8Array(data)[0] ?? null;
      if (this.#lastSeq !== null && !isNewer(frame.seq, this.#lastSeq)) return null;
      this.#lastSeq = frame.seq;
      return frame;
    } catch {
      this.malformed += 1;
      return null;
    }
  }
}

/** JSON both ways: ordered, nothing is lost. */
export class EventsChannel {
  readonly #channel: RTCDataChannel;

  constructor(channel: RTCDataChannel, software: string, onEvent: (event: CarEvent) => void) {
    this.#channel = channel;
    const greet = () => {
      this.#send({
        type: "hello",
        v: PROTOCOL_VERSION,
        software,
        frames: OUR_FRAMES,
        calibration: [CALIBRATION_VERSION],
      });
      const greased = greasedMessage();
      if (greased !== null) channel.send(greased);
    };
    if (channel.readyState === "open") greet();
    else channel.onopen = greet;
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      try {
        onEvent(parseCarEvent(String(data)));
      } catch (error) {
        console.warn("rccar: the car sent an event that cannot be read:", String(error));
      }
    };
  }

  /** Sends an event, unless the channel is not open. */
  send(event: DriverEvent): void {
    if (this.#channel.readyState === "open") this.#send(event);
  }

  #send(event: DriverEvent): void {
    this.#channel.send(writeJson(event));
  }
}
