import { describe, expect, it } from "vitest";
import { upload } from "./upload";

const answer = {
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
  uploaded_by: "Ada",
};

/** The parts of an XMLHttpRequest that are used. */
class FakeRequest {
  upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  status = 0;
  responseText = "";
  opened = "";
  headers: [string, string][] = [];
  sent: unknown;
  open = (method: string, path: string) => (this.opened = `${method} ${path}`);
  setRequestHeader = (name: string, value: string) => this.headers.push([name, value]);
  send = (body: unknown) => (this.sent = body);
  abort = () => this.onabort?.();
}

function start(notes = "") {
  const request = new FakeRequest();
  const steps: number[] = [];
  const bundle = new Blob(["bytes"]);
  const running = upload(
    bundle,
    { channel: "stable", rollout: 10, notes },
    (bytes) => steps.push(bytes),
    request as unknown as XMLHttpRequest,
  );
  return { request, running, steps, bundle };
}

describe("upload", () => {
  it("sends the bundle as it is and reads the release", async () => {
    const { request, running, steps, bundle } = start("a & b\n");
    expect(request.opened).toBe("POST /api/v1/releases?channel=stable&rollout=10&notes=a+%26+b%0A");
    expect(request.headers).toEqual([["content-type", "application/octet-stream"]]);
    expect(request.sent).toBe(bundle);
    request.upload.onprogress?.({ loaded: 3 });
    request.status = 201;
    request.responseText = JSON.stringify(answer);
    request.onload?.();
    expect(await running.done).toEqual(answer);
    expect(steps).toEqual([3]);
  });

  it("passes on the host's verdict", async () => {
    const { request, running } = start();
    request.status = 422;
    request.responseText = '{"code":"bad-bundle","text":"the payload is not what was signed"}';
    request.onload?.();
    await expect(running.done).rejects.toMatchObject({
      status: 422,
      code: "bad-bundle",
      text: "the payload is not what was signed",
    });
  });

  it.each([
    [201, "<html>", "malformed"],
    [502, "<html>", "unknown"],
  ])("survives the answer %d %s", async (status, text, code) => {
    const { request, running } = start();
    request.status = status;
    request.responseText = text;
    request.onload?.();
    await expect(running.done).rejects.toMatchObject({ status, code });
  });

  it("has status 0 when it breaks off or is cancelled", async () => {
    const broken = start();
    broken.request.onerror?.();
    await expect(broken.running.done).rejects.toMatchObject({
      status: 0,
      text: "lost",
    });
    const cancelled = start();
    cancelled.running.cancel();
    await expect(cancelled.running.done).rejects.toMatchObject({ status: 0, text: "cancelled" });
  });
});
