import { describe, expect, it } from "vitest";
import { Idle } from "./idle";

const BOB = { by: "Bob", update: false, idleMs: 300_000 };

function idle(): Idle {
  const idle = new Idle(0);
  idle.handleNewSession(0);
  return idle;
}

describe("a driver who does nothing", () => {
  it("is left alone while nobody waits", () => {
    const machine = idle();
    expect(machine.pollTimeout()).toBeNull();
    machine.handleTimeout(10_000_000);
    expect(machine.question).toBeNull();
    expect(machine.pollEffect()).toBeNull();
  });

  it("is asked when somebody waits, and leaves without an answer", () => {
    const machine = idle();
    machine.handleWanted(BOB);
    expect(machine.pollTimeout()).toBe(300_000);
    machine.handleTimeout(299_999);
    expect(machine.question).toBeNull();
    machine.handleTimeout(300_000);
    expect(machine.question).toEqual({ by: "Bob", update: false, until: 360_000 });
    machine.handleTimeout(359_999);
    expect(machine.pollEffect()).toBeNull();
    machine.handleTimeout(360_000);
    expect(machine.pollEffect()).toEqual({ kind: "leave" });
    expect(machine.pollEffect()).toBeNull();
  });

  it("stays after any sign of life, and is asked again later", () => {
    const machine = idle();
    machine.handleWanted({ by: null, update: true, idleMs: 300_000 });
    machine.handleTimeout(300_000);
    machine.handleActive(330_000);
    expect(machine.question).toBeNull();
    expect(machine.pollTimeout()).toBe(630_000);
    machine.handleTimeout(360_000);
    expect(machine.pollEffect()).toBeNull();
  });

  it("is asked no longer when nobody waits any more", () => {
    const machine = idle();
    machine.handleWanted(BOB);
    machine.handleTimeout(300_000);
    machine.handleWanted({ ...BOB, by: null });
    expect(machine.question).toBeNull();
    expect(machine.pollTimeout()).toBeNull();
  });
});
