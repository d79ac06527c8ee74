/** The HTTP API of the host, or of the car on its own page. Same origin; the session is a cookie that scripts cannot read. */

import { anyString, bool, listOf, MessageError, oneOf, Shape, type Read } from "./protocol/json";
import { release, releaseList, type Release, type ReleaseList } from "./protocol/release";

/** What the server tells about itself and about who is signed in. */
export interface ServerInfo {
  /** A signaling host with accounts, or a car's own page. */
  readonly mode: "host" | "car";
  readonly software: string;
  readonly signed_in: boolean;
  readonly user: string | null;
  /** There is no account yet. */
  readonly setup_required: boolean;
  readonly sign_in: "password" | "code";
}

/** What lets one new car in. */
export interface Enrolment {
  readonly token: string;
  /** Unix time in seconds. */
  readonly expires_at: number;
  /** Where the car finds the host; `null` if the host knows no address that works from another machine. */
  readonly url: string | null;
  /** Lines for the car's own configuration file. */
  readonly config: string;
  /** The whole file for its SD card. */
  readonly provision: string;
}

/** A car that was claimed. */
export interface Claimed {
  readonly car: string;
  readonly name: string;
}

/** What a car says of itself on its own page; without `near` it tells nothing. */
export interface CarStatus {
  readonly near: boolean;
  readonly car: string | null;
  readonly name: string | null;
  readonly host: HostStatus | null;
  /** The code that claims it, while nobody owns it. */
  readonly claim: string | null;
  readonly provision: Provision | null;
}

/** How the car stands with its host. */
export interface HostStatus {
  readonly url: string;
  readonly state: "connecting" | "registered" | "unclaimed" | "refused";
  readonly text: string | null;
}

/** What became of the card's provision.toml. */
export interface Provision {
  readonly file: "good" | "faulty" | "missing" | "unreadable";
  readonly faults: readonly Fault[];
  /** Tables that were not used. */
  readonly unused: readonly { readonly table: string; readonly instead: "kept" | "default" }[];
  readonly notices: readonly string[];
  readonly host_name: string;
}

export interface Fault {
  readonly line: number;
  readonly key: string;
  readonly what: string;
  readonly example: string;
}

/** What people decide about a release; what is left out stays as it is. */
export interface ReleaseChange {
  readonly rollout?: number;
  readonly paused?: boolean;
  readonly channels?: readonly string[];
  readonly notes?: string;
}

/** A request that failed; status 0 means that no answer came. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    /** The server's own words. */
    readonly text: string,
  ) {
    super(`${status} ${code}: ${text}`);
  }
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export class Api {
  readonly #fetch: Fetch;

  constructor(fetch: Fetch = (path, init) => globalThis.fetch(path, init)) {
    this.#fetch = fetch;
  }

  async session(): Promise<ServerInfo> {
    return await this.#request("GET", "session", undefined, serverInfo);
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.#request("POST", "session", { name, password });
  }

  /** On a car's own page. */
  async signInWithCode(code: string): Promise<void> {
    await this.#request("POST", "session", { code });
  }

  async signOut(): Promise<void> {
    await this.#request("DELETE", "session");
  }

  /** Makes the first account. */
  async setUp(token: string, name: string, password: string): Promise<void> {
    await this.#request("POST", "setup", { token, name, password });
  }

  /** Uses a one-time sign-in link. */
  async followLink(token: string): Promise<void> {
    await this.#request("POST", "link", { token });
  }

  async enrol(name: string | null = null, url: string | null = null): Promise<Enrolment> {
    const wish = { ...(name !== null && { name }), ...(url !== null && { url }) };
    return await this.#request("POST", "enrolments", wish, enrolment);
  }

  async claim(code: string): Promise<Claimed> {
    return await this.#request("POST", "claims", { code }, claimed);
  }

  async revoke(car: string): Promise<void> {
    await this.#request("DELETE", `cars/${encodeURIComponent(car)}`);
  }

  /** Asks a car for its owner to install the version that it waits to be asked for. */
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

  async #request<T = void>(method: string, path: string, body?: object, read?: Read<T>): Promise<T> {
    let response: Response;
    try {
      response = await this.#fetch(`/api/v1/${path}`, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
      });
    } catch (error) {
      throw new ApiError(0, "unreachable", String(error));
    }
    const value = parse(await response.text().catch(() => ""));
    if (!response.ok) throw refusal(response.status, value);
    try {
      return read ? read(value, "") : (undefined as T);
    } catch (error) {
      throw new ApiError(response.status, "malformed", `the answer cannot be read: ${String(error)}`);
    }
  }
}

const serverInfo: Read<ServerInfo> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    mode: shape.need("mode", oneOf(["host", "car"])),
    software: shape.need("software", anyString),
    signed_in: shape.need("signed_in", bool),
    user: shape.maybe("user", anyString),
    setup_required: shape.need("setup_required", bool),
    sign_in: shape.need("sign_in", oneOf(["password", "code"])),
  };
};

const enrolment: Read<Enrolment> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    token: shape.need("token", anyString),
    expires_at: shape.need("expires_at", finite),
    url: shape.maybe("url", anyString),
    config: shape.need("config", anyString),
    provision: shape.need("provision", anyString),
  };
};

const claimed: Read<Claimed> = (value, field) => {
  const shape = new Shape(value, field);
  return { car: shape.need("car", anyString), name: shape.need("name", anyString) };
};

const carStatus: Read<CarStatus> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    near: shape.need("near", bool),
    car: shape.maybe("car", anyString),
    name: shape.maybe("name", anyString),
    host: shape.maybe("host", hostStatus),
    claim: shape.maybe("claim", anyString),
    provision: shape.maybe("provision", provision),
  };
};

const hostStatus: Read<HostStatus> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    url: shape.need("url", anyString),
    state: shape.need("state", oneOf(["connecting", "registered", "unclaimed", "refused"])),
    text: shape.maybe("text", anyString),
  };
};

const provision: Read<Provision> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    file: shape.need("file", oneOf(["good", "faulty", "missing", "unreadable"])),
    faults: shape.need("faults", listOf(fault)),
    unused: shape.need("unused", listOf(unused)),
    notices: shape.need("notices", listOf(anyString)),
    host_name: shape.need("host_name", anyString),
  };
};

const fault: Read<Fault> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    line: shape.need("line", finite),
    key: shape.need("key", anyString),
    what: shape.need("what", anyString),
    example: shape.need("example", anyString),
  };
};

const unused: Read<Provision["unused"][number]> = (value, field) => {
  const shape = new Shape(value, field);
  return { table: shape.need("table", anyString), instead: shape.need("instead", oneOf(["kept", "default"])) };
};

const finite: Read<number> = (value, field) => {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new MessageError("malformed", `field ${field} is not a number`);
  }
  return value;
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Every refusal has `code` and `text`; whatever stands between us and the server may answer otherwise. */
export function refusal(status: number, value: unknown): ApiError {
  try {
    const shape = new Shape(value, "");
    return new ApiError(status, shape.need("code", anyString), shape.need("text", anyString));
  } catch {
    return new ApiError(status, "unknown", "");
  }
}
