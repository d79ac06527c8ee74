/** Calibration of a car, as in `crates/words/protocol/src/calibration.rs`. */

import { bad, bool, Shape, uint, type Read } from "./json";
import { note } from "./text";
import { FULL_SCALE } from "./units";
import { word, type Open } from "./words";

/** Version of these messages. */
export const CALIBRATION_VERSION = 1;

export const ESC_KINDS = ["direct", "brake-first"] as const;
/** What a speed controller does with a pulse behind neutral. */
export type EscKind = (typeof ESC_KINDS)[number];

/** All that can be calibrated. Shares and positions are in 1/10000 of full scale. */
export interface CalibrationValues {
  /** −10000…10000. */
  readonly trim: number;
  readonly left: number;
  readonly right: number;
  readonly steering_reversed: boolean;
  readonly max_forward: number;
  readonly max_reverse: number;
  readonly dead_band: number;
  readonly motor_reversed: boolean;
  readonly esc: Open<EscKind>;
}

const whole =
  (least: number): Read<number> =>
  (value, field) => {
    if (typeof value !== "number" || !Number.isInteger(value))
      throw bad(field, "is no whole number");
    if (value < least || value > FULL_SCALE)
      throw bad(field, `is not a number from ${least} to ${FULL_SCALE}`);
    return value;
  };
const share = whole(0);

export const calibrationValues: Read<CalibrationValues> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    trim: shape.need("trim", whole(-FULL_SCALE)),
    left: shape.need("left", share),
    right: shape.need("right", share),
    steering_reversed: shape.need("steering_reversed", bool),
    max_forward: shape.need("max_forward", share),
    max_reverse: shape.need("max_reverse", share),
    dead_band: shape.need("dead_band", share),
    motor_reversed: shape.need("motor_reversed", bool),
    esc: shape.need("esc", word(ESC_KINDS)),
  };
};

export const CALIBRATION_ACTIONS = ["begin", "set", "forget", "end", "show"] as const;
export type CalibrationAction = (typeof CALIBRATION_ACTIONS)[number];

export interface CalibrationRequest {
  readonly id: number;
  readonly action: Open<CalibrationAction>;
  readonly values: CalibrationValues | null;
}

/** The fields of a message are read from its own shape. */
export const calibrationRequest = (shape: Shape): CalibrationRequest => ({
  id: shape.need("id", uint(32)),
  action: shape.need("action", word(CALIBRATION_ACTIONS)),
  values: shape.maybe("values", calibrationValues),
});

export const REFUSAL_CODES = ["busy", "moving", "not-open", "illegal", "unknown-action"] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** Why a request changed nothing. */
export interface Refusal {
  readonly code: Open<RefusalCode>;
  readonly key: string | null;
  readonly text: string;
}

const refusal: Read<Refusal> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    code: shape.need("code", word(REFUSAL_CODES)),
    key: shape.maybe("key", note),
    text: shape.need("text", note),
  };
};

/** How the car is calibrated: the answer to a request. */
export interface CalibrationState {
  readonly id: number;
  /** The calibration is open for this session. */
  readonly open: boolean;
  readonly values: CalibrationValues;
  /** They were set on the car, and stand over its configuration. */
  readonly own: boolean;
  readonly fault: string | null;
  readonly refused: Refusal | null;
}

export const calibrationState = (shape: Shape): CalibrationState => ({
  id: shape.need("id", uint(32)),
  open: shape.need("open", bool),
  values: shape.need("values", calibrationValues),
  own: shape.need("own", bool),
  fault: shape.maybe("fault", note),
  refused: shape.maybe("refused", refusal),
});
