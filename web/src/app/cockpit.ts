/**
 * One car being driven: connects session, peer connection, channels, send path and instruments with
 * each other.
 *
 * Decides nothing that one of them could decide.
 */

import { signal, type ReadonlySignal } from "@preact/signals";
import { Alerts } from "../core/app/alerts";
import { Calibration, type CalibrationView } from "../core/app/calibration";
import { emptyHud, type Hud } from "../core/app/hud";
import { Instruments, type Surroundings } from "../core/app/instruments";
import type { PresentedFrame } from "../core/app/picture";
import type { Route } from "../core/app/route";
import { effectsOf } from "../core/effects";
import { withGear, type Controls } from "../core/input/controls";
import { shifted, type Gear } from "../core/input/feel";
import type { Mixer, Tell } from "../core/input/mixer";
import type { SignalingEvent } from "../core/link/host";
import { Idle } from "../core/link/idle";
import { Session, type Effect as SessionEffect } from "../core/link/session";
import type { Moment } from "../core/app/minute";
import type { StatsEntry } from "../core/link/stats";
import { loadControls, saveControls, saveGear } from "../input/controls";
import { ControlChannel, EventsChannel } from "../link/channels";
import { browserPlatform, Peer, type PeerOutput } from "../link/peer";
import type { SignalingClient } from "../link/signaling";
import type { CarInfo, IceServer } from "../protocol/common";
import type { CarEvent } from "../protocol/events";
import { newestVersion, type FrameVersion } from "../protocol/frame";
import type { TelemetryFrame } from "../protocol/telemetry";
import { Timer } from "../timer";
import type { Taken } from "./ahead";
import { alert } from "./alerts";
import { Sender } from "./sender";

export const SOFTWARE = `rccar-web/${__VERSION__}`;

export type CarRoute = Extract<Route, { page: "car" }>;

export class Cockpit {
  readonly route: CarRoute;
  readonly hud = signal<Hud>(emptyHud);
  readonly stream = signal<MediaStream | null>(null);
  /** `null`: this car cannot be calibrated. */
  readonly calibration = signal<CalibrationView | null>(null);
  /** Keys and devices, as the driver wants them. */
  readonly controls = signal<Controls>(loadControls());
  /** The browser did not keep what was set last. */
  readonly unsaved = signal(false);
  readonly session: Session;
  /** For what the driver does on the screen. */
  readonly tell: Tell = (step) => this.#sender.tell(step);

