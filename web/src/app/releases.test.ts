import { describe, expect, it } from "vitest";
import { Api } from "../api";
import { ApiError } from "../core/app/http";
import type { Release } from "../protocol/release";
import type { Upload } from "../upload";
import { Releases } from "./releases";

const one: Release = {
  version: "1.0.0",
  compatible: "rccar-rpi-arm64",
  size: 5,
  sha256: "0".repeat(64),
  signer: "CN=own",
  notes: null,
  channels: ["stable"],
  rollout: 10,
  paused: false,
  uploaded_at: 1_800_000_000,
  uploaded_by: null,
};
const list = {
  max_bytes: 1000,
  accepts_uploads: true,
  releases: [one, { ...one, version: "0.9.0" }],
};
const wish = { channel: "stable", rollout: 100, notes: "" };

describe("Releases", () => {
  it("changes and removes what the host has changed and removed", async () => {
    const { releases } = shelf({ GET: list, PATCH: { ...one, rollout: 50 }, DELETE: null });
    await releases.refresh();
    await releases.change("1.0.0", { rollout: 50 });
    expect(releases.list.value?.releases.map(({ rollout }) => rollout)).toEqual([50, 10]);
    await releases.remove("0.9.0");
    expect(releases.list.value?.releases.map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(releases.trouble.value).toBeNull();
  });

  it("says what went wrong and notices that somebody is signed out", async () => {
    const { releases, seen } = shelf({});
    await releases.change("1.0.0", { paused: true });
    expect(releases.trouble.value).toBe("Sign in first.");
    expect(seen.signedOut).toBe(1);
  });

  it("follows an upload to its verdict", async () => {
    const { releases, seen } = shelf({ GET: list });
    await releases.refresh();
    const adding = releases.add(new File(["12345"], "car.raucb"), wish);
    expect(releases.uploading.value).toMatchObject({ phase: "sending", sent: 0, total: 5 });
    seen.progress(3);
    expect(releases.uploading.value).toMatchObject({ phase: "sending", sent: 3 });
    seen.progress(5);
    expect(releases.uploading.value).toMatchObject({ phase: "checking" });
    seen.resolve(one);
    await adding;
    expect(releases.uploading.value).toEqual({ phase: "taken", release: one });
  });

  it("tells why a bundle was refused, and forgets one that was cancelled", async () => {
    const { releases, seen } = shelf({ GET: list });
    let adding = releases.add(new File(["12345"], "car.raucb"), wish);
    seen.reject(new ApiError(422, "bad-bundle", "the payload is not what was signed"));
    await adding;
    const refused = {
      phase: "refused",
      name: "car.raucb",
      why: "The payload is not what was signed.",
    };
    expect(releases.uploading.value).toEqual(refused);
    adding = releases.add(new File(["12345"], "car.raucb"), wish);
    releases.cancel();
    await adding;
    expect(releases.uploading.value).toEqual({ phase: "idle" });
  });

  it("does not send what the host would not take", async () => {
    const { releases, seen } = shelf({ GET: list });
    await releases.refresh();
    await releases.add(new File(["x".repeat(1001)], "car.raucb"), wish);
    expect(releases.uploading.value).toMatchObject({
      phase: "refused",
      why: expect.stringContaining("1.0 kB at most") as string,
    });
    expect(seen.sent).toBe(0);
  });
});

const nothing = () => undefined;

/** A store whose host answers each method with this body, and with 401 where there is none. */
function shelf(answers: Record<string, unknown>) {
  const api = new Api((_path, { method = "" }) => {
    const known = method in answers;
    const body = known ? answers[method] : { code: "not-signed-in", text: "sign in first" };
    const status = known ? (body === null ? 204 : 200) : 401;
    return Promise.resolve(new Response(body === null ? null : JSON.stringify(body), { status }));
  });
  const seen = {
    signedOut: 0,
    sent: 0,
    progress: nothing as (bytes: number) => void,
    resolve: nothing as (release: Release) => void,
    reject: nothing as (error: unknown) => void,
  };
  const send = (_bundle: Blob, _wish: unknown, progress: (bytes: number) => void): Upload => {
    seen.sent += 1;
    seen.progress = progress;
    const done = new Promise<Release>((resolve, reject) =>
      Object.assign(seen, { resolve, reject }),
    );
    return { done, cancel: () => seen.reject(new ApiError(0, "unreachable", "cancelled")) };
  };
  return { releases: new Releases(api, () => (seen.signedOut += 1), send), seen };
}
