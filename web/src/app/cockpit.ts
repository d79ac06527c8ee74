/**
 * One car being driven: introduces session, peer, channels and devices to each other, and shows what comes of it.
 *
 * Decides nothing that could be decided by them.
 */

import { signal, type ReadonlySignal } from "@preact/signals";
import { listen, poll } from "../input/browser";
import { Mixer } from "../core/input/mixer";
import { Sender } from "../input/sender";
import { ControlChannel, EventsChannel } from "../link/channels";
import { CarClock } from "../core/link/clock";
import { browserPlatform, Peer, type PeerOutput } from "../link/peer";
import { Session } from "../core/link/session";
import { Sight, type Blindness } from "../core/link/sight";
import type { SignalingEvent } from "../core/link/host";
import type { SignalingClient } from "../link/signaling";
import { StatsMeter, type LinkStats, type StatsEntry } from "../core/link/stats";
import { LinkWatch } from "../core/link/watch";
import type { CarInfo } from "../protocol/common";
import type { CarEvent, CarLink } from "../protocol/events";
import type { TelemetryFrame } from "../protocol/telemetry";
import { micros32, permyriad } from "../protocol/units";
import { hudOf } from "../core/app/display";
import { emptyHud, sameHud, type Hud } from "../core/app/hud";
import { Picture, type PresentedFrame } from "../core/app/picture";
import type { Route } from "../core/app/route";
import { LastStop } from "../core/app/stops";

export const SOFTWARE = `rccar-web/${__VERSION__}`;

/** How often the machines look at the clock and the display follows: what the eye can read, and a fifth of the drive's patience. */
const TICK_MS = 100;
/** Ticks between two looks at the statistics: `getStats` costs milliseconds on a phone. */
const STATS_TICKS = 5;
/** How long a notice of the car's stays. */
const NOTICE_MS = 6_000;

export type CarRoute = Extract<Route, { page: "car" }>;

/** Numbers frames across sessions, so that an echo of an old session is never taken for one of the new. */
let frameSeq = 0;

export class Cockpit {
  readonly route: CarRoute;
  readonly hud = signal<Hud>(emptyHud);
  readonly stream = signal<MediaStream | null>(null);
  readonly mixer: Mixer;
  readonly session: Session;

  readonly #signaling: SignalingClient;
  readonly #cars: ReadonlySignal<readonly CarInfo[] | null>;
  readonly #sender: Sender;
  readonly #stopListening: () => void;
  readonly #lastStop = new LastStop();
  readonly #ticks: ReturnType<typeof setInterval>;
  #tick = 0;

  #peer: Peer | null = null;
  #peers = 0;
  #clock = new CarClock();
  #watch = new LinkWatch();
  #picture = new Picture();
  #sight = new Sight();
  #blind: Blindness | null = "no-picture";
  #meter = new StatsMeter();
  #control: ControlChannel | null = null;
  #telemetry: { frame: TelemetryFrame; at: number } | null = null;
  #stats: LinkStats | null = null;
  #carName: string | null = null;
  #carLink: CarLink | null = null;
  #carNotice: { level: "info" | "warning" | "error"; text: string; until: number } | null = null;
  #upSince: number | null = null;
  #wakeLock: WakeLockSentinel | null = null;

  constructor(route: CarRoute, signaling: SignalingClient, cars: ReadonlySignal<readonly CarInfo[] | null>) {
    this.route = route;
    this.#signaling = signaling;
    this.#cars = cars;
    this.session = new Session({ car: route.car, trickle: route.trickle });
    this.#sender = new Sender((now) => this.#sendControl(now));
    this.mixer = new Mixer((urgency) => (urgency === "now" ? this.#sender.now() : this.#sender.hurry()));
    this.#stopListening = listen(this.mixer);
    this.#ticks = setInterval(() => this.#handleTick(), TICK_MS);
    this.#sender.start();
    this.#act((now) => this.session.handleHost(signaling.state.phase === "ready", now));
  }

  handleSignaling(event: SignalingEvent): void {
    this.#act((now) => {
      if (event.kind === "message") this.session.handleMessage(event.message, now);
      else this.session.handleHost(event.state.phase === "ready", now);
    });
  }

  handleFrame(frame: PresentedFrame): void {
    this.#picture.handleFrame(frame, this.#clock);
    this.#sight.handleFrame(frame.presentedAt, frame.rtpTimestamp);
  }

