import { describe, expect, it } from "vitest";
import type { Computer } from "../../protocol/sensors";
import type { OtherWord } from "../../protocol/words";
import { vitalsOf } from "./vitals";

const well: Computer = {
  temperature: 449,
  heat: "good",
  supply: "good",
  wear: 10,
  load: 25,
  uptime_s: 3_700,
};

const shown = (computer: Partial<Computer>) =>
  vitalsOf({ ...well, ...computer }, null).map(({ text, tone }) => `${text}, ${tone}`);

describe("the car's vitals", () => {
  it("are silent about a car that says nothing", () => {
    expect(vitalsOf(null, null)).toEqual([]);
  });

  it("are one figure while all is well, with more for those who point at it", () => {
    expect(vitalsOf(well, null)).toEqual([
      {
        id: "heat",
        text: "45 °C",
        hint: "The computer, busy to 25 %, on for 1 h.",
        tone: "good",
      },
    ]);
  });

  it("say that a temperature is not measured", () => {
    const [vital] = vitalsOf({ ...well, temperature: null, heat: "unknown", load: null }, null);
    expect(vital).toMatchObject({ text: "? °C", tone: "idle" });
    expect(vital?.hint).toBe("Nothing measures the computer's temperature, on for 1 h.");
  });

  it("warn in plain words", () => {
    expect(shown({ temperature: 760, heat: "warm" })).toEqual(["76 °C · warm, warn"]);
    expect(shown({ temperature: 824, heat: "hot" })).toEqual(["82 °C · hot, bad"]);
    expect(shown({ supply: "sagged" })[1]).toBe("5 V sagged, warn");
    expect(shown({ supply: "sags" })[1]).toBe("5 V sags, bad");
    expect(shown({ supply: "unknown" })).toHaveLength(1);
    expect(shown({ wear: 79 })).toHaveLength(1);
    expect(shown({ wear: 80 })[1]).toBe("Storage worn 80 %, warn");
    expect(shown({ wear: 100 })[1]).toBe("Storage worn 100 %, bad");
  });

  it("show words of a later version as they are", () => {
    const [heat, supply] = ["on-fire", "other-9"] as unknown as OtherWord[];
    expect(shown({ heat, supply } as Partial<Computer>)).toEqual([
      "45 °C · on fire, warn",
      "5 V other 9, warn",
    ]);
  });

  it("name the place, and its age when it is old", () => {
    const place = (age_s: number) =>
      vitalsOf(null, { latitude: 525_200_080, longitude: -134_049_540, age_s })[0];
    expect(place(10)).toMatchObject({ text: "52.52001, -13.40495", tone: "good" });
    expect(place(11)).toMatchObject({ text: "52.52001, -13.40495 · 11 s ago", tone: "warn" });
    expect(place(65_535)?.text).toBe("52.52001, -13.40495 · 18 h ago");
  });
});
