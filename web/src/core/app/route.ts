/**
 * The part of the page's address after `#`. Browsers do not send it, so tokens in it reach no log.
 */

import { carId } from "../../protocol/text";

export type Route =
  | { readonly page: "cars" }
  | { readonly page: "releases" }
  | { readonly page: "people" }
  | { readonly page: "account" }
  | { readonly page: "sign-in" }
  /** The list with "Add a car" open, and the code of a car in it if there is one. */
  | { readonly page: "claim"; readonly code: string }
  | { readonly page: "setup"; readonly token: string }
  | { readonly page: "link"; readonly token: string }
  | { readonly page: "password"; readonly token: string }
  | {
      readonly page: "car";
      readonly car: string;
      readonly relayOnly: boolean;
      readonly trickle: boolean;
    };

/** Reads an address; an unknown one means the list of cars. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const parameters = new URLSearchParams(query);
  const token = parameters.get("token") ?? "";
  const [, first = "", second = "", ...rest] = path.split("/");
  if (rest.length > 0) return { page: "cars" };
  if (first === "car" && isCarId(second)) {
    return {
      page: "car",
      car: second,
      relayOnly: parameters.get("path") === "relay",
      trickle: parameters.get("trickle") !== "0",
    };
  }
  if (second !== "") return { page: "cars" };
  if (first === "releases") return { page: "releases" };
  if (first === "claim") return { page: "claim", code: claimCode(parameters.get("code") ?? "") };
  if (first === "people") return { page: "people" };
  if (first === "account") return { page: "account" };
  if (first === "sign-in") return { page: "sign-in" };
  if (first === "setup" && token !== "") return { page: "setup", token };
  if (first === "link" && token !== "") return { page: "link", token };
  if (first === "password" && token !== "") return { page: "password", token };
  return { page: "cars" };
}

export function formatRoute(route: Route): string {
  switch (route.page) {
    case "cars":
      return "#/";
    case "releases":
    case "people":
    case "account":
    case "sign-in":
      return `#/${route.page}`;
    case "claim": {
      const query = new URLSearchParams(route.code === "" ? {} : { code: route.code }).toString();
      return `#/claim${query === "" ? "" : `?${query}`}`;
    }
    case "setup":
    case "link":
    case "password":
      return `#/${route.page}?${new URLSearchParams({ token: route.token }).toString()}`;
    case "car": {
      const parameters = new URLSearchParams();
      if (route.relayOnly) parameters.set("path", "relay");
      if (!route.trickle) parameters.set("trickle", "0");
      const query = parameters.toString();
      return `#/car/${route.car}${query === "" ? "" : `?${query}`}`;
    }
  }
}

/** Letters, digits and hyphens as a car shows them; what else comes with an address is dropped. */
function claimCode(text: string): string {
  return /^[0-9a-z-]{1,16}$/iu.test(text) ? text : "";
}

function isCarId(text: string): boolean {
  try {
    return carId(text, "car") === text;
  } catch {
    return false;
  }
}