  /** This device has another network: a path over the old one is dead, or about to be. */
  handleNetwork(): void {
    this.#act((now) => this.session.handleNetwork(now));
  }

  connect(): void {
    this.#act((now) => this.session.connect(now));
  }

  restartIce(): void {
    this.#act((now) => this.session.restart(now));
  }

  /** Says good-bye and lets go of everything. */
  dispose(): void {
    this.#sender.stop();
    this.#stopListening();
    clearInterval(this.#ticks);
    this.#act(() => this.session.leave());
    void this.#wakeLock?.release();
  }

  /** For people who look for a fault, and for tests. */
  diagnose(): object {
    const now = performance.now();
    const telemetry = this.#telemetry;
    return {
      session: { id: this.session.id, phase: this.session.phase, attempt: this.session.attempt },
      peer: this.#peer && {
        ice: this.#peer.ice,
        connection: this.#peer.connection,
        generation: this.session.generation,
        channelId: this.#control?.id ?? null,
        /** Counts the peer connections of this page. */
        instance: this.#peers,
      },
      telemetry: telemetry && { ...telemetry.frame, car_time: Number(telemetry.frame.car_time) },
      telemetry_age_ms: telemetry && now - telemetry.at,
      rtt_ms: this.#clock.rttMs,
      picture_age_ms: this.#picture.ageMs(now),
      video: {
        frames: this.#picture.last?.count ?? 0,
        width: this.#picture.last?.width ?? 0,
        height: this.#picture.last?.height ?? 0,
      },
      stats: this.#stats,
      link: this.#carLink,
      control: this.#control && { skipped: this.#control.skipped, malformed: this.#control.malformed, sent: frameSeq },
      blind: this.#blind,
      input: { ...this.mixer.sample(now), armWanted: this.mixer.armWanted, notice: this.mixer.notice },
      last_stop: this.#lastStop.cause?.why ?? null,
    };
  }

