/**
 * The words of the HTTP API: what the host, or a car on its own page, answers. What a reader
 * returns is legal.
 */

import {
  anyString,
  bool,
  listOf,
  MessageError,
  oneOf,
  Shape,
  type Read,
} from "../../protocol/json";
import { CAR_ROLES, type CarRole } from "../../protocol/common";
import { word, type Open } from "../../protocol/words";

/**
 * What the server says about itself and about who is signed in. Its words are closed: a page comes
 * from the server that it asks.
 */
export interface ServerInfo {
  /** A signaling host with accounts, or a car's own page. */
  readonly mode: "host" | "car";
  readonly software: string;
  readonly signed_in: boolean;
  readonly user: string | null;
  /** What the user may do on the host; `null` while nobody is signed in. */
  readonly role: Role | null;
  /** There is no account yet. */
  readonly setup_required: boolean;
  readonly sign_in: "password" | "code";
}

export const ROLES = ["admin", "member"] as const;
/** What an account may do on the host as a whole. */
export type Role = (typeof ROLES)[number];

/** An account, for admins. */
export interface Person {
  readonly name: string;
  readonly role: Role;
  readonly has_password: boolean;
  /** How many cars it owns. */
  readonly cars: number;
  /** Unix time in seconds. */
  readonly created_at: number;
  readonly seen_at: number | null;
}

/** What an owner may give of a car. */
export type ShareRole = Exclude<CarRole, "owner">;

/** With whom a car is shared. */
export interface Shares {
  /** What everybody on the host may do with it. */
  readonly everybody: Open<CarRole> | null;
  readonly people: readonly Share[];
}

export interface Share {
  readonly name: string;
  readonly role: Open<CarRole>;
}

/** A one-time link for somebody else. */
export interface NewLink {
  readonly token: string;
  /** Unix time in seconds. */
  readonly expires_at: number;
}

/** What lets one new car in. */
export interface Enrolment {
  readonly token: string;
  /** Unix time in seconds. */
  readonly expires_at: number;
  /**
   * Where the car finds the host; `null` if the host knows no address that works from another
   * machine.
   */
  readonly url: string | null;
  /** Lines for the car's own configuration file. */
  readonly config: string;
  /** The whole file for its SD card. */
  readonly provision: string;
}

/** Where cars find the host. */
export interface Addresses {
  /** The best one first; empty if the host knows none that works from another machine. */
  readonly addresses: readonly string[];
  /** The host listens to its own machine only. */
  readonly local_only: boolean;
}

/** A person's own account. */
export interface Account {
  readonly name: string;
  /** An account without one signs in by links. */
  readonly has_password: boolean;
  /** The newest first. */
  readonly sign_ins: readonly SignIn[];
}

/** A browser that is signed in. */
export interface SignIn {
  readonly id: string;
  /** `Firefox on Linux`; `null` for one from before the host noted it. */
  readonly browser: string | null;
  /** The network that it came from: `192.0.2.0/24`. */
  readonly network: string | null;
  /** Unix time in seconds. */
  readonly created_at: number;
  readonly seen_at: number | null;
  /** It is this one. */
  readonly this: boolean;
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

const HOST_STATES = ["connecting", "registered", "unclaimed", "refused"] as const;
const CARD_FILES = ["good", "faulty", "missing", "empty", "unreadable"] as const;
const INSTEAD = ["kept", "default", "off"] as const;

/** How the car stands with its host. */
export interface HostStatus {
  readonly url: string;
  readonly state: Open<(typeof HOST_STATES)[number]>;
  readonly text: string | null;
}

/** What became of the card's provision.toml. */
export interface Provision {
  readonly file: Open<(typeof CARD_FILES)[number]>;
  readonly faults: readonly Fault[];
  /** Tables that were not used. */
  readonly unused: readonly UnusedTable[];
  readonly notices: readonly string[];
  readonly host_name: string;
}

export interface UnusedTable {
  readonly table: string;
  /** What holds in its place. */
  readonly instead: Open<(typeof INSTEAD)[number]>;
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

export const serverInfo: Read<ServerInfo> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    mode: shape.need("mode", oneOf(["host", "car"])),
    software: shape.need("software", anyString),
    signed_in: shape.need("signed_in", bool),
    user: shape.maybe("user", anyString),
    role: shape.maybe("role", oneOf(ROLES)),
    setup_required: shape.need("setup_required", bool),
    sign_in: shape.need("sign_in", oneOf(["password", "code"])),
  };
};

const person: Read<Person> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    name: shape.need("name", anyString),
    role: shape.need("role", oneOf(ROLES)),
    has_password: shape.need("has_password", bool),
    cars: shape.need("cars", finite),
    created_at: shape.need("created_at", finite),
    seen_at: shape.maybe("seen_at", finite),
  };
};

export const people: Read<readonly Person[]> = (value, field) =>
  new Shape(value, field).need("people", listOf(person));

const share: Read<Share> = (value, field) => {
  const shape = new Shape(value, field);
  return { name: shape.need("name", anyString), role: shape.need("role", word(CAR_ROLES)) };
};

export const shares: Read<Shares> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    everybody: shape.maybe("everybody", word(CAR_ROLES)),
    people: shape.need("people", listOf(share)),
  };
};

export const newLink: Read<NewLink> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    token: shape.need("token", anyString),
    expires_at: shape.need("expires_at", finite),
  };
};

export const enrolment: Read<Enrolment> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    token: shape.need("token", anyString),
    expires_at: shape.need("expires_at", finite),
    url: shape.maybe("url", anyString),
    config: shape.need("config", anyString),
    provision: shape.need("provision", anyString),
  };
};

export const addresses: Read<Addresses> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    addresses: shape.need("addresses", listOf(anyString)),
    local_only: shape.need("local_only", bool),
  };
};

export const account: Read<Account> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    name: shape.need("name", anyString),
    has_password: shape.need("has_password", bool),
    sign_ins: shape.need("sign_ins", listOf(signIn)),
  };
};

const signIn: Read<SignIn> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    id: shape.need("id", anyString),
    browser: shape.maybe("browser", anyString),
    network: shape.maybe("network", anyString),
    created_at: shape.need("created_at", finite),
    seen_at: shape.maybe("seen_at", finite),
    this: shape.need("this", bool),
  };
};

export const claimed: Read<Claimed> = (value, field) => {
  const shape = new Shape(value, field);
  return { car: shape.need("car", anyString), name: shape.need("name", anyString) };
};

export const carStatus: Read<CarStatus> = (value, field) => {
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
    state: shape.need("state", word(HOST_STATES)),
    text: shape.maybe("text", anyString),
  };
};

const provision: Read<Provision> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    file: shape.need("file", word(CARD_FILES)),
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

const unused: Read<UnusedTable> = (value, field) => {
  const shape = new Shape(value, field);
  return {
    table: shape.need("table", anyString),
    instead: shape.need("instead", word(INSTEAD)),
  };
};

const finite: Read<number> = (value, field) => {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new MessageError("malformed", `field ${field} is not a number`);
  }
  return value;
};

/**
 * Every refusal has `code` and `text`; whatever stands between us and the server may answer
 * otherwise.
 */
export function refusal(status: number, value: unknown): ApiError {
  try {
    const shape = new Shape(value, "");
    return new ApiError(status, shape.need("code", anyString), shape.need("text", anyString));
  } catch {
    return new ApiError(status, "unknown", "");
  }
}

/** The JSON of an answer; `null` if it is none. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
