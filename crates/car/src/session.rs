//! One driver's session: signaling, set-points, telemetry and video until either side ends it.

use crate::agent::Outgoing;
use crate::drive::DriveLink;
use crate::ice::Servers;
use crate::recovery::{Decision, Recovery};
use crate::steering;
use crate::video::{Sending, VideoHub};
use rccar_daemon::clock;
use rccar_link::{LinkError, Message, Offer, Opened, Peer, PeerEvent, PeerOptions, PeerState};
use rccar_media::pipeline::PipelineState;
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::events::{CarEvent, DriverEvent, NoticeLevel};
use rccar_protocol::signaling::{ByeReason, Candidate, ErrorCode, FromCar, IceServer, Json, parse};
use rccar_protocol::text::{CarId, Name, Note, Sdp, SessionId, Software};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What every session of this car shares.
#[derive(Clone)]
pub(crate) struct SessionContext {
    pub(crate) car: CarId,
    pub(crate) name: Name,
    pub(crate) software: Software,
    pub(crate) drive: DriveLink,
    pub(crate) video: VideoHub,
    pub(crate) loopback: bool,
}

/// What signaling brings.
#[derive(Debug)]
pub(crate) enum SessionInput {
    Answer {
        generation: u32,
        sdp: Sdp,
    },
    Candidate {
        generation: u32,
        candidate: Candidate,
    },
    Restart {
        ice_servers: Vec<IceServer>,
    },
    /// Somebody at the car wants another path.
    RestartHere,
    Bye(ByeReason),
    Shutdown,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side said good-bye, or its host did.
    EndedByDriver(ByeReason),
    /// The car did, and tells why.
    EndedByCar(ByeReason),
}

/// How often the recovery machine is asked.
const RECOVERY_TICK: Duration = Duration::from_millis(100);
/// Longest wait for candidates when the peer cannot trickle: a STUN server answers within a second or not at all.
const GATHER_WITHIN: Duration = Duration::from_secs(3);

/// A session before it runs.
pub(crate) struct Session {
    context: SessionContext,
    id: SessionId,
    trickle: bool,
    ice_servers: Servers,
    back: Outgoing,
    reachable: watch::Sender<bool>,
}

impl Session {
    pub(crate) fn new(context: SessionContext, id: SessionId, trickle: bool, ice_servers: Vec<IceServer>, back: Outgoing) -> Self {
        // A session that is about to begin is worth as much as one that is connected.
        let ice_servers = Servers::new(ice_servers);
        Self { context, id, trickle, ice_servers, back, reachable: watch::Sender::new(true) }
    }

    /// Whether the driver is reachable, or may be about to become so for the first time.
    pub(crate) fn reachable(&self) -> watch::Receiver<bool> {
        self.reachable.subscribe()
    }

