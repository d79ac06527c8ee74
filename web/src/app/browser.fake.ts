/** As much of a browser as the cockpit needs, for tests. */

import { setMaxListeners } from "node:events";
import { vi } from "vitest";

export interface FakeBrowser {
  readonly window: EventTarget;
  readonly document: EventTarget & { visibilityState: string; focused: boolean };
  /** Result of `navigator.getGamepads()`. */
  pads: object[];
}

/**
 * Puts it in place of the globals, with timers that the test moves on; `vi.unstubAllGlobals` takes
 * it away.
 */
export function fakeBrowser(): FakeBrowser {
  vi.useFakeTimers();
  // Node warns of the one signal that stops all listeners of the page.
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

/** A key goes down. */
export function pressKey({ window }: FakeBrowser, code: string): void {
  window.dispatchEvent(Object.assign(new Event("keydown"), { code, key: code }));
}

/** A data channel that keeps what is sent. */
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
