//! One driver's session: signaling, set-points, telemetry and video until either side ends it.

use crate::calibration::Calibration;
use crate::connections::{Connections, ConnectionsNews};
use crate::drive::DriveLink;
use crate::ice::Servers;
use crate::messages::Outgoing;
use crate::sensors::Sensors;
use crate::steering::{self, SharedSight};
use crate::uplinks::Situation;
use crate::video::{Sending, VideoHub};
use rccar_car_core::lease::{Outcome, SessionInput, Source};
use rccar_car_core::recovery::{Commit, Connection, Effect, Recovery};
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_media::pipeline::PipelineState;
use rccar_peer::{Binding, Message, Offer, Opened, Peer, PeerError, PeerEvent, PeerState};
use rccar_protocol::Layout;
use rccar_protocol::events::{CarEvent, DriverEvent, NoticeLevel};
use rccar_protocol::grease;
use rccar_protocol::signaling::{ByeReason, ErrorCode, FromCar, IceServer, Json, parse};
use rccar_protocol::text::{CarId, Name, Note, SessionId, Software};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tracing::Instrument;

mod opening;

use opening::Prepared;

/// The parts of the program that all sessions share.
#[derive(Clone)]
pub(crate) struct SessionContext {
    pub(crate) car: CarId,
    pub(crate) name: Name,
    pub(crate) software: Software,
    pub(crate) drive: DriveLink,
    pub(crate) video: VideoHub,
    pub(crate) loopback: bool,
    pub(crate) connections: Connections,
    pub(crate) sensors: Sensors,
}

/// How often [`Recovery`] is called: a tenth of the silence that it acts on.
const RECOVERY_TICK: Duration = Duration::from_millis(50);
/// Longest wait for candidates if the driver's end cannot trickle. A STUN server answers within a
/// second or not at all.
const GATHER_WITHIN: Duration = Duration::from_secs(3);

pub(crate) struct Session {
    context: SessionContext,
    id: SessionId,
    source: Source,
    trickle: bool,
    ice_servers: Servers,
    back: Outgoing,
    reachable: watch::Sender<bool>,
    binding: watch::Sender<Binding>,
    /// Layout in which the driver reads telemetry.
    telemetry: watch::Sender<Layout>,
    /// [`Situation::moves`] that the session has acted on.
    moves: u64,
    news: ConnectionsNews,
    calibration: Calibration,
}

/// The parts of a session that exist only while its peer connection does.
struct Live<'a> {
    peer: &'a Peer,
    video: &'a Sending,
    recovery: Recovery,
}

impl Session {
    pub(crate) fn new(
        context: SessionContext,
        id: SessionId,
        trickle: bool,
        ice_servers: Vec<IceServer>,
        back: Outgoing,
        source: Source,
    ) -> Self {
        let moves = context.connections.uplinks.now().moves;
        let calibration = Calibration::new(id, context.drive.clone());
        Self {
            context,
            id,
            source,
            trickle,
            ice_servers: Servers::new(ice_servers),
            back,
            // Nobody may take the car from a driver who is about to connect.
            reachable: watch::Sender::new(true),
            binding: watch::Sender::default(),
            telemetry: watch::Sender::default(),
            moves,
            news: ConnectionsNews::default(),
            calibration,
        }
    }

    /// Whether the driver is reachable, or may be about to become so for the first time.
    pub(crate) fn reachable(&self) -> watch::Receiver<bool> {
        self.reachable.subscribe()
    }

