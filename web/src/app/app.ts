/**
 * The page as a whole: who is signed in, where the page is, which cars there are, which one is
 * driven.
 */

import { computed, effect, signal, untracked, type ReadonlySignal } from "@preact/signals";
import { Api } from "../api";
import {
  ApiError,
  type Addresses,
  type CarStatus,
  type Claimed,
  type Enrolment,
  type ServerInfo,
  type ShareRole,
  type Shares,
} from "../core/app/http";
import { backoff } from "../core/link/backoff";
import { watchNetwork } from "../link/network";
import type { SignalingEvent, SignalingState } from "../core/link/host";
import { SignalingClient } from "../link/signaling";
import type { CarInfo } from "../protocol/common";
import { CarList, EVERYTHING, type CarView, type Wish } from "../core/app/car-list";
import { effectsOf } from "../core/effects";
import { AheadOfClick } from "./ahead";
import { Cockpit, SOFTWARE } from "./cockpit";
import { apiWords, type Place } from "../core/app/messages";
import { OwnAccount } from "./account";
import { People } from "./people";
import { Releases } from "./releases";
import { formatRoute, parseRoute, type Route } from "../core/app/route";

export class App {
  readonly route = signal<Route>(parseRoute(location.hash));
  /** `null` until the server has answered. */
  readonly server = signal<ServerInfo | null>(null);
  readonly unreachable = signal(false);
  readonly signaling = signal<SignalingState>({ phase: "stopped" });
  /** What is seen of the list of cars; `null` until the host has sent something of it. */
  readonly view = signal<CarView | null>(null);
  /** What the person wants to see on the page with the list. */
  readonly wish = signal<Wish>(EVERYTHING);
  readonly cars: ReadonlySignal<readonly CarInfo[] | null> = computed(
    () => this.view.value?.cars ?? null,
  );
  readonly cockpit = signal<Cockpit | null>(null);
  /** Only on a car's own page: the car's status; `null` before the first answer. */
  readonly status = signal<CarStatus | null>(null);
  /** Why a sign-in link did not work. */
  readonly linkTrouble = signal<string | null>(null);
  /** The link was not used, because nothing answered: it still works. */
  readonly linkUnused = signal(false);

  readonly releases: Releases;
  readonly account: OwnAccount;
  readonly people: People;

  readonly #api: Api;
  readonly #client: SignalingClient;
  readonly #ahead: AheadOfClick;
  readonly #list = new CarList();
  /** Where the person wanted to go before they had to sign in. */
  #wanted: Route = { page: "cars" };
  /** Token of the sign-in link that was followed last: each is followed once. */
  #followed: string | null = null;
  #attempt = 0;
  #refreshes = 0;
  /** A session was prepared in this visit of the list, without a sign of the person's. */
  #lookedAhead = false;

