import { beforeEach, describe, expect, it } from "vitest";
import type { PageStop } from "../input/mixer";
import type { DriveState, StopReason } from "../../protocol/state";
import { LastStop } from "./stops";

let stop: LastStop;
let now = 0;
let heardAt: number | null = null;

beforeEach(() => {
  stop = new LastStop();
});

describe("the last stop", () => {
  it("is none before anything has moved", () => {
    car("disarmed", "no-device");
    car("disarmed", "none");
    expect(stop.cause).toBeNull();
  });

  it("is what the car said, also when it says no more why", () => {
    drive();
    car("braking", "silent");
    car("tripped", "silent");
    car("tripped", "none");
    car("disarmed", "none");
    expect(stop.cause).toEqual({ by: "car", why: "silent" });
  });

  it("is what the car said before it stopped when the word of the stop itself is lost", () => {
    drive();
    car("braking", "stale-input");
    car("disarmed", "none");
    expect(stop.cause).toEqual({ by: "car", why: "stale-input" });
  });

  it("is the empty battery, after which the car is disarmed and not tripped", () => {
    drive();
    car("disarmed", "battery-empty");
    expect(stop.cause).toEqual({ by: "car", why: "battery-empty" });
  });

  it("is found in a car that stopped before this page came", () => {
    car("tripped", "silent");
    expect(stop.cause).toEqual({ by: "car", why: "silent" });
  });

  it("is the page's own reason, not what the car makes of it", () => {
    drive();
    car("armed", "none", false, "picture-stopped");
    car("braking", "no-device", false, "picture-stopped");
    car("tripped", "no-device", false, "picture-stopped");
    car("disarmed", "none", false, "picture-stopped");
    expect(stop.cause).toEqual({ by: "page", why: "picture-stopped" });
  });

  it("stays while the driver asks to arm, and goes when the car is armed", () => {
    drive();
    car("tripped", "no-device", false, "link-slow");
    car("disarmed", "none", true);
    car("arming", "none", true);
    expect(stop.cause).toEqual({ by: "page", why: "link-slow" });
    car("armed", "none", true);
    expect(stop.cause).toBeNull();
  });

  it("stays when arm is pressed before the car has said that it is disarmed, and goes when it is armed again", () => {
    drive();
    car("armed", "none", false, "picture-stopped");
    car("armed", "none", true);
    car("holding", "no-device", true);
    car("armed", "none", true);
    expect(stop.cause).toEqual({ by: "page", why: "picture-stopped" });
    drive();
    expect(stop.cause).toBeNull();
  });

  it("stays while the car is not heard", () => {
    drive();
    car("tripped", "silent", false, "path-lost");
    car(null, "none", false, "path-lost");
    expect(stop.cause).toEqual({ by: "page", why: "path-lost" });
  });

  it("is the silence of the car, not what was seen of it first", () => {
    drive();
    const silence = (lasts: number) => {
      now += lasts;
      const [state, reason, pageStop] = ["armed", "none", "picture-stopped"] as const;
      stop.handleFacts({ now, heardAt, state, reason, armWanted: false, pageStop });
    };
    silence(480);
    expect(stop.cause).toEqual({ by: "page", why: "picture-stopped" });
    silence(40);
    expect(stop.cause).toEqual({ by: "page", why: "car-silent" });
    car("tripped", "silent", false, "picture-stopped");
    expect(stop.cause).toEqual({ by: "page", why: "car-silent" });
  });

  it("is no silence that came after it", () => {
    drive();
    car("armed", "none", false, "picture-stopped");
    car("tripped", "no-device", false, "picture-stopped");
    now += 2_000;
    stop.handleFacts({
      now,
      heardAt,
      state: "tripped",
      reason: "no-device",
      armWanted: false,
      pageStop: "picture-stopped",
    });
    expect(stop.cause).toEqual({ by: "page", why: "picture-stopped" });
  });

  it("is none when the driver disarmed or left", () => {
    drive();
    car("disarmed", "driver-disarmed");
    drive();
    car("holding", "unfocused", true);
    car("disarmed", "driver-disarmed");
    drive();
    car("disarmed", "driver-left");
    expect(stop.cause).toBeNull();
  });

  it("is a hold only if the car has stopped", () => {
    drive();
    car("holding", "silent", true);
    car("armed", "none", true);
    car("disarmed", "none");
    expect(stop.cause).toBeNull();
  });

  it("is what came first: a car that was silent has lost its drive service for a moment, too", () => {
    drive();
    car("tripped", "silent");
    car("tripped", "drive-service-lost");
    expect(stop.cause).toEqual({ by: "car", why: "silent" });
  });
});

function car(
  state: DriveState | null,
  reason: StopReason,
  armWanted = false,
  pageStop: PageStop | null = null,
): void {
  now += 20;
  if (state !== null) heardAt = now;
  stop.handleFacts({ now, heardAt, state, reason, armWanted, pageStop });
}

function drive(): void {
  car("arming", "none", true);
  car("armed", "none", true);
}
