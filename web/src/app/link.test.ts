import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../api";
import { ApiError } from "../core/app/http";
import { App } from "./app";
import { fakeBrowser } from "./browser.fake";

let hash: string;

beforeEach(() => {
  fakeBrowser();
  hash = "#/link?token=abc";
  vi.stubGlobal("location", {
    protocol: "http:",
    host: "host.example",
    get hash() {
      return hash;
    },
  });
  const replaceState = (_: unknown, __: string, to: string) => (hash = to);
  vi.stubGlobal("history", { replaceState, pushState: replaceState });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page that was opened by a link, and a host that answers like this. */
async function follow(answer: () => Promise<void>): Promise<App> {
  const api = new Api();
  const followLink = vi.fn(answer);
  Object.assign(api, {
    followLink,
    serverInfo: () => Promise.reject(new ApiError(0, "unreachable", "")),
  });
  const app = new App(api);
  app.start();
  await vi.advanceTimersByTimeAsync(10);
  return app;
}

describe("a sign-in link", () => {
  it.each([0, 502, 503])("that met status %i stays usable, also after a reload", async (status) => {
    let down = true;
    const app = await follow(() =>
      down ? Promise.reject(new ApiError(status, "", "")) : Promise.resolve(),
    );
    expect(app.linkUnused.value).toBe(true);
    expect(app.linkTrouble.value).not.toBeNull();
    expect(hash).toBe("#/link?token=abc");
    down = false;
    app.retryLink();
    await vi.advanceTimersByTimeAsync(10);
    expect([app.linkTrouble.value, app.linkUnused.value]).toEqual([null, false]);
    expect(hash).toBe("#/");
  });

  it("that was refused is of no use any more, and leaves the address", async () => {
    const app = await follow(() => Promise.reject(new ApiError(410, "wrong-token", "")));
    expect(app.linkTrouble.value).toContain("used before");
    expect(app.linkUnused.value).toBe(false);
    expect(hash).toBe("#/");
  });
});
