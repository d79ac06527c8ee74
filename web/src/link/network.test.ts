import { describe, expect, it, vi } from "vitest";
import { watchNetwork } from "./network";

class FakeConnection extends EventTarget {
  type: string | undefined = "wifi";
  become(type: string | undefined): void {
    this.type = type;
    this.dispatchEvent(new Event("change"));
  }
}

describe("watchNetwork", () => {
  it("tells when the device is online again", () => {
    const [changed, target] = [vi.fn(), new EventTarget()];
    watchNetwork(changed, target, null);
    target.dispatchEvent(new Event("online"));
    expect(changed).toHaveBeenCalledOnce();
  });

  it("tells of another kind of network, and not of other news", () => {
    const [changed, connection] = [vi.fn(), new FakeConnection()];
    watchNetwork(changed, new EventTarget(), connection);
    connection.become("wifi");
    expect(changed).not.toHaveBeenCalled();
    connection.become("cellular");
    expect(changed).toHaveBeenCalledOnce();
    connection.become("none");
    connection.become("cellular");
    expect(changed, "coming back is what `online` tells").toHaveBeenCalledOnce();
  });
});
