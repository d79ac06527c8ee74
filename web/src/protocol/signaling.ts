/**
 * JSON messages over WebSocket between this page and the signaling host, as in
 * `crates/words/protocol/src/signaling`.
 */

import { byeReason, candidate, carInfo, errorCode, iceServer } from "./common";
import type { ByeReason, Candidate, CarInfo, ErrorCode, IceServer } from "./common";
import { bool, listOf, openMessage, uint } from "./json";
import { greaseMessage } from "./grease";
import { carId, name, note, sdp, sessionId, software } from "./text";
import { word, type Open } from "./words";

/** Version of the lists in parts. */
export const LISTS = 1;
export const LIST_SHOWS = ["all", "own", "ready"] as const;
export type ListShow = (typeof LIST_SHOWS)[number];
export const LIST_SORTS = ["ready", "name"] as const;
export type ListSort = (typeof LIST_SORTS)[number];

export type FromDriver =
  | {
      type: "hello";
      v: number;
      software: string | null;
      /** Versions of the lists in parts that the page speaks. */
      lists: readonly number[] | null;
    }
  | {
      type: "list";
      id: number;
      search: string | null;
      show: Open<ListShow>;
      sort: Open<ListSort>;
      car: string | null;
      from: number;
      count: number;
    }
  | {
      type: "connect";
      car: string;
      trickle: boolean;
      /** From whoever drives it. */
      take: true | null;
    }
  | { type: "prepare"; car: string }
  | { type: "answer"; session: string; generation: number; sdp: string }
  | { type: "candidate"; session: string; generation: number; candidate: Candidate }
  | { type: "restart"; session: string }
  | { type: "bye"; session: string; reason: Open<ByeReason> }
  | { type: "ping"; id: number };

export type ToDriver =
  | {
      type: "welcome";
      v: number;
      user: string;
      software: string;
      cars: CarInfo[];
      more: true | null;
      /** Versions of the lists in parts that the host speaks. */
      lists: readonly number[] | null;
    }
  | {
      type: "list";
      id: number;
      known: number;
      total: number;
      ready: number;
      from: number;
      /** `null`: as before. */
      order: string[] | null;
      cars: CarInfo[];
    }
  | { type: "cars"; cars: CarInfo[]; gone: string[] | null; more: true | null }
  | { type: "connecting"; session: string; car: string; ice_servers: IceServer[] }
  | { type: "prepared"; session: string; car: string; ice_servers: IceServer[] }
  | { type: "ice-servers"; session: string; ice_servers: IceServer[] }
  | { type: "offer"; session: string; generation: number; sdp: string }
  | { type: "candidate"; session: string; generation: number; candidate: Candidate }
  | {
      type: "wanted";
      session: string;
      /** Who waits for the car. */
      by: string | null;
      /** The car waits with an update. */
      update: true | null;
      idle_s: number;
    }
  | {
      type: "bye";
      session: string;
      reason: Open<ByeReason>;
      /** Who took the car back. */
      by: string | null;
    }
  | {
      type: "error";
      code: Open<ErrorCode>;
      text: string;
      car: string | null;
      session: string | null;
    }
  | { type: "pong"; id: number };

const TO_DRIVER = [
  "welcome",
  "list",
  "cars",
  "connecting",
  "prepared",
  "ice-servers",
  "offer",
  "candidate",
  "wanted",
  "bye",
  "error",
  "pong",
] as const;
const FROM_DRIVER = [
  "hello",
  "list",
  "connect",
  "prepare",
  "answer",
  "candidate",
  "restart",
  "bye",
  "ping",
] as const;

