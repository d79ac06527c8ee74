import { describe, expect, it } from "vitest";
import type { CalibrationState, CalibrationValues } from "../../protocol/calibration";
import { effectsOf } from "../effects";
import { Calibration } from "./calibration";

const values: CalibrationValues = {
  trim: 0,
  left: 10_000,
  right: 10_000,
  steering_reversed: false,
  max_forward: 5_000,
  max_reverse: 3_000,
  dead_band: 400,
  motor_reversed: false,
  esc: "direct",
};

function state(id: number, more: Partial<CalibrationState> = {}): CalibrationState {
  return { id, open: true, values, own: false, fault: null, refused: null, ...more };
}

function asked(calibration: Calibration) {
  return [...effectsOf(calibration)].map(({ request }) => [request.id, request.action]);
}

function opened(): Calibration {
  const calibration = new Calibration();
  calibration.handleState(state(0, { open: false }), 0);
  calibration.handleOpen(0);
  expect(asked(calibration)).toEqual([[1, "begin"]]);
  calibration.handleState(state(1), 10);
  return calibration;
}

describe("calibration", () => {
  it("is not offered, and asks for nothing, before the car has said that it can be calibrated", () => {
    const calibration = new Calibration();
    calibration.handleOpen(0);
    calibration.handleChange(values, 0);
    expect(calibration.view).toBeNull();
    expect(asked(calibration)).toEqual([]);
    calibration.handleNewSession();
    calibration.handleState(state(0), 1);
    expect(asked(calibration)).toEqual([]);
  });

  it("sends the newest values only, one request at a time and no closer than 250 ms", () => {
    const calibration = opened();
    for (const trim of [100, 200, 300]) calibration.handleChange({ ...values, trim }, trim);
    expect(asked(calibration)).toEqual([[2, "set"]]);
    expect(calibration.view).toMatchObject({ waiting: true, values: { trim: 300 } });
    calibration.handleState(state(2, { own: true, values: { ...values, trim: 100 } }), 310);
    expect(asked(calibration)).toEqual([]);
    expect(calibration.pollTimeout()).toBe(350);
    calibration.handleTimeout(350);
    const [effect] = effectsOf(calibration);
    expect(effect?.request).toMatchObject({ id: 3, action: "set", values: { trim: 300 } });
    calibration.handleState(state(3, { own: true, values: { ...values, trim: 300 } }), 360);
    expect(calibration.view).toMatchObject({ waiting: false, changed: true, own: true });
    expect(calibration.pollTimeout()).toBeNull();
  });

  it("goes back to the car's values when the car refuses", () => {
    const calibration = opened();
    calibration.handleChange({ ...values, left: 0 }, 0);
    asked(calibration);
    const refused = { code: "illegal", key: "steering.left", text: "too small" } as const;
    calibration.handleState(state(2, { refused }), 20);
    expect(calibration.view).toMatchObject({ values, refused, waiting: false });
    calibration.handleChange({ ...values, left: 5_000 }, 300);
    expect(calibration.view?.refused).toBeNull();
  });

  it("says that the car does not answer, and asks again", () => {
    const calibration = opened();
    calibration.handleChange({ ...values, trim: 5 }, 100);
    asked(calibration);
    calibration.handleTimeout(3_100);
    expect(calibration.view).toMatchObject({ silent: true, waiting: false });
    calibration.handleChange({ ...values, trim: 6 }, 3_200);
    expect(asked(calibration)).toEqual([[3, "set"]]);
    // The answer to the lost request comes late: another one is awaited.
    calibration.handleState(state(2), 3_250);
    expect(calibration.view?.waiting).toBe(true);
  });

  it("undoes what was changed since the panel was opened", () => {
    const calibration = opened();
    calibration.handleChange({ ...values, trim: 5 }, 0);
    calibration.handleState(state(2, { own: true, values: { ...values, trim: 5 } }), 20);
    asked(calibration);
    calibration.handleUndo(300);
    expect(asked(calibration)).toEqual([[3, "forget"]]);
    calibration.handleState(state(3), 320);
    expect(calibration.view).toMatchObject({ changed: false, own: false });
    calibration.handleClose(400);
    expect(asked(calibration)).toEqual([[4, "end"]]);
  });
});
