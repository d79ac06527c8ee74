import { describe, expect, it } from "vitest";
import { DEFAULTS } from "./controls";
import { button, STANDARD } from "./mapping";
import { Mixer } from "./mixer";
import { keyOf, type PadLike } from "./pad";
import { Shifter } from "./shifter";

const pad = (down: boolean, up: boolean, change: Partial<PadLike> = {}): PadLike => ({
  id: "Pad",
  index: 0,
  connected: true,
  mapping: "standard",
  axes: [0, 0],
  buttons: Array.from({ length: 17 }, (_, index) => {
    const pressed = (index === 4 && down) || (index === 5 && up);
    return { pressed, value: Number(pressed) };
  }),
  ...change,
});

describe("the shoulders of a pad", () => {
  it("shift once for each press, and not for what is pressed at the first look", () => {
    const shifter = new Shifter();
    let now = 0;
    const look = (down: boolean, up: boolean) =>
      shifter.handlePads([pad(down, up)], new Map(), null, (now += 20));
    const looks = [look(false, true), look(false, true), look(false, false)];
    expect([...looks, look(true, false), look(true, false), look(true, true)]).toEqual([
      0, 0, 0, -1, 0, 1,
    ]);
  });

  it("do not shift where the driver has given them another meaning, or nobody a meaning", () => {
    const shifter = new Shifter();
    const saved = new Map([["standard Pad", { ...STANDARD, arm: button(5) }]]);
    for (const up of [false, true])
      expect(shifter.handlePads([pad(false, up)], saved, null, 0)).toBe(0);
    const raw = (up: boolean) => [pad(false, up, { mapping: "" })];
    for (const up of [false, true]) expect(shifter.handlePads(raw(up), new Map(), null, 0)).toBe(0);
  });

  it("shift once if the pad is listed twice, whichever of the two is seen first", () => {
    for (const late of [0, 20, 40, 100]) {
      const shifter = new Shifter();
      const shifts: (readonly [at: number, by: number])[] = [];
      const held = (at: number) => at >= 0 && at % 160 < 80;
      for (let now = -200; now < 480; now += 20) {
        const twins = [pad(false, held(now - late)), pad(false, held(now), { id: "T", index: 1 })];
        const by = shifter.handlePads(twins, new Map(), null, now);
        if (by !== 0) shifts.push([now, by]);
      }
      expect(shifts, `${late} ms apart`).toEqual([
        [0, 1],
        [160, 1],
        [320, 1],
      ]);
    }
  });

  it("shift by the mapping of the pad itself, of two with one id", () => {
    const shifter = new Shifter();
    const saved = new Map([["standard Pad #2", { ...STANDARD, arm: button(5) }]]);
    const look = (first: boolean, second: boolean, now: number) =>
      shifter.handlePads([pad(false, first), pad(false, second, { index: 1 })], saved, null, now);
    expect([look(false, false, 0), look(false, true, 500), look(true, true, 1_000)]).toEqual([
      0, 0, 1,
    ]);
  });

  it("do not shift on a pad that may not, nor by what was pressed while none may", () => {
    const shifter = new Shifter();
    const mine = [keyOf(pad(false, false))];
    const other = (up: boolean) => pad(false, up, { index: 1 });
    const look = (pads: PadLike[], shifting: string[] | null, now: number) =>
      shifter.handlePads(pads, new Map(), shifting, now);
    expect(look([pad(false, false), other(false)], mine, 0)).toBe(0);
    expect(look([pad(false, false), other(true)], mine, 500)).toBe(0);
    expect(look([pad(false, true), other(true)], mine, 520)).toBe(1);
    expect(look([pad(false, false), other(false)], null, 1_000)).toBe(0);
    expect(look([pad(false, true), other(false)], [], 1_500)).toBe(0);
    expect(look([pad(false, true), other(false)], null, 2_000)).toBe(0);
    expect(look([pad(false, true), other(true)], null, 2_500)).toBe(1);
  });

  it("may shift on every pad before arming, then only on the one in use", () => {
    const mixer = new Mixer();
    mixer.handleControls(DEFAULTS, 0);
    mixer.handlePage(true, true, 0);
    const armed = (on: boolean) => {
      const one = pad(false, false);
      const buttons = one.buttons.map((of, at) => (at === 0 ? { pressed: on, value: +on } : of));
      return [{ ...one, buttons }, pad(false, false, { index: 1 })];
    };
    mixer.handlePads(armed(false), 0);
    expect(mixer.shifting).toBeNull();
    mixer.handleSettingUp(true);
    expect(mixer.shifting).toEqual([]);
    mixer.handleSettingUp(false);
    mixer.handlePads(armed(true), 500);
    expect(mixer.armWanted).toBe(true);
    expect(mixer.shifting).toEqual([keyOf(pad(false, false))]);
    mixer.handlePage(true, false, 600);
    expect(mixer.shifting).toEqual([]);
    mixer.handlePage(false, true, 700);
    expect(mixer.shifting).toEqual([]);
    mixer.handlePage(true, true, 800);
    mixer.handleKey("Enter", true, 1_500);
    expect([mixer.armWanted, mixer.shifting]).toEqual([true, []]);
  });
});
