import { describe, expect, it } from "vitest";
import type { CarLink, ModemLink } from "../../protocol/events";
import type { OtherWord } from "../../protocol/words";
import { rungsOf } from "./rungs";

const wifi: CarLink = { host: "up", uplink: "wifi", interface: "wlan0", standby: 1, modem: null };
const modem: ModemLink = { state: "up", rung: null, operator: "Example", signal: 63, fault: null };
const mobile: CarLink = { host: "up", uplink: "mobile", interface: "wwan0", standby: 0, modem };

const words = (link: CarLink | null) =>
  rungsOf("ready", "connected", link).map(({ text, tone }) => `${text}: ${tone}`);

describe("the rungs", () => {
  it("are host and path until the car has said more", () => {
    expect(words(null)).toEqual(["Server: good", "Link: good"]);
    expect(rungsOf("waiting", "restarting", null).map(({ tone }) => tone)).toEqual(["warn", "bad"]);
  });

  it.each([
    ["silent", "Link silent: bad"],
    ["link-slow", "Link slow: bad"],
    ["no-picture", "Link: warn"],
    ["picture-stopped", "No picture: bad"],
    ["picture-old", "Picture late: bad"],
  ] as const)("say that the path is not good while it is %s", (trouble, rung) => {
    expect(
      rungsOf("ready", "connected", null, trouble).map(({ text, tone }) => `${text}: ${tone}`)[1],
    ).toBe(rung);
  });

  it("show words of a later version as they are", () => {
    const later = "cycle-moon" as OtherWord;
    const link = { ...wifi, uplink: later, modem: { ...modem, state: later, rung: later } };
    expect(words(link)).toContain("Cycle moon +1: good");
    expect(words(link)).toContain("Modem: cycle moon: warn");
  });

  it("call nothing good that a silent car has said", () => {
    const said = rungsOf("ready", "connected", mobile, "silent");
    expect(said.map(({ id, tone }) => `${id}: ${tone}`)).toEqual([
      "host: good",
      "path: bad",
      "uplink: idle",
    ]);
    expect(rungsOf("ready", "interrupted", mobile, "silent")[1]?.tone).toBe("bad");
  });

  it("name the uplink, and how many stand by", () => {
    expect(words(wifi)[2]).toBe("Wi-Fi +1: good");
    expect(words({ ...wifi, uplink: null, standby: 0 })[2]).toBe("No Internet: warn");
    expect(words({ ...wifi, uplink: "other", standby: 0 })[2]).toBe("wlan0: good");
  });

  it("name the network and warn of a weak signal", () => {
    expect(words(mobile)[2]).toBe("Example 63 %: good");
    expect(words({ ...mobile, modem: { ...modem, signal: 12 } })[2]).toBe("Example 12 %: warn");
    expect(words({ ...mobile, modem: null })[2]).toBe("Mobile: good");
  });

  it("tell that the car has lost the host", () => {
    expect(words({ ...wifi, host: "down" })[0]).toBe("Server away: warn");
    expect(words({ ...wifi, host: "none" })[0]).toBe("Server: good");
  });

  it("tell what is done for the modem, and what a person has to do", () => {
    expect(words(mobile)).toHaveLength(3);
    expect(words({ ...wifi, modem: { ...modem, state: "acting", rung: "cycle-radio" } })[3]).toBe(
      "Modem's radio restarts: warn",
    );
    expect(words({ ...wifi, modem: { ...modem, state: "waiting", rung: "reset" } })[3]).toBe(
      "Modem is reset soon: warn",
    );
    expect(
      words({ ...wifi, modem: { ...modem, state: "waiting", fault: "the SIM is missing" } })[3],
    ).toBe("the SIM is missing: bad");
  });
});
