/**
 * The HTTP API of the host, or of the car on its own page. Same origin; the sign-in is a cookie
 * that scripts cannot read.
 */

import {
  account,
  addresses,
  ApiError,
  carStatus,
  claimed,
  enrolment,
  json,
  newLink,
  people,
  refusal,
  serverInfo,
  shares,
  type Account,
  type Addresses,
  type CarStatus,
  type Claimed,
  type Enrolment,
  type NewLink,
  type Person,
  type ReleaseChange,
  type Role,
  type ServerInfo,
  type ShareRole,
  type Shares,
} from "./core/app/http";
import type { Read } from "./protocol/json";
import { release, releaseList, type Release, type ReleaseList } from "./protocol/release";

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export class Api {
  readonly #fetch: Fetch;
  /** Where a browser signs in: a host of release 0.1.0 knows the second name only. */
  #signInPath: "sign-in" | "session" = "sign-in";

  constructor(fetch: Fetch = (path, init) => globalThis.fetch(path, init)) {
    this.#fetch = fetch;
  }

  async serverInfo(): Promise<ServerInfo> {
    return await this.#signIn("GET", undefined, serverInfo);
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.#signIn("POST", { name, password });
  }

  /** On a car's own page. */
  async signInWithCode(code: string): Promise<void> {
    await this.#signIn("POST", { code });
  }

  async signOut(): Promise<void> {
    await this.#signIn("DELETE");
  }

  /** Makes the first account. */
  async setUp(token: string, name: string, password: string): Promise<void> {
    await this.#request("POST", "setup", { token, name, password });
  }

  /** Signs in with the token of a one-time link. */
  async followLink(token: string): Promise<void> {
    await this.#request("POST", "link", { token });
  }

  /** Chooses a new password by the token of a one-time link, and signs in. */
  async choosePassword(token: string, password: string): Promise<void> {
    await this.#request("POST", "password-link", { token, password });
  }

  async account(): Promise<Account> {
    return await this.#request("GET", "account", undefined, account);
  }

  async changePassword(present: string, wanted: string): Promise<void> {
    await this.#request("POST", "account/password", { present, new: wanted });
  }

  async endSignIn(id: string): Promise<void> {
    await this.#request("DELETE", `sign-ins/${encodeURIComponent(id)}`);
  }

  async endOtherSignIns(): Promise<void> {
    await this.#request("DELETE", "sign-ins");
  }

  async people(): Promise<readonly Person[]> {
    return await this.#request("GET", "people", undefined, people);
  }

  /** Returns a link by which the person chooses a password. */
  async addPerson(name: string, role: Role): Promise<NewLink> {
    return await this.#request("POST", "people", { name, role }, newLink);
  }

  async setRole(name: string, role: Role): Promise<void> {
    await this.#request("PATCH", `people/${encodeURIComponent(name)}`, { role });
  }

  /** The cars go to `heir`; without one they wait for an account of the same name. */
  async removePerson(name: string, heir: string | null): Promise<void> {
    const query = heir === null ? "" : `?${new URLSearchParams({ cars_to: heir }).toString()}`;
    await this.#request("DELETE", `people/${encodeURIComponent(name)}${query}`);
  }

  async passwordLink(name: string): Promise<NewLink> {
    const path = `people/${encodeURIComponent(name)}/password-link`;
    return await this.#request("POST", path, undefined, newLink);
  }

  async enrol(name: string | null = null, url: string | null = null): Promise<Enrolment> {
    const wish = { ...(name !== null && { name }), ...(url !== null && { url }) };
    return await this.#request("POST", "enrolments", wish, enrolment);
  }

  /** Where cars find the host. */
  async addresses(): Promise<Addresses> {
    return await this.#request("GET", "addresses", undefined, addresses);
  }

  async claim(code: string): Promise<Claimed> {
    return await this.#request("POST", "claims", { code }, claimed);
  }

  async revoke(car: string): Promise<void> {
    await this.#request("DELETE", `cars/${encodeURIComponent(car)}`);
  }

  async shares(car: string): Promise<Shares> {
    return await this.#request("GET", `cars/${encodeURIComponent(car)}/shares`, undefined, shares);
  }

  /** `who` `null`: everybody; `role` `null`: no longer. */
  async share(car: string, who: string | null, role: ShareRole | null): Promise<void> {
    const path = who === null ? "everybody" : `shares/${encodeURIComponent(who)}`;
    const body = role === null ? undefined : { role };
    await this.#request(body ? "PUT" : "DELETE", `cars/${encodeURIComponent(car)}/${path}`, body);
  }

  /** Asks a car to install the version that waits for its owner. */
  async install(car: string, version: string): Promise<void> {
    await this.#request("POST", `cars/${encodeURIComponent(car)}/install`, { version });
  }

  /** On a car's own page. */
  async status(): Promise<CarStatus> {
    return await this.#request("GET", "status", undefined, carStatus);
  }

  async releases(): Promise<ReleaseList> {
    return await this.#request("GET", "releases", undefined, releaseList);
  }

  async changeRelease(version: string, change: ReleaseChange): Promise<Release> {
    return await this.#request("PATCH", `releases/${encodeURIComponent(version)}`, change, release);
  }

  async removeRelease(version: string): Promise<void> {
    await this.#request("DELETE", `releases/${encodeURIComponent(version)}`);
  }

  async #signIn<T = void>(method: string, body?: object, read?: Read<T>): Promise<T> {
    try {
      return await this.#request(method, this.#signInPath, body, read);
    } catch (error) {
      if (this.#signInPath === "session" || !(error instanceof ApiError) || error.status !== 404) {
        throw error;
      }
      this.#signInPath = "session";
      return await this.#request(method, this.#signInPath, body, read);
    }
  }

  async #request<T = void>(
    method: string,
    path: string,
    body?: object,
    read?: Read<T>,
  ): Promise<T> {
    let response: Response;
    try {
      response = await this.#fetch(`/api/v1/${path}`, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        ...(body
          ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } }
          : {}),
      });
    } catch (error) {
      throw new ApiError(0, "unreachable", String(error));
    }
    const value = json(await response.text().catch(() => ""));
    if (!response.ok) throw refusal(response.status, value);
    try {
      return read ? read(value, "") : (undefined as T);
    } catch (error) {
      throw new ApiError(
        response.status,
        "malformed",
        `the answer cannot be read: ${String(error)}`,
      );
    }
  }
}
