import { beforeEach, describe, expect, it, vi } from "vitest";
import { Pacer } from "./pacer";
import { Sender } from "../../input/sender";

describe("Pacer", () => {
  let pacer: Pacer;
  beforeEach(() => {
    pacer = new Pacer(20, 10);
    pacer.sent(0);
  });

  it("does not drift when timers are late", () => {
    pacer.sent(23);
    pacer.sent(42);
    pacer.sent(61);
    expect(pacer.due).toBe(80);
  });

  it("does not make up for what was missed", () => {
    pacer.sent(500);
    expect(pacer.due).toBe(520);
  });

  it("keeps the spacing even after a very late frame", () => {
    pacer.sent(35);
    expect(pacer.due).toBe(45);
  });

  it("is due at once after a change, but not closer than the spacing", () => {
    pacer.hurry(4);
    expect(pacer.due).toBe(10);
    pacer.sent(10);
    pacer.hurry(25);
    expect(pacer.due).toBe(25);
  });

  it("is never put off by a change", () => {
    pacer.hurry(25);
    expect(pacer.due).toBe(20);
  });
});

describe("Sender", () => {
  it("sends fifty frames a second, more after changes, and at once when told so", () => {
    vi.useFakeTimers();
    const sent: number[] = [];
    const started = performance.now();
    const sender = new Sender((now) => sent.push(now - started));
    sender.start();
    vi.advanceTimersByTime(980);
    expect(sent).toHaveLength(50);
    sent.length = 0;
    vi.advanceTimersByTime(3);
    sender.hurry();
    vi.advanceTimersByTime(7);
    sender.now();
    expect(sent).toEqual([990, 990]);
    sender.stop();
    sender.now();
    vi.advanceTimersByTime(100);
    expect(sent).toHaveLength(2);
    vi.useRealTimers();
  });
});