  /** Lets a machine do something, carries out what it decides, and shows it. */
  #act(step: (now: number) => void): void {
    const before = this.session.phase.name;
    step(performance.now());
    for (const effect of this.session.takeEffects()) {
      switch (effect.kind) {
        case "send":
          this.#signaling.send(effect.message);
          break;
        case "open-peer":
          this.#openPeer(effect.iceServers);
          break;
        case "offer":
          this.#peer?.handleOffer(effect.generation, effect.sdp);
          break;
        case "candidate":
          this.#peer?.handleCandidate(effect.generation, effect.candidate);
          break;
        case "close-peer":
          this.#closePeer();
          break;
      }
    }
    if (this.session.phase.name !== before) this.#show();
  }

  #openPeer(iceServers: ConstructorParameters<typeof Peer>[0]["iceServers"]): void {
    this.#closePeer();
    this.#peers += 1;
    const options = { iceServers, relayOnly: this.route.relayOnly, trickle: this.route.trickle };
    this.#peer = new Peer(options, browserPlatform, (output) => this.#handlePeer(output));
  }

  #closePeer(): void {
    this.#peer?.close();
    this.#peer = null;
    this.#control = null;
    this.#telemetry = null;
    this.#stats = null;
    this.#carLink = null;
    this.#upSince = null;
    this.#clock = new CarClock();
    this.#watch = new LinkWatch();
    this.mixer.handleNewSession();
    this.mixer.handleLink(false);
    this.#picture = new Picture();
    this.#sight = new Sight();
    this.#meter = new StatsMeter();
  }

  #handlePeer(output: PeerOutput): void {
    switch (output.kind) {
      case "stream":
        this.stream.value = output.stream;
        return;
      case "channel":
        return this.#handleChannel(output.channel);
      case "up":
        this.#upSince ??= performance.now();
        void this.#stayAwake();
        break;
      default:
        break;
    }
    this.#act((now) => this.session.handlePeer(output, now));
  }

  #handleChannel(channel: RTCDataChannel): void {
    if (channel.label === "control") {
      this.#control = new ControlChannel(channel, (frame) => this.#handleTelemetry(frame));
      const peer = this.#peer;
      channel.onclose = () => {
        if (this.#peer === peer) this.#act((now) => this.session.handlePeer({ kind: "closed" }, now));
      };
    } else if (channel.label === "events") {
      new EventsChannel(channel, SOFTWARE, (event) => this.#handleCarEvent(event));
    }
  }

  #handleTelemetry(frame: TelemetryFrame): void {
    const now = performance.now();
    this.#telemetry = { frame, at: now };
    const rttMs = this.#clock.handleTelemetry(frame, now);
    if (frame.echo && rttMs !== null) this.#watch.handleEcho(frame.echo.seq, rttMs);
    this.mixer.handleLink(this.#watch.slow);
    this.mixer.handleCar(frame.state, frame.echo?.seq ?? null, now);
    this.#noteStop();
    // A stop is shown at once, the rest ten times a second.
    if (frame.state !== this.hud.peek().state) this.#show();
  }

  #handleCarEvent(event: CarEvent): void {
    if (event.type === "hello") this.#carName = event.name;
    else if (event.type === "link") this.#carLink = event;
    else if (event.type === "notice") this.#carNotice = { ...event, until: performance.now() + NOTICE_MS };
    else if (event.type === "error") console.warn(`rccar: the car refused a message (${event.code}): ${event.text}`);
  }

  #sendControl(now: number): void {
    poll(this.mixer);
    this.#blind = this.#sight.look(now, this.#clock);
    this.mixer.handleSight(this.#blind);
    const control = this.#control;
    if (!control?.open) return;
    this.#watch.handleFrame(now);
    this.mixer.handleLink(this.#watch.slow);
    const sample = this.mixer.sample(now);
    const seq = (frameSeq + 1) >>> 0;
    const sent = control.send({
      visible: sample.visible,
      focused: sample.focused,
      arm: sample.arm,
      brake: sample.brake,
      source: sample.source,
      seq,
      sent_us: micros32(performance.now()),
      sample_age_ms: sample.ageMs,
      steering: permyriad(sample.steering),
      throttle: permyriad(sample.throttle),
    });
    if (!sent) return;
    frameSeq = seq;
    this.mixer.handleSent(seq, sample);
  }

  #handleTick(): void {
    this.#act((now) => this.session.handleTick(now));
    this.#tick += 1;
    if (this.#tick % STATS_TICKS === 0) void this.#readStats();
    this.#show();
  }

  async #readStats(): Promise<void> {
    const meter = this.#meter;
    const report = await this.#peer?.stats();
    if (!report || meter !== this.#meter) return;
    const entries: StatsEntry[] = [];
    report.forEach((entry: StatsEntry) => entries.push(entry));
    this.#stats = meter.handleReport(entries, performance.now());
  }

  async #stayAwake(): Promise<void> {
    // Absent on pages without HTTPS, refused while hidden or on low battery: a comfort, not a need.
    const wakeLock = navigator.wakeLock as WakeLock | undefined;
    if (!this.#wakeLock || this.#wakeLock.released)
      this.#wakeLock = (await wakeLock?.request().catch(() => null)) ?? null;
  }

  #noteStop(): void {
    const { armWanted, stop: pageStop } = this.mixer;
    const heardAt = this.#telemetry?.at ?? null;
    const { state, reason } = this.#telemetry?.frame ?? { state: null, reason: "none" };
    this.#lastStop.handle({ now: performance.now(), heardAt, state, reason, armWanted, pageStop });
  }

  #show(): void {
    const now = performance.now();
    const info = this.#cars.peek()?.find(({ id }) => id === this.route.car);
    this.#noteStop();
    const hud = hudOf({
      now,
      carName: this.#carName ?? info?.name ?? "the car",
      driver: info?.driver ?? null,
      relayOnly: this.route.relayOnly,
      phase: this.session.phase,
      attempt: this.session.attempt,
      signaling: this.#signaling.state,
      upSince: this.#upSince,
      telemetry: this.#telemetry,
      sample: this.mixer.sample(now),
      armWanted: this.mixer.armWanted,
      notice: this.mixer.notice,
      blind: this.#blind,
      linkSlow: this.#watch.slow,
      lastStop: this.#lastStop.cause,
      ageMs: this.#picture.ageMs(now),
      rttMs: this.#clock.rttMs,
      stats: this.#stats,
      link: this.#carLink,
      carNotice: this.#carNotice && now < this.#carNotice.until ? this.#carNotice : null,
    });
    if (sameHud(hud, this.hud.peek())) return;
    this.hud.value = hud;
  }
}