    /// Runs the session to its end. After that the drive itself brings the car to rest.
    /// With `begin`, it is only prepared until that fires.
    pub(crate) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<SessionInput>,
        begin: Option<oneshot::Receiver<()>>,
    ) -> Outcome {
        let Opened { peer, mut events, messages } = match self.open().await {
            Ok(opened) => opened,
            Err(outcome) => return outcome,
        };
        let prepared = match begin {
            None => None,
            Some(begin) => match self.until_begun(&peer, &mut events, &mut inputs, begin).await {
                Ok(prepared) => Some(prepared),
                Err(outcome) => {
                    peer.close().await;
                    return outcome;
                }
            },
        };
        let peer = Arc::new(peer);
        // Queued until the channel opens: `hello` must be the first event on it.
        peer.send_event(self.hello().to_json());
        self.context.drive.set_driven(true);
        // A set ends its tasks when it is dropped: steering ends with this task in every case.
        let mut steering = JoinSet::new();
        let sight = SharedSight::default();
        let run = steering::run(
            self.id,
            Arc::clone(&peer),
            self.context.drive.clone(),
            self.context.sensors.clone(),
            self.telemetry.subscribe(),
            Arc::clone(&sight),
        );
        steering.spawn(run.in_current_span());
        let video = self.context.video.prepare(peer.video(), sight);
        let outcome = tokio::select! {
            outcome = self.until_the_end(&peer, &video, prepared, (events, messages), &mut inputs) => outcome,
            crashed = steering.join_next() => {
                tracing::error!(?crashed, "steering has ended");
                Outcome::EndedByCar(ByeReason::Internal)
            }
        };
        steering.shutdown().await;
        self.context.drive.set_driven(false);
        peer.close().await;
        outcome
    }

    async fn until_the_end(
        &mut self,
        peer: &Peer,
        video: &Sending,
        prepared: Option<Prepared>,
        (mut events, mut messages): (mpsc::UnboundedReceiver<PeerEvent>, mpsc::Receiver<Message>),
        inputs: &mut mpsc::Receiver<SessionInput>,
    ) -> Outcome {
        if prepared.is_none()
            && let Err(error) = self.offer(peer, None).await
        {
            tracing::error!(error = %causes(&error), "the session cannot offer");
            return Outcome::EndedByCar(ByeReason::Internal);
        }
        let mut up = self.back.up.clone();
        let recovery = Recovery::new(clock::now(), *up.borrow_and_update());
        let mut live = Live { peer, video, recovery };
        if let Some(state) = prepared.flatten() {
            self.handle_peer(&mut live, PeerEvent::State(state));
            if let Some(outcome) = self.carry_out(&mut live).await {
                return outcome;
            }
        }
        let mut camera = self.context.video.watch();
        let mut uplinks = self.context.connections.uplinks.subscribe();
        let mut answers = self.context.drive.answers();
        let mut ticks = tokio::time::interval(RECOVERY_TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let end = tokio::select! {
                input = inputs.recv() => self.handle_input(&mut live, input).await,
                Some(event) = events.recv() => self.handle_peer(&mut live, event),
                Ok(()) = uplinks.changed() => {
                    self.handle_uplinks(&mut live, &uplinks.borrow_and_update());
                    None
                }
                Ok(()) = up.changed() => {
                    let up = *up.borrow_and_update();
                    self.handle_host(&mut live, up).await;
                    None
                }
                Some(message) = messages.recv() => {
                    self.handle_message(peer, message);
                    None
                }
                Ok(answer) = answers.recv() => {
                    if let Some(event) = self.calibration.handle_answer(answer) {
                        peer.send_event(event.to_json());
                    }
                    None
                }
                Ok(()) = camera.changed() => {
                    tell_camera(peer, &camera.borrow_and_update());
                    None
                }
                _ = ticks.tick() => {
                    self.handle_tick(&mut live);
                    None
                }
            };
            if let Some(outcome) = end {
                return outcome;
            }
            if let Some(outcome) = self.carry_out(&mut live).await {
                return outcome;
            }
        }
    }

    fn handle_tick(&mut self, live: &mut Live<'_>) {
        let now = clock::now();
        if let Some(pulse) = &self.back.pulse {
            live.recovery.handle_host_heard(pulse.heard());
        }
        live.recovery.handle_heard(live.peer.heard());
        self.calibration.handle_tick(now);
        live.recovery.handle_timeout(now);
        self.reachable.send_replace(!live.recovery.is_unreachable(now));
        // Without a connection the event would wait in a queue and be out of date when it arrives.
        if live.recovery.is_connected()
            && let Some(event) = self.news.next(&self.context.connections, now)
        {
            live.peer.send_event(event.to_json());
            for text in grease::messages() {
                live.peer.send_event(text);
            }
        }
    }

    /// A move matters only to a session through the host: a driver in the car's own network uses
    /// no uplink.
    fn handle_uplinks(&mut self, live: &mut Live<'_>, situation: &Situation) {
        let moved = std::mem::replace(&mut self.moves, situation.moves) != situation.moves;
        if moved
            && self.source == Source::Host
            && let Some(why) = situation.why
            && situation.in_use.is_some()
        {
            live.recovery.handle_move(clock::now(), why);
        }
    }

    async fn handle_host(&self, live: &mut Live<'_>, up: bool) {
        live.recovery.handle_host(clock::now(), up);
        if !up {
            return;
        }
        match live.peer.unanswered().await {
            // The offer may have been lost with the old socket. A driver who has it ignores it.
            Ok(Some(offer)) => self.say_offer(&offer),
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %causes(&error), "an offer cannot be said again"),
        }
    }

    async fn handle_input(
        &mut self,
        live: &mut Live<'_>,
        input: Option<SessionInput>,
    ) -> Option<Outcome> {
        let Live { peer, recovery, .. } = live;
        let used = match input {
            None | Some(SessionInput::Shutdown) => {
                return Some(Outcome::EndedByCar(ByeReason::Shutdown));
            }
            // The host has lost a socket to one end, but the ends still have their connection.
            Some(SessionInput::Bye(ByeReason::DriverGone | ByeReason::CarGone))
                if recovery.is_connected() =>
            {
                tracing::info!("the driver goes on without the host");
                return None;
            }
            Some(SessionInput::Bye(reason)) => return Some(Outcome::EndedByDriver(reason)),
            Some(SessionInput::Answer { generation, sdp }) => {
                match peer.accept_answer(generation, &sdp).await {
                    // Without a usable first answer there is no session at all; a later answer is
                    // only about another path.
                    Err(
                        error @ (PeerError::Stack { .. }
                        | PeerError::Description(_)
                        | PeerError::Fingerprint(_)),
                    ) if generation == 1 => {
                        tracing::warn!(
                            error = %causes(&error),
                            "the driver's description cannot be used"
                        );
                        return Some(Outcome::EndedByCar(ByeReason::BadDescription));
                    }
                    Ok(()) => {
                        recovery.handle_answer(clock::now());
                        Ok(())
                    }
                    refused => refused,
                }
            }
            Some(SessionInput::Candidate { generation, candidate }) => {
                peer.add_candidate(generation, candidate).await
            }
            Some(SessionInput::Restart { ice_servers }) => {
                self.ice_servers.renew(ice_servers).await;
                recovery.handle_wish(clock::now());
                Ok(())
            }
            Some(SessionInput::IceServers(ice_servers)) => {
                self.ice_servers.renew(ice_servers).await;
                Ok(())
            }
            Some(SessionInput::RestartHere) => {
                recovery.handle_wish(clock::now());
                Ok(())
            }
        };
        match used {
            Ok(()) => None,
            Err(error @ PeerError::Generation { .. }) => {
                tracing::debug!(error = %causes(&error), "late message dropped");
                None
            }
            Err(error) => {
                tracing::warn!(error = %causes(&error), "a message of the driver's cannot be used");
                None
            }
        }
    }

    fn handle_peer(&self, live: &mut Live<'_>, event: PeerEvent) -> Option<Outcome> {
        match event {
            PeerEvent::Candidate { generation, candidate } => {
                if self.trickle {
                    self.say(FromCar::Candidate { session: self.id, generation, candidate });
                }
                None
            }
            PeerEvent::State(state) => {
                tracing::info!(?state, "connection");
                if state == PeerState::Connected {
                    live.video.handle_path();
                }
                live.recovery.handle_connection(clock::now(), connection(state));
                None
            }
            PeerEvent::EventsClosed { by_driver: true } => {
                Some(Outcome::EndedByCar(ByeReason::DriverLeft))
            }
            PeerEvent::EventsClosed { by_driver: false } => {
                Some(Outcome::EndedByCar(ByeReason::IceFailed))
            }
            PeerEvent::ForeignChannel => {
                tracing::warn!("the driver opened a channel that is not in the protocol");
                Some(Outcome::EndedByCar(ByeReason::Revoked))
            }
        }
    }

    fn handle_message(&mut self, peer: &Peer, message: Message) {
        let refused = |code, text: &str| CarEvent::Error { code, text: Note::lossy(text) };
        let answer = match message {
            Message::Text(text) => match parse::<DriverEvent>(&text) {
                Ok(DriverEvent::Hello { v, software, frames, calibration }) => {
                    self.calibration.handle_hello(&calibration);
                    let layout = Layout::newest_in(&frames.unwrap_or_default().telemetry);
                    let telemetry = layout.version();
                    tracing::debug!(v, %software, telemetry, "the driver's page");
                    self.telemetry.send_replace(layout);
                    return;
                }
                Ok(DriverEvent::Calibrate(request)) => {
                    match self.calibration.handle_request(request) {
                        Some(refusal) => refusal,
                        None => return,
                    }
                }
                Err(error) => CarEvent::Error { code: error.code, text: error.text },
            },
            Message::Bad => refused(ErrorCode::Malformed, "the message is no text or is too large"),
            Message::TooMany => refused(ErrorCode::RateLimited, "too many messages"),
        };
        peer.send_event(answer.to_json());
    }

    async fn carry_out(&mut self, live: &mut Live<'_>) -> Option<Outcome> {
        while let Some(effect) = live.recovery.poll_effect() {
            match effect {
                Effect::Keyframe => live.video.begin(),
                Effect::Probe => live.video.refresh(),
                Effect::AskHost => match &self.back.pulse {
                    Some(pulse) => pulse.ask(),
                    // The car's own page is part of this program: it always answers.
                    None => live.recovery.handle_host_heard(clock::now()),
                },
                Effect::UplinkSilent if self.source == Source::Host => {
                    self.context.connections.uplinks.suspect()
                }
                Effect::UplinkSilent => {}
                Effect::GiveUp | Effect::Rebuild => {
                    tracing::info!(act = ?effect, "no way to the driver");
                    return Some(Outcome::EndedByCar(ByeReason::IceFailed));
                }
                Effect::Restart { commit, wide } => {
                    self.bind(wide);
                    let over = self.binding.borrow().addresses.clone();
                    tracing::info!(?commit, wide, ?over, "ICE restart");
                    if let Err(error) = self.offer(live.peer, Some(commit)).await {
                        // The task that drives the connection has died: the page opens a new
                        // session.
                        tracing::warn!(error = %causes(&error), "the ICE restart failed");
                        return Some(Outcome::EndedByCar(ByeReason::IceFailed));
                    }
                }
            }
        }
        None
    }

    /// Sets the addresses of the machine that the next gathering uses: those of the uplink in use,
    /// or all of them with `wide`. With `ice.loopback`, for development, there is no limit.
    fn bind(&self, wide: bool) {
        if !self.context.loopback {
            let wide = wide || self.source == Source::Lan;
            self.binding.send_replace(self.context.connections.uplinks.now().binding(wide));
        }
    }

    /// Sends the first offer (`None`), or one that restarts ICE.
    async fn offer(&mut self, peer: &Peer, restart: Option<Commit>) -> Result<(), PeerError> {
        if restart.is_some() {
            self.ice_servers.moved().await;
        }
        let offer = peer.prepare_offer(restart.map(|_| self.ice_servers.literals())).await?;
        if !self.trickle {
            let offer = peer.gathered_offer(offer, GATHER_WITHIN).await?;
            self.say_offer(&offer);
            return Ok(());
        }
        self.say_offer(&offer);
        // Gathering ends the old path. If that may still live, gathering waits for the answer.
        if restart == Some(Commit::WithAnswer) {
            peer.hold(offer).await;
            return Ok(());
        }
        peer.start_gathering(&offer).await
    }

    fn say_offer(&self, offer: &Offer) {
        self.say(FromCar::Offer {
            session: self.id,
            generation: offer.generation,
            sdp: offer.sdp.clone(),
        });
    }

    fn say(&self, message: FromCar) {
        if self.back.messages.try_send(message).is_err() {
            tracing::debug!("message dropped: the host is not reachable");
        }
    }
}

fn connection(state: PeerState) -> Connection {
    match state {
        PeerState::Connecting => Connection::Connecting,
        PeerState::Connected => Connection::Connected,
        PeerState::Disconnected => Connection::Disconnected,
        PeerState::Failed | PeerState::Closed => Connection::Failed,
    }
}

/// If the camera failed, sends the driver the reason why there is no picture.
fn tell_camera(peer: &Peer, state: &PipelineState) {
    if let PipelineState::Failed(why) = state {
        let notice = CarEvent::Notice { level: NoticeLevel::Error, text: Note::lossy(why) };
        peer.send_event(notice.to_json());
    }
}