    /// Runs the session to its end; the wheels are the drive's concern from then on.
    pub(crate) async fn run(mut self, mut inputs: mpsc::Receiver<SessionInput>) -> Outcome {
        self.ice_servers.resolve().await;
        let options =
            PeerOptions { ice_servers: self.ice_servers.literals().to_vec(), loopback: self.context.loopback, clock: clock::now };
        let opened = match getrandom::u32() {
            Ok(ssrc) => Peer::open(&options, ssrc).await,
            Err(error) => {
                tracing::error!(%error, "no random numbers");
                return Outcome::EndedByCar(ByeReason::Internal);
            }
        };
        let Opened { peer, events, messages } = match opened {
            Ok(opened) => opened,
            Err(error) => {
                tracing::error!(%error, "the session cannot start");
                return Outcome::EndedByCar(ByeReason::Internal);
            }
        };
        let peer = Arc::new(peer);
        // Waits for the channel to open, before everything else that is sent there.
        peer.send_event(self.hello().to_json());
        self.context.drive.set_driven(true);
        // Ends with this task, in whatever way that ends.
        let mut steering = JoinSet::new();
        steering.spawn(steering::run(self.id, Arc::clone(&peer), self.context.drive.clone()));
        let video = self.context.video.prepare(peer.video());
        let outcome = tokio::select! {
            outcome = self.until_the_end(&peer, &video, events, messages, &mut inputs) => outcome,
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

    fn hello(&self) -> CarEvent {
        CarEvent::Hello {
            v: PROTOCOL_VERSION,
            car: self.context.car.clone(),
            name: self.context.name.clone(),
            software: self.context.software.clone(),
            video: self.context.video.format(),
        }
    }

    async fn until_the_end(
        &mut self,
        peer: &Peer,
        video: &Sending,
        mut events: mpsc::UnboundedReceiver<PeerEvent>,
        mut messages: mpsc::Receiver<Message>,
        inputs: &mut mpsc::Receiver<SessionInput>,
    ) -> Outcome {
        if let Err(error) = self.offer(peer, false).await {
            tracing::error!(%error, "the session cannot offer");
            return Outcome::EndedByCar(ByeReason::Internal);
        }
        let mut recovery = Recovery::new(clock::now());
        let mut camera = self.context.video.watch();
        let mut ticks = tokio::time::interval(RECOVERY_TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let end = tokio::select! {
                input = inputs.recv() => self.handle_input(peer, &mut recovery, input).await,
                Some(event) = events.recv() => self.handle_peer(&mut recovery, video, event),
                Some(message) = messages.recv() => {
                    self.handle_message(peer, message);
                    None
                }
                Ok(()) = camera.changed() => {
                    tell_camera(peer, &camera.borrow_and_update());
                    None
                }
                _ = ticks.tick() => {
                    let (now, reachable) = (clock::now(), *self.back.up.borrow());
                    self.reachable.send_replace(!recovery.is_unreachable(now));
                    let decision = recovery.handle_timeout(now, reachable);
                    self.carry_out(peer, decision).await
                }
            };
            if let Some(outcome) = end {
                return outcome;
            }
        }
    }

    async fn handle_input(&mut self, peer: &Peer, recovery: &mut Recovery, input: Option<SessionInput>) -> Option<Outcome> {
        let used = match input {
            None | Some(SessionInput::Shutdown) => return Some(Outcome::EndedByCar(ByeReason::Shutdown)),
            // The host has lost one of the two; they have not lost each other.
            Some(SessionInput::Bye(ByeReason::DriverGone | ByeReason::CarGone)) if recovery.is_connected() => {
                tracing::info!(session = %self.id, "the driver goes on without the host");
                return None;
            }
            Some(SessionInput::Bye(reason)) => return Some(Outcome::EndedByDriver(reason)),
            Some(SessionInput::Answer { generation, sdp }) => match peer.accept_answer(generation, &sdp).await {
                // The first answer decides whether there is a session at all; a later one is about another path only.
                Err(error @ (LinkError::Stack { .. } | LinkError::Description(_))) if generation == 1 => {
                    tracing::warn!(%error, "the driver's description cannot be used");
                    return Some(Outcome::EndedByCar(ByeReason::BadDescription));
                }
                used => used,
            },
            Some(SessionInput::Candidate { generation, candidate }) => peer.add_candidate(generation, candidate).await,
            Some(SessionInput::Restart { ice_servers }) => {
                self.ice_servers.renew(ice_servers).await;
                return self.restart_by_request(peer, recovery).await;
            }
            Some(SessionInput::RestartHere) => return self.restart_by_request(peer, recovery).await,
        };
        match used {
            Ok(()) => None,
            Err(error @ LinkError::Generation { .. }) => {
                tracing::debug!(%error, "late message dropped");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "a message of the driver's cannot be used");
                None
            }
        }
    }

    async fn restart_by_request(&mut self, peer: &Peer, recovery: &mut Recovery) -> Option<Outcome> {
        let decision = recovery.handle_request(clock::now());
        self.carry_out(peer, decision).await
    }

    fn handle_peer(&self, recovery: &mut Recovery, video: &Sending, event: PeerEvent) -> Option<Outcome> {
        match event {
            PeerEvent::Candidate { generation, candidate } => {
                if self.trickle {
                    self.say(FromCar::Candidate { session: self.id, generation, candidate });
                }
                None
            }
            PeerEvent::State(state) => {
                tracing::info!(session = %self.id, ?state, "connection");
                recovery.handle_state(clock::now(), state);
                if state == PeerState::Connected {
                    video.begin();
                }
                None
            }
            PeerEvent::EventsClosed { by_driver: true } => Some(Outcome::EndedByCar(ByeReason::DriverLeft)),
            PeerEvent::EventsClosed { by_driver: false } => Some(Outcome::EndedByCar(ByeReason::IceFailed)),
            PeerEvent::ForeignChannel => {
                tracing::warn!(session = %self.id, "the driver opened a channel that is not in the protocol");
                Some(Outcome::EndedByCar(ByeReason::Revoked))
            }
        }
    }

    fn handle_message(&self, peer: &Peer, message: Message) {
        let refused = |code, text: &str| CarEvent::Error { code, text: Note::lossy(text) };
        let answer = match message {
            Message::Text(text) => match parse::<DriverEvent>(&text) {
                Ok(DriverEvent::Hello { v, software }) => {
                    tracing::debug!(session = %self.id, v, %software, "the driver's page");
                    return;
                }
                Err(error) => CarEvent::Error { code: error.code, text: error.text },
            },
            Message::Bad => refused(ErrorCode::Malformed, "the message is no text or is too large"),
            Message::TooMany => refused(ErrorCode::RateLimited, "too many messages"),
        };
        peer.send_event(answer.to_json());
    }

    async fn carry_out(&mut self, peer: &Peer, decision: Decision) -> Option<Outcome> {
        match decision {
            Decision::Wait => None,
            Decision::GiveUp => Some(Outcome::EndedByCar(ByeReason::IceFailed)),
            Decision::Restart => {
                tracing::info!(session = %self.id, "ICE restart");
                if let Err(error) = self.offer(peer, true).await {
                    // The connection's driver has died: the page opens a new session.
                    tracing::warn!(%error, "the ICE restart failed");
                    return Some(Outcome::EndedByCar(ByeReason::IceFailed));
                }
                None
            }
        }
    }

    async fn offer(&mut self, peer: &Peer, restart: bool) -> Result<(), LinkError> {
        if restart {
            self.ice_servers.follow();
        }
        let mut offer = peer.prepare_offer(restart.then_some(self.ice_servers.literals())).await?;
        if self.trickle {
            self.say_offer(&offer);
            peer.start_gathering(&offer).await
        } else {
            offer = peer.gathered_offer(offer, GATHER_WITHIN).await?;
            self.say_offer(&offer);
            Ok(())
        }
    }

    fn say_offer(&self, offer: &Offer) {
        self.say(FromCar::Offer { session: self.id, generation: offer.generation, sdp: offer.sdp.clone() });
    }

    fn say(&self, message: FromCar) {
        if self.back.messages.try_send(message).is_err() {
            tracing::debug!(session = %self.id, "message dropped: the host is not reachable");
        }
    }
}

/// Tells the driver why there is no picture.
fn tell_camera(peer: &Peer, state: &PipelineState) {
    if let PipelineState::Failed(why) = state {
        let notice = CarEvent::Notice { level: NoticeLevel::Error, text: Note::lossy(why) };
        peer.send_event(notice.to_json());
    }
}
