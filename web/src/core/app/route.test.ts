import { describe, expect, it } from "vitest";
import { formatRoute, parseRoute, type Route } from "./route";

const CAR = "eh7ddx5bksrgcytl7bkai36se4";

describe("routes", () => {
  it.each<[string, Route]>([
    ["#/", { page: "cars" }],
    ["#/releases", { page: "releases" }],
    ["#/sign-in", { page: "sign-in" }],
    ["#/setup?token=a%2Bb", { page: "setup", token: "a+b" }],
    ["#/claim", { page: "claim", code: "" }],
    ["#/claim?code=K7QP-2VXH", { page: "claim", code: "K7QP-2VXH" }],
    ["#/account", { page: "account" }],
    ["#/password?token=abc", { page: "password", token: "abc" }],
    ["#/link?token=abc", { page: "link", token: "abc" }],
    [`#/car/${CAR}`, { page: "car", car: CAR, relayOnly: false, trickle: true }],
    [`#/car/${CAR}?path=relay`, { page: "car", car: CAR, relayOnly: true, trickle: true }],
    [
      `#/car/${CAR}?path=relay&trickle=0`,
      { page: "car", car: CAR, relayOnly: true, trickle: false },
    ],
  ])("%s is read and written", (hash, route) => {
    expect(parseRoute(hash)).toEqual(route);
    expect(formatRoute(route)).toBe(hash);
  });

  it.each(["#/claim?code=%3Cb%3E", "#/claim?code=", `#/claim?code=${"A".repeat(17)}`])(
    "%j brings no code along",
    (hash) => expect(parseRoute(hash)).toEqual({ page: "claim", code: "" }),
  );

  it.each([
    "",
    "#",
    "#/nonsense",
    "#/link",
    "#/setup?token=",
    "#/car/",
    "#/car/..%2f",
    `#/car/${CAR}/more`,
    "#/sign-in/x",
    "#/releases/1.0.0",
  ])("%j leads to the list of cars", (hash) => expect(parseRoute(hash)).toEqual({ page: "cars" }));
});
