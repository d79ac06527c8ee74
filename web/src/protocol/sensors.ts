/**
 * Groups of the telemetry frame that sensors fill, as in `crates/words/protocol/src/sensors.rs`.
 */

import { FrameError, within } from "./frame";
import { HEAT_LEVELS, SUPPLY_LEVELS, type HeatLevel, type SupplyLevel } from "./state";
import { numberOf, wordOf, type Open } from "./words";

export const COMPUTER_SIZE = 10;
export const POSITION_SIZE = 10;

const NO_TEMPERATURE = -32_768;
const NO_SHARE = 255;
/** Parts of a degree. */
const PARTS = 10_000_000;

/** The car's computer. */
export interface Computer {
  /** Of the processor, in 1/10 °C. */
  readonly temperature: number | null;
  readonly heat: Open<HeatLevel>;
  readonly supply: Open<SupplyLevel>;
  /** How much of its life the storage has used, in per cent. */
  readonly wear: number | null;
  /** Of all processors, in per cent. */
  readonly load: number | null;
  readonly uptime_s: number;
}

/** Where the car is, in 1/10⁷ degree. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly age_s: number;
}

export function readComputer(group: DataView): Computer {
  const temperature = group.getInt16(0);
  return {
    temperature: temperature === NO_TEMPERATURE ? null : temperature,
    heat: wordOf(HEAT_LEVELS, group.getUint8(2)),
    supply: wordOf(SUPPLY_LEVELS, group.getUint8(3)),
    wear: share(group.getUint8(4), "wear"),
    load: share(group.getUint8(5), "load"),
    uptime_s: group.getUint32(6),
  };
}

export function readPosition(group: DataView): Position {
  return {
    latitude: within(group.getInt32(0), 90 * PARTS, "latitude"),
    longitude: within(group.getInt32(4), 180 * PARTS, "longitude"),
    age_s: group.getUint16(8),
  };
}

/** For the vectors and for tests, as the next one. */
export function writeComputer(computer: Computer): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(COMPUTER_SIZE));
  view.setInt16(0, computer.temperature ?? NO_TEMPERATURE);
  view.setUint8(2, numberOf(HEAT_LEVELS, computer.heat));
  view.setUint8(3, numberOf(SUPPLY_LEVELS, computer.supply));
  view.setUint8(4, computer.wear ?? NO_SHARE);
  view.setUint8(5, computer.load ?? NO_SHARE);
  view.setUint32(6, computer.uptime_s);
  return view.buffer;
}

export function writePosition(position: Position): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(POSITION_SIZE));
  view.setInt32(0, position.latitude);
  view.setInt32(4, position.longitude);
  view.setUint16(8, position.age_s);
  return view.buffer;
}

function share(value: number, field: string): number | null {
  if (value === NO_SHARE) return null;
  if (value > 100)
    throw new FrameError("range", `field ${field} holds ${value}, which is out of range`, field);
  return value;
}
