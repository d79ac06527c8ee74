import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeControl, encodeControl, type ControlFrame } from "./control";
import { parseCarEvent, parseDriverEvent } from "./events";
import { FrameError, type FrameVersion } from "./frame";
import { MessageError } from "./json";
import { parseFromDriver, parseToDriver, writeJson } from "./signaling";
import { decodeTelemetry, encodeTelemetry, type TelemetryFrame } from "./telemetry";
import { numberOf, type OtherWord } from "./words";

interface BinaryVector {
  name: string;
  hex: string;
  /** Writing the frame gives `hex` back, unless this is `false`. */
  canonical?: boolean;
  frame?: Record<string, unknown>;
  error?: { kind: string; field?: string };
}

interface FrameVector extends BinaryVector {
  version: FrameVersion;
}

interface JsonVector {
  name: string;
  direction: string;
  json: string;
  canonical?: boolean;
  means?: string;
  error?: string;
  pad_to?: number;
}

const control = loadFrames("control");
const telemetry = loadFrames("telemetry");
const messages = [...load<JsonVector>("signaling"), ...load<JsonVector>("events")];

describe("binary vectors", () => {
  it.each(legal(control))("control: $name", ({ hex, frame, canonical, version }) => {
    const off = { jog: false, lights: false, horn: false };
    const meant = { shown: null, ...off, ...frame } as unknown as ControlFrame;
    const written = encodeControl(meant, version);
    expect(decodeControl(fromHex(hex))).toEqual(meant);
    expect(decodeControl(written)).toEqual(meant);
    expect(toHex(written) === hex).toBe(canonical);
  });

  it.each(legal(telemetry))("telemetry: $name", ({ hex, frame, canonical, version }) => {
    const meant = {
      battery_level: null,
      switches: null,
      speed_limit: null,
      speed_mm_s: null,
      computer: null,
      position: null,
      ...frame,
      car_time: BigInt(String(frame["car_time"])),
    } as unknown as TelemetryFrame;
    const written = encodeTelemetry(meant, version);
    expect(decodeTelemetry(fromHex(hex))).toEqual(meant);
    expect(decodeTelemetry(written)).toEqual(meant);
    expect(toHex(written) === hex).toBe(canonical);
  });

  it.each(illegal(control))("control is refused: $name", ({ hex, error }) => {
    expect(refusal(() => decodeControl(fromHex(hex)))).toEqual(error);
  });

  it.each(illegal(telemetry))("telemetry is refused: $name", ({ hex, error }) => {
    expect(refusal(() => decodeTelemetry(fromHex(hex)))).toEqual(error);
  });
});

describe("what version 1 cannot say", () => {
  const later = "other-99" as OtherWord;

  it("is said in its words", () => {
    const control = legal(loadFrames("control"))[0]?.frame as unknown as ControlFrame;
    const written = encodeControl({ ...control, shown: null, source: later }, 1);
    expect(decodeControl(written).source).toBe("gamepad");
    const first = legal(loadFrames("telemetry"))[0]?.frame as unknown as TelemetryFrame;
    const telemetry = {
      ...first,
      car_time: 0n,
      state: later,
      reason: later,
      battery_level: "empty" as const,
      switches: null,
      speed_mm_s: 1_000,
      computer: null,
      position: { latitude: 1, longitude: 2, age_s: 3 },
    };
    expect(decodeTelemetry(encodeTelemetry(telemetry, 1))).toMatchObject({
      state: "braking",
      reason: "none",
      battery_level: null,
      speed_mm_s: null,
      position: null,
    });
  });

  it("never takes the number of another word", () => {
    expect(numberOf(["none", "keyboard"], "other-0" as OtherWord)).toBe(255);
    expect(numberOf(["none", "keyboard"], "other-2" as OtherWord)).toBe(2);
  });
});

describe("JSON vectors", () => {
  const parsers: Record<string, (text: string) => unknown> = {
    "to-driver": parseToDriver,
    "car-event": parseCarEvent,
    "from-driver": parseFromDriver,
    "driver-event": parseDriverEvent,
  };
  const readable = messages.flatMap((vector) => {
    const parse = parsers[vector.direction];
    return parse ? [{ ...vector, parse, text: vector.json.padEnd(vector.pad_to ?? 0) }] : [];
  });

  it.each(readable.filter(({ error }) => error === undefined))(
    "$direction: $name",
    ({ parse, text, json, canonical, means }) => {
      const written = writeJson(parse(text) as object);
      expect(canonical === true ? written : parse(text)).toEqual(
        canonical === true ? json : parse(means ?? ""),
      );
    },
  );

  // The page never receives the other directions, and their refusals depend on details that
  // `JSON.parse` hides.
  const received = readable.filter(
    ({ direction }) => direction === "to-driver" || direction === "car-event",
  );
  it.each(received.filter(({ error }) => error !== undefined))(
    "$direction is refused: $name",
    ({ parse, text, error }) => {
      expect(() => parse(text)).toThrow(MessageError);
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: error }) as MessageError);
    },
  );
});

function load<T>(name: string): T[] {
  return JSON.parse(
    readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), "utf8"),
  ) as T[];
}

function loadFrames(name: string): FrameVector[] {
  const read = (file: string, version: FrameVersion) =>
    load<BinaryVector>(file).map((vector) => ({
      ...vector,
      name: `version ${version}: ${vector.name}`,
      version,
    }));
  return [...read(name, 1), ...read(`${name}-2`, 2)];
}

function legal(vectors: FrameVector[]) {
  return vectors.flatMap(({ name, hex, frame, canonical = true, version }) =>
    frame ? [{ name, hex, frame, canonical, version }] : [],
  );
}

function illegal(vectors: FrameVector[]) {
  return vectors.flatMap(({ name, hex, error }) => (error ? [{ name, hex, error }] : []));
}

function refusal(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return error.field === null ? { kind: error.kind } : { kind: error.kind, field: error.field };
  }
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