  readonly #signaling: SignalingClient;
  readonly #cars: ReadonlySignal<readonly CarInfo[] | null>;
  /** The peer connection that was prepared for a session. */
  readonly #take: (session: string) => Taken | null;
  readonly #sender = new Sender(
    (by) => this.setGear(shifted(this.controls.peek().feel.gear, by)),
    () => this.controls.peek(),
  );
  readonly #instruments: Instruments;
  readonly #sessionTimer = new Timer(() => this.#act((now) => this.session.handleTimeout(now)));
  readonly #displayTimer = new Timer(() =>
    this.#look((now) => this.#instruments.handleTimeout(now, this.#around(now))),
  );

  readonly #alerts = new Alerts();
  readonly #calibration = new Calibration();
  readonly #calibrationTimer = new Timer(() =>
    this.calibrate((calibration, now) => calibration.handleTimeout(now)),
  );

  readonly #idle = new Idle(performance.now());
  readonly #idleTimer = new Timer(() => this.#watchIdle((idle, now) => idle.handleTimeout(now)));

  #peer: Peer | null = null;
  #events: EventsChannel | null = null;
  #peers = 0;
  /** Version of the control frames that the car reads; 1 until its `hello`. */
  #version: FrameVersion = 1;
  #wakeLock: WakeLockSentinel | null = null;
  readonly #end = new AbortController();

  constructor(
    route: CarRoute,
    signaling: SignalingClient,
    cars: ReadonlySignal<readonly CarInfo[] | null>,
    take: (session: string) => Taken | null = () => null,
  ) {
    this.route = route;
    this.#signaling = signaling;
    this.#cars = cars;
    this.#take = take;
    const controls = this.controls.peek();
    this.tell((mixer, now) => mixer.handleControls(controls, now));
    this.#sender.act((path) => path.handleFeel(controls.feel));
    this.session = new Session({ car: route.car, trickle: route.trickle });
    this.#instruments = new Instruments(route.relayOnly, performance.now());
    this.#act((now) => this.session.handleHost(signaling.state.phase === "ready", now));
    for (const sign of ["pointerdown", "keydown"])
      window.addEventListener(sign, () => this.stay(), { signal: this.#end.signal });
    // Browsers let go of the lock whenever the page is hidden.
    document.addEventListener("visibilitychange", () => void this.#stayAwake(), {
      signal: this.#end.signal,
    });
  }

  /** The driver answers that somebody is there. */
  stay(): void {
    this.#watchIdle((idle, now) => idle.handleActive(now));
  }

  /** Takes the car from whoever drives it. */
  take(): void {
    this.#act((now) => this.session.handleTake(now));
  }

  get mixer(): Mixer {
    return this.#sender.path.mixer;
  }

  handleSignaling(event: SignalingEvent): void {
    this.#act((now) => {
      if (event.kind === "message") {
        const { message } = event;
        this.session.handleMessage(message, now);
        if (message.type === "wanted" && message.session === this.session.id) {
          const { by, update, idle_s } = message;
          const wanted = { by, update: update === true, idleMs: idle_s * 1000 };
          this.#watchIdle((idle) => idle.handleWanted(wanted));
        }
      } else this.session.handleHost(event.state.phase === "ready", now);
    });
  }

  handleFrame(frame: PresentedFrame): void {
    const { path } = this.#sender;
    this.#instruments.handleFrame(frame, path.clock);
    path.handleFrame(frame.presentedAt, frame.rtpTimestamp);
  }

  /** This device has another network: a path over the old one is dead, or about to be. */
  handleNetwork(): void {
    this.#act((now) => this.session.handleNetwork(now));
  }

  connect(): void {
    this.#act((now) => this.session.handleConnect(now));
  }

  /** Drives with these from now on. */
  setControls(controls: Controls): void {
    this.controls.value = controls;
    this.tell((mixer, now) => mixer.handleControls(controls, now));
    this.#sender.act((path) => path.handleFeel(controls.feel));
    this.unsaved.value = !saveControls(controls);
  }

  /** While driving, too: a gear only changes how much of the throttle counts. */
  setGear(gear: Gear): void {
    const controls = this.controls.peek();
    if (gear === controls.feel.gear) return;
    const changed = withGear(controls, gear);
    this.controls.value = changed;
    this.#sender.act((path) => path.handleFeel(changed.feel));
    this.unsaved.value = !saveGear(gear);
  }

  /** Lets the calibration do something, asks the car for it, and shows what has changed. */
  calibrate(step: (calibration: Calibration, now: number) => void): void {
    step(this.#calibration, performance.now());
    for (const { request } of effectsOf(this.#calibration))
      this.#events?.send({ type: "calibrate", ...request });
    this.calibration.value = this.#calibration.view;
    this.#calibrationTimer.set(this.#calibration.pollTimeout());
  }

  /** The last minute of the connection. */
  get minute(): readonly Moment[] {
    return this.#instruments.moments;
  }

  restartIce(): void {
    this.#act((now) => this.session.handleRestart(now));
  }

  /** Sends `bye` and closes everything. */
  dispose(): void {
    this.#sender.stop();
    this.#act(() => this.session.handleLeave());
    this.#sessionTimer.stop();
    this.#displayTimer.stop();
    this.#calibrationTimer.stop();
    this.#idleTimer.stop();
    this.#end.abort();
    void this.#wakeLock?.release();
  }

  /** For people who look for a fault, and for tests. */
  diagnose(): object {
    const now = performance.now();
    const { channel, path, sent } = this.#sender;
    const { sample, armWanted, device, stranger, notice, blind, rttMs } = path.facts(now);
    return {
      session: { id: this.session.id, phase: this.session.phase, attempt: this.session.attempt },
      peer: this.#peer && {
        ice: this.#peer.ice,
        connection: this.#peer.connection,
        generation: this.session.generation,
        channelId: channel?.id ?? null,
        /** Counts the peer connections of this page. */
        instance: this.#peers,
      },
      rtt_ms: rttMs,
      control: channel && {
        version: channel.version,
        heard: channel.heardVersion,
        skipped: channel.skipped,
        malformed: channel.malformed,
        sent,
      },
      blind,
      input: { ...sample, armWanted, notice, device: device.name, stranger },
      ...this.#instruments.diagnose(now),
    };
  }

  /** Lets the session do something, carries out what it decides, and shows it. */
  #act(step: (now: number) => void): void {
    step(performance.now());
    for (const effect of effectsOf(this.session)) this.#carryOut(effect);
    this.#sessionTimer.set(this.session.pollTimeout());
    this.#look((now) => this.#instruments.handlePhase(now, this.#around(now)));
  }

  #carryOut(effect: SessionEffect): void {
    switch (effect.kind) {
      case "send":
        this.#signaling.send(effect.message);
        return;
      case "open-peer":
        return this.#openPeer(effect.session, effect.iceServers);
      case "ice-servers":
        return this.#peer?.handleServers(effect.iceServers);
      case "offer":
        return this.#peer?.handleOffer(effect.generation, effect.sdp);
      case "candidate":
        return this.#peer?.handleCandidate(effect.generation, effect.candidate);
      case "close-peer":
        return this.#closePeer();
    }
  }

  /** Lets the instruments do something, and shows what they want shown. */
  #look(step: (now: number) => void): void {
    step(performance.now());
    for (const effect of effectsOf(this.#instruments)) {
      if (effect.kind === "show") this.#show(effect.hud);
      else void this.#readStats();
    }
    this.#displayTimer.set(this.#instruments.pollTimeout());
  }

  #show(hud: Hud): void {
    this.hud.value = hud;
    this.#alerts.handleHud(hud, performance.now());
    for (const effect of effectsOf(this.#alerts)) alert(effect.alert);
  }

  #around(now: number): Surroundings {
    const { phase, attempt } = this.session;
    const car = this.#cars.peek()?.find(({ id }) => id === this.route.car) ?? null;
    return {
      phase,
      attempt,
      signaling: this.#signaling.state,
      car,
      driver: this.#sender.path.facts(now),
      question: this.#idle.question,
    };
  }

  #openPeer(session: string, iceServers: readonly IceServer[]): void {
    this.#closePeer();
    this.#peers += 1;
    const taken = this.route.relayOnly || !this.route.trickle ? null : this.#take(session);
    if (taken) {
      this.#peer = taken.peer;
      this.session.handlePrepared(taken.generation, performance.now());
      taken.replay((output) => this.#handlePeer(output));
      return;
    }
    const options = { iceServers, relayOnly: this.route.relayOnly, trickle: this.route.trickle };
    this.#peer = new Peer(options, browserPlatform, (output) => this.#handlePeer(output));
  }

  #closePeer(): void {
    this.#peer?.close();
    this.#peer = null;
    this.#sender.channel = null;
    this.#events = null;
    this.calibrate((calibration) => calibration.handleNewSession());
    this.#version = 1;
    this.#watchIdle((idle, now) => idle.handleNewSession(now));
    this.#sender.act((path, now) => path.handleNewSession(now));
    this.#instruments.handleNewSession();
  }

  #handlePeer(output: PeerOutput): void {
    switch (output.kind) {
      case "stream":
        this.stream.value = output.stream;
        return;
      case "channel":
        return this.#handleChannel(output.channel);
      case "up":
        this.#instruments.handleUp(performance.now());
        void this.#stayAwake();
        break;
      default:
        break;
    }
    this.#act((now) => this.session.handlePeer(output, now));
  }

  #handleChannel(channel: RTCDataChannel): void {
    if (channel.label === "control") {
      const control = new ControlChannel(channel, (frame) => this.#handleTelemetry(frame));
      control.version = this.#version;
      this.#sender.channel = control;
      const peer = this.#peer;
      channel.onclose = () => {
        if (this.#peer === peer)
          this.#act((now) => this.session.handlePeer({ kind: "closed" }, now));
      };
    } else if (channel.label === "events") {
      this.#events = new EventsChannel(channel, SOFTWARE, (event) => this.#handleCarEvent(event));
    }
  }

  /** Lets the watch over an idle driver do something, and carries out what it decides. */
  #watchIdle(step: (idle: Idle, now: number) => void): void {
    step(this.#idle, performance.now());
    // Its only effect is that the page leaves.
    if ([...effectsOf(this.#idle)].length > 0) this.#act(() => this.session.handleIdle());
    this.#idleTimer.set(this.#idle.pollTimeout());
  }

  #handleTelemetry(frame: TelemetryFrame): void {
    const { sample } = this.#sender.path.facts(performance.now());
    // An armed car is driven, also with the stick at rest.
    if (frame.state !== "disarmed" || sample.steering !== 0 || sample.throttle !== 0) this.stay();
    this.#sender.act((path, now) => path.handleTelemetry(frame, now));
    this.#look((now) => this.#instruments.handleTelemetry(frame, now, this.#around(now)));
  }

  #handleCarEvent(event: CarEvent): void {
    if (event.type === "calibration")
      return this.calibrate((calibration, now) => calibration.handleState(event, now));
    if (event.type === "error")
      console.warn(`rccar: the car refused a message (${event.code}): ${event.text}`);
    else this.#instruments.handleCarEvent(event, performance.now());
    if (event.type !== "hello") return;
    this.#version = newestVersion(event.frames?.control ?? []);
    if (this.#sender.channel) this.#sender.channel.version = this.#version;
  }

  async #readStats(): Promise<void> {
    const peer = this.#peer;
    const report = await peer?.stats();
    if (!report || peer !== this.#peer) return;
    const entries: StatsEntry[] = [];
    report.forEach((entry: StatsEntry) => entries.push(entry));
    this.#instruments.handleStats(entries, performance.now());
  }

  async #stayAwake(): Promise<void> {
    // Absent on pages without HTTPS, refused while hidden or on low battery. Driving works without
    // it.
    const wakeLock = navigator.wakeLock as WakeLock | undefined;
    if (document.visibilityState !== "visible" || !this.#peer || this.#end.signal.aborted) return;
    if (!this.#wakeLock || this.#wakeLock.released)
      this.#wakeLock = (await wakeLock?.request().catch(() => null)) ?? null;
  }
}