/** Reads a message from the host, or throws a `MessageError`. */
export function parseToDriver(text: string): ToDriver {
  const { type, shape } = openMessage(text, TO_DRIVER);
  switch (type) {
    case "welcome":
      return {
        type,
        v: shape.need("v", uint(8)),
        user: shape.need("user", name),
        software: shape.need("software", software),
        cars: shape.need("cars", listOf(carInfo)),
        more: flag(shape.maybe("more", bool)),
        lists: some(shape.maybe("lists", listOf(uint(8)))),
      };
    case "list":
      return {
        type,
        id: shape.need("id", uint(32)),
        known: shape.need("known", uint(32)),
        total: shape.need("total", uint(32)),
        ready: shape.need("ready", uint(32)),
        from: shape.need("from", uint(32)),
        order: shape.maybe("order", listOf(carId)),
        cars: shape.need("cars", listOf(carInfo)),
      };
    case "cars":
      return {
        type,
        cars: shape.need("cars", listOf(carInfo)),
        gone: some(shape.maybe("gone", listOf(carId))),
        more: flag(shape.maybe("more", bool)),
      };
    case "connecting":
    case "prepared":
      return {
        type,
        session: shape.need("session", sessionId),
        car: shape.need("car", carId),
        ice_servers: shape.need("ice_servers", listOf(iceServer)),
      };
    case "ice-servers":
      return {
        type,
        session: shape.need("session", sessionId),
        ice_servers: shape.need("ice_servers", listOf(iceServer)),
      };
    case "offer":
      return {
        type,
        session: shape.need("session", sessionId),
        generation: shape.need("generation", uint(32, 1)),
        sdp: shape.need("sdp", sdp),
      };
    case "candidate":
      return {
        type,
        session: shape.need("session", sessionId),
        generation: shape.need("generation", uint(32, 1)),
        candidate: shape.need("candidate", candidate),
      };
    case "wanted":
      return {
        type,
        session: shape.need("session", sessionId),
        by: shape.maybe("by", name),
        update: flag(shape.maybe("update", bool)),
        idle_s: shape.need("idle_s", uint(32, 1)),
      };
    case "bye":
      return {
        type,
        session: shape.need("session", sessionId),
        reason: shape.need("reason", byeReason),
        by: shape.maybe("by", name),
      };
    case "error":
      return {
        type,
        code: shape.need("code", errorCode),
        text: shape.need("text", note),
        car: shape.maybe("car", carId),
        session: shape.maybe("session", sessionId),
      };
    case "pong":
      return { type, id: shape.need("id", uint(32)) };
  }
}

/**
 * Reads a message from a page. The page never receives one: this is for the vectors and for tests.
 */
export function parseFromDriver(text: string): FromDriver {
  const { type, shape } = openMessage(text, FROM_DRIVER);
  switch (type) {
    case "hello":
      return {
        type,
        v: shape.need("v", uint(8)),
        software: shape.maybe("software", software),
        lists: some(shape.maybe("lists", listOf(uint(8)))),
      };
    case "list":
      return {
        type,
        id: shape.need("id", uint(32)),
        search: shape.maybe("search", note),
        show: shape.need("show", word(LIST_SHOWS)),
        sort: shape.need("sort", word(LIST_SORTS)),
        car: shape.maybe("car", carId),
        from: shape.need("from", uint(32)),
        count: shape.need("count", uint(8, 1)),
      };
    case "connect":
      return {
        type,
        car: shape.need("car", carId),
        trickle: shape.orElse("trickle", bool, true),
        take: flag(shape.maybe("take", bool)),
      };
    case "prepare":
      return { type, car: shape.need("car", carId) };
    case "answer":
      return {
        type,
        session: shape.need("session", sessionId),
        generation: shape.need("generation", uint(32, 1)),
        sdp: shape.need("sdp", sdp),
      };
    case "candidate":
      return {
        type,
        session: shape.need("session", sessionId),
        generation: shape.need("generation", uint(32, 1)),
        candidate: shape.need("candidate", candidate),
      };
    case "restart":
      return { type, session: shape.need("session", sessionId) };
    case "bye":
      return {
        type,
        session: shape.need("session", sessionId),
        reason: shape.need("reason", byeReason),
      };
    case "ping":
      return { type, id: shape.need("id", uint(32)) };
  }
}

/** A flag or list that says nothing becomes `null`, as if it had been left out. */
function flag(value: boolean | null): true | null {
  return value === true ? true : null;
}

function some<T>(list: T[] | null): T[] | null {
  return list === null || list.length === 0 ? null : list;
}

/** A message as JSON text. Fields that hold nothing are left out. */
export function writeJson(message: object): string {
  return JSON.stringify(greaseMessage(message), (_key, value: unknown) =>
    value === null ? undefined : value,
  );
}
