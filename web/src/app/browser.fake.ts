/** The parts of a browser that the cockpit needs, for tests. */

import { setMaxListeners } from "node:events";
import { vi } from "vitest";

export interface FakeBrowser {
  readonly window: EventTarget;
  readonly document: EventTarget & { visibilityState: string; focused: boolean };
  /** Result of `navigator.getGamepads()`. */
  pads: object[];
}

/**
 * Replaces the globals, and the timers by ones that the test moves on; `vi.unstubAllGlobals` brings
 * the globals back.
 */
export function fakeBrowser(): FakeBrowser {
  vi.useFakeTimers();
  // Node warns above 10 listeners, and one signal stops all listeners of the page.
  setMaxListeners(20);
  const document = Object.assign(new EventTarget(), { visibilityState: "visible", focused: true });
  const browser: FakeBrowser = { window: new EventTarget(), document, pads: [] };
  vi.stubGlobal("window", browser.window);
  vi.stubGlobal("document", Object.assign(document, { hasFocus: () => document.focused }));
  vi.stubGlobal("navigator", { getGamepads: () => browser.pads });
  vi.stubGlobal("requestAnimationFrame", () => 0);
  vi.stubGlobal(
    "Element",
    class {
      closest = () => null;
    },
  );
  return browser;
}

export function pressKey({ window }: FakeBrowser, code: string): void {
  window.dispatchEvent(Object.assign(new Event("keydown"), { code, key: code }));
}

/** A data channel that records what is sent. */
export class FakeChannel {
  readyState = "open";
  bufferedAmount = 0;
  id = 4;
  sent: (ArrayBuffer | string)[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly label: string) {}

  send(data: ArrayBuffer | string): void {
    this.sent.push(data);
  }

  get real(): RTCDataChannel {
    return this as unknown as RTCDataChannel;
  }
}
