import { expect, it } from "vitest";
import { snapshotName } from "./snapshot";

it("names a picture by car and time, whatever the car is called", () => {
  const at = "2026-11-30T15:52:07.123Z";
  expect(snapshotName("Blitz", at)).toBe("Blitz-2026-11-30T15-52-07.png");
  expect(snapshotName("../../Größe 1\u202e?", at)).toBe("Größe-1-2026-11-30T15-52-07.png");
  expect(snapshotName("///", at)).toBe("car-2026-11-30T15-52-07.png");
  expect(snapshotName("x".repeat(500), at)).toHaveLength(40 + "-2026-11-30T15-52-07.png".length);
});
