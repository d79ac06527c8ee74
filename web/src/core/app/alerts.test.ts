import { describe, expect, it } from "vitest";
import { BATTERY_LEVELS } from "../../protocol/state";
import { Alerts, type Alert } from "./alerts";
import { emptyHud, type Hud } from "./hud";

const driving: Hud = {
  ...emptyHud,
  phase: "connected",
  state: "armed",
  armWanted: true,
  battery: { volts: 7.9, level: "good" },
};
const stopped: Partial<Hud> = { state: "tripped", lastStop: "The page was hidden" };

/** What is heard when these are shown, each some time after the one before. */
function heard(...steps: [after: number, change: Partial<Hud>][]): Alert[] {
  const alerts = new Alerts();
  const found: Alert[] = [];
  let [now, hud] = [1_000, driving];
  alerts.handleHud(hud, now);
  for (const [after, change] of steps) {
    now += after;
    hud = { ...hud, ...change };
    alerts.handleHud(hud, now);
    for (let effect = alerts.pollEffect(); effect; effect = alerts.pollEffect())
      found.push(effect.alert);
  }
  return found;
}

describe("an alert", () => {
  it("says that the car has stopped by itself, once", () => {
    expect(heard([5_000, stopped], [5_000, {}], [5_000, { state: "disarmed" }])).toEqual(["stop"]);
  });

  it("says so again when the car was armed in between", () => {
    const armed: Partial<Hud> = { state: "armed", lastStop: null };
    expect(heard([5_000, stopped], [5_000, armed], [5_000, stopped])).toEqual(["stop", "stop"]);
  });

  it("does not come for a driver who disarms", () => {
    expect(heard([5_000, { state: "disarmed", armWanted: false }])).toEqual([]);
  });

  it.each([{ silent: true }, { phase: "restarting" }, { phase: "retrying", state: null }] as const)(
    "says that the link is lost: %j",
    (change) => {
      expect(heard([5_000, change], [5_000, {}])).toEqual(["link"]);
    },
  );

  it("is one alert for a link that is lost step by step, and the stop that comes of it", () => {
    const lost: Partial<Hud> = { lastStop: "The car did not answer" };
    expect(heard([0, { silent: true }], [200, lost], [3_000, { phase: "restarting" }])).toEqual([
      "link",
    ]);
  });

  it("lets the lost link be heard at once after the stop that came before it", () => {
    expect(heard([0, stopped], [300, { silent: true }])).toEqual(["stop", "link"]);
  });

  it("does not come for somebody who never got through, or has left", () => {
    const alerts = new Alerts();
    alerts.handleHud({ ...emptyHud, phase: "negotiating" }, 0);
    alerts.handleHud({ ...emptyHud, phase: "retrying" }, 5_000);
    expect(alerts.pollEffect()).toBeNull();
    expect(heard([5_000, { phase: "ended", state: null }])).toEqual([]);
  });

  it("comes for each step down of the battery, and for none up", () => {
    const at = (level: (typeof BATTERY_LEVELS)[number]): [number, Partial<Hud>] => [
      5_000,
      { battery: { volts: 7, level } },
    ];
    expect(heard(at("low"), at("limited"), at("empty"))).toEqual(["battery", "battery", "battery"]);
    expect(heard(at("empty"), at("good"), at("unknown"))).toEqual(["battery"]);
  });

  it("of the battery waits for its turn, and is not forgotten", () => {
    const low: Partial<Hud> = { battery: { volts: 6.9, level: "low" } };
    expect(heard([0, stopped], [100, low], [100, {}], [2_000, {}], [2_000, {}])).toEqual([
      "stop",
      "battery",
    ]);
  });
});