  constructor(api = new Api()) {
    this.#api = api;
    this.releases = new Releases(api, () => this.#becomeSignedOut());
    this.account = new OwnAccount(api, () => this.#becomeSignedOut());
    this.people = new People(api, () => this.#becomeSignedOut());
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const options = { url: `${scheme}//${location.host}/ws/driver`, software: SOFTWARE };
    this.#client = new SignalingClient(options, (event) => this.#handleSignaling(event));
    this.#ahead = new AheadOfClick(this.#client);
  }

  start(): void {
    window.addEventListener("hashchange", () => (this.route.value = parseRoute(location.hash)));
    watchNetwork(() => {
      // The socket first: the wish for another path needs it.
      this.#client.renew();
      this.cockpit.peek()?.handleNetwork();
    });
    // Leaving the page frees the car at once. A page that comes back from the browser's cache has
    // closed its cockpit: it loads again.
    window.addEventListener("pagehide", () => {
      this.#closeCockpit();
      this.#ahead.leave();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#ahead.leave();
    });
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) location.reload();
    });
    effect(() => {
      const [route, server] = [this.route.value, this.server.value];
      untracked(() => this.#follow(route, server));
    });
    effect(() => {
      const [route, wish] = [this.route.value, this.wish.value];
      // A cockpit looks at its car alone.
      const wanted = route.page === "car" ? { ...EVERYTHING, car: route.car } : wish;
      untracked(() => this.#look((list) => list.handleWish(wanted)));
    });
    void this.refresh();
  }

  /** Shows something else of the list. */
  see(wish: Wish): void {
    this.wish.value = wish;
  }

  go(route: Route, how: "push" | "replace" = "push"): void {
    const hash = formatRoute(route);
    if (how === "replace") history.replaceState(null, "", hash);
    else if (location.hash !== hash) history.pushState(null, "", hash);
    this.route.value = route;
  }

  /** Asks the server who is signed in, until it answers. */
  async refresh(): Promise<void> {
    // Answers may overtake each other: one from before a sign-in must not undo it.
    const turn = ++this.#refreshes;
    try {
      const server = await this.#api.serverInfo();
      if (turn !== this.#refreshes) return;
      this.server.value = server;
      this.unreachable.value = false;
      this.#attempt = 0;
    } catch {
      if (turn !== this.#refreshes) return;
      this.unreachable.value = this.server.value === null;
      if (this.server.value !== null) return;
      setTimeout(() => void this.refresh(), backoff(this.#attempt, Math.random()));
      this.#attempt += 1;
    }
  }

  /** Signs in; returns a message for the person, `null` if it worked. */
  async signIn(name: string, password: string): Promise<string | null> {
    return await this.#enter("sign-in", () => this.#api.signIn(name, password));
  }

  async signInWithCode(code: string): Promise<string | null> {
    return await this.#enter("code", () => this.#api.signInWithCode(code));
  }

  async setUp(token: string, name: string, password: string): Promise<string | null> {
    return await this.#enter("setup", () => this.#api.setUp(token, name, password));
  }

  async choosePassword(token: string, password: string): Promise<string | null> {
    return await this.#enter("password", () => this.#api.choosePassword(token, password));
  }

  async signOut(): Promise<void> {
    this.#closeCockpit();
    await this.#api
      .signOut()
      .catch((error: unknown) => console.warn("rccar: signing out:", String(error)));
    this.#becomeSignedOut();
    await this.refresh();
  }

  /**
   * Returns a file for a new car's card, or a message for the person. Without a name the car
   * chooses one; without an address the host uses its own.
   */
  async enrol(name: string, url: string): Promise<Enrolment | string> {
    return await this.#ask(() =>
      this.#api.enrol(name === "" ? null : name, url === "" ? null : url),
    );
  }

  /** Where cars find the host; nothing is known of that if it does not answer. */
  async addresses(): Promise<Addresses> {
    return await this.#api.addresses().catch(() => ({ addresses: [], local_only: false }));
  }

  /** Makes the user the owner of the car that shows this code. */
  async claim(code: string): Promise<Claimed | string> {
    return await this.#ask(() => this.#api.claim(code));
  }

  async shares(car: string): Promise<Shares | string> {
    return await this.#ask(() => this.#api.shares(car));
  }

  /**
   * Shares a car with somebody, or with everybody (`null`); without a role no longer. Returns a
   * message for the person, `null` if it worked.
   */
  async share(car: string, who: string | null, role: ShareRole | null): Promise<string | null> {
    return await this.#ask(async () => {
      await this.#api.share(car, who, role);
      return null;
    });
  }

  /** Gives a car away; returns a message for the person, `null` if it worked. */
  async revoke(car: string): Promise<string | null> {
    return await this.#ask(async () => {
      await this.#api.revoke(car);
      return null;
    });
  }

  /**
   * Asks a car to install the version that waits for its owner; returns a message for the person,
   * `null` if it worked.
   */
  async install(car: string, version: string): Promise<string | null> {
    return await this.#ask(async () => {
      await this.#api.install(car, version);
      return null;
    });
  }

  /** Asks a car's own page for its status; without an answer the last status stays. */
  async askStatus(): Promise<void> {
    this.status.value = await this.#api.status().catch(() => this.status.peek());
  }

  async #ask<T>(request: () => Promise<T>): Promise<T | string> {
    try {
      return await request();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.#becomeSignedOut();
      return words("other", error);
    }
  }

  async #enter(place: Place, request: () => Promise<void>): Promise<string | null> {
    try {
      await request();
    } catch (error) {
      return words(place, error);
    }
    await this.refresh();
    if (this.route.peek().page !== "car") this.go(this.#wanted, "replace");
    this.#wanted = { page: "cars" };
    return null;
  }

  #follow(route: Route, server: ServerInfo | null): void {
    if (route.page === "link") {
      if (this.#followed !== route.token) void this.#followLink(route.token);
      return;
    }
    if (server === null || route.page === "setup" || route.page === "password") return;
    if (!server.signed_in) {
      if (route.page === "sign-in") return;
      this.#wanted = route;
      this.go({ page: "sign-in" }, "replace");
      return;
    }
    if (route.page === "sign-in") {
      this.go(this.#wanted, "replace");
      return;
    }
    this.#client.start();
    if (route.page !== "cars") this.#lookedAhead = false;
    // A prepared session trickles, by any path.
    const asPrepared = route.page === "car" && !route.relayOnly && route.trickle;
    if (route.page !== "cars" && !asPrepared) this.#ahead.leave();
    const open = this.cockpit.peek();
    if (open && (route.page !== "car" || formatRoute(route) !== formatRoute(open.route)))
      this.#closeCockpit();
    if (route.page === "car" && !this.cockpit.peek())
      this.cockpit.value = new Cockpit(route, this.#client, this.cars, (session) =>
        this.#ahead.take(session),
      );
  }

  async #followLink(token: string): Promise<void> {
    this.#followed = token;
    this.linkTrouble.value = null;
    this.linkUnused.value = false;
    // The token works once, and is of no use in the address from then on.
    const here = formatRoute({ page: "link", token });
    history.replaceState(null, "", formatRoute({ page: "cars" }));
    let answered = true as boolean;
    const trouble = await this.#enter("link", () =>
      this.#api.followLink(token).catch((error: unknown) => {
        answered = !(error instanceof ApiError && (error.status === 0 || error.status >= 500));
        throw error;
      }),
    );
    if (trouble !== null && !answered) {
      // A reload follows it again.
      history.replaceState(null, "", here);
      this.linkUnused.value = true;
    }
    this.linkTrouble.value = trouble;
  }

  /** Follows a link again that nothing answered. */
  retryLink(): void {
    const route = this.route.peek();
    if (route.page === "link") void this.#followLink(route.token);
  }

  #handleSignaling(event: SignalingEvent): void {
    if (event.kind === "state") {
      this.signaling.value = event.state;
      if (event.state.phase === "signed-out") this.#handleSignedOut();
      // A refused WebSocket looks like a missing host; only the API shows the difference.
      if (event.state.phase === "waiting" && event.state.why === "unreachable")
        void this.#lookSignedOut();
    } else if (
      event.message.type === "welcome" ||
      event.message.type === "cars" ||
      event.message.type === "list"
    ) {
      const { message } = event;
      this.#look((list) => list.handleMessage(message));
    }
    this.#ahead.handleSignaling(event);
    const cockpit = this.cockpit.peek();
    if (cockpit) {
      cockpit.handleSignaling(event);
    } else if (event.kind === "message" && event.message.type === "connecting") {
      // The cockpit that asked for this session was closed meanwhile.
      this.#client.send({ type: "bye", session: event.message.session, reason: "driver-left" });
    }
    if (event.kind === "message" && event.message.type === "connecting")
      this.#ahead.handleConnecting();
    this.#lookAhead();
  }

  /** Prepares a session with the only car that can be driven: hardly anybody wants another one. */
  #lookAhead(): void {
    const view = this.view.peek();
    const here = this.route.peek().page === "cars" && document.visibilityState === "visible";
    if (!here || view?.ready !== 1 || this.#lookedAhead) return;
    const car = view.cars.find(({ presence }) => presence === "available");
    if (!car) return;
    // Once in a visit: a page that is left open must not keep the car's radio awake.
    this.#lookedAhead = true;
    this.#ahead.want(car.id, true);
  }

  /** The person's hand is at this car; `sure`: it does more than to pass over it. */
  handleNear(car: CarInfo, sure: boolean): void {
    if (car.presence === "available" && !this.cockpit.peek()) this.#ahead.want(car.id, sure);
  }

  handleFar(): void {
    this.#ahead.unwant();
  }

  #look(step: (list: CarList) => void): void {
    step(this.#list);
    for (const { message } of effectsOf(this.#list)) this.#client.send(message);
    this.view.value = this.#list.view;
  }

  async #lookSignedOut(): Promise<void> {
    const server = await this.#api.serverInfo().catch(() => null);
    if (server && !server.signed_in) this.#handleSignedOut();
  }

  #handleSignedOut(): void {
    // A drive goes on without a sign-in: the car has let the driver in. The cockpit says what
    // happened.
    if (this.cockpit.peek()?.session.phase.name === "connected") return;
    this.#becomeSignedOut();
  }

  #becomeSignedOut(): void {
    this.#ahead.leave();
    this.#client.stop();
    this.#closeCockpit();
    this.wish.value = EVERYTHING;
    this.account.forget();
    this.people.forget();
    this.#look((list) => list.handleSignedOut());
    const server = this.server.peek();
    if (server) this.server.value = { ...server, signed_in: false, user: null, role: null };
  }

  #closeCockpit(): void {
    const cockpit = this.cockpit.peek();
    this.cockpit.value = null;
    cockpit?.dispose();
  }
}

function words(place: Place, error: unknown): string {
  return error instanceof ApiError
    ? apiWords(place, error.status, error.code, error.text)
    : String(error);
}
