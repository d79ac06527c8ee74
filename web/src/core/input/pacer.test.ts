import { beforeEach, describe, expect, it } from "vitest";
import { Pacer } from "./pacer";

describe("Pacer", () => {
  let pacer: Pacer;
  beforeEach(() => {
    pacer = new Pacer(20, 10);
    pacer.handleSent(0);
  });

  it("does not drift when timers are late", () => {
    pacer.handleSent(23);
    pacer.handleSent(42);
    pacer.handleSent(61);
    expect(pacer.pollTimeout()).toBe(80);
  });

  it("does not make up for what was missed", () => {
    pacer.handleSent(500);
    expect(pacer.pollTimeout()).toBe(520);
  });

  it("keeps the spacing even after a very late frame", () => {
    pacer.handleSent(35);
    expect(pacer.pollTimeout()).toBe(45);
  });

  it("is due at once after a change, but not closer than the spacing", () => {
    pacer.handleChange(4);
    expect(pacer.pollTimeout()).toBe(10);
    pacer.handleSent(10);
    pacer.handleChange(25);
    expect(pacer.pollTimeout()).toBe(25);
  });

  it("is never put off by a change", () => {
    pacer.handleChange(25);
    expect(pacer.pollTimeout()).toBe(20);
  });

  it("lets what is urgent wait for nothing, and goes on at its pace after it", () => {
    pacer.handleUrgent();
    expect(pacer.pollTimeout()).toBe(-Infinity);
    pacer.handleSent(3);
    expect(pacer.pollTimeout()).toBe(23);
  });
});
