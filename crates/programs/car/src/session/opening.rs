//! The beginning of a session: its peer connection, and the time in which it is only prepared.

use super::{Outcome, Session};
use rccar_car_core::lease::SessionInput;
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_peer::{Opened, Peer, PeerError, PeerEvent, PeerOptions, PeerState};
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::events::{CarEvent, Frames};
use rccar_protocol::signaling::{ByeReason, FromCar};
use tokio::sync::{mpsc, oneshot};

/// What the stack last said of the connection while the session was prepared.
pub(super) type Prepared = Option<PeerState>;

impl Session {
    /// Makes the peer connection, or says why the session ends.
    pub(super) async fn open(&mut self) -> Result<Opened, Outcome> {
        self.ice_servers.resolve().await;
        self.bind(false);
        let options = PeerOptions {
            ice_servers: self.ice_servers.literals().to_vec(),
            loopback: self.context.loopback,
            binding: self.binding.subscribe(),
            level: self.context.video.level(),
            clock: clock::now,
            limits: self.context.video.limits(),
            recorder: self.context.video.recorder(),
        };
        let failed = Outcome::EndedByCar(ByeReason::Internal);
        let ssrc = getrandom::u32().map_err(|error| {
            tracing::error!(error = %causes(&error), "no random numbers");
            failed
        })?;
        Peer::open(&options, ssrc).await.map_err(|error| {
            tracing::error!(error = %causes(&error), "the session cannot start");
            failed
        })
    }

    /// The first event on the channel.
    pub(super) fn hello(&self) -> CarEvent {
        CarEvent::Hello {
            v: PROTOCOL_VERSION,
            car: self.context.car.clone(),
            name: self.context.name.clone(),
            software: self.context.software.clone(),
            video: self.context.video.format(),
            frames: Some(Frames::ours()),
        }
    }

    /// Offers, and takes what the driver sends, until the drive begins. No camera runs meanwhile,
    /// and nothing that comes over the connection is read. `Err`: it ends before it begins.
    pub(super) async fn until_begun(
        &mut self,
        peer: &Peer,
        events: &mut mpsc::UnboundedReceiver<PeerEvent>,
        inputs: &mut mpsc::Receiver<SessionInput>,
        mut begin: oneshot::Receiver<()>,
    ) -> Result<Prepared, Outcome> {
        self.offer(peer, None).await.map_err(|error| {
            tracing::warn!(error = %causes(&error), "no session can be prepared");
            Outcome::EndedByCar(ByeReason::Internal)
        })?;
        let mut uplinks = self.context.connections.uplinks.subscribe();
        let mut state = None;
        loop {
            tokio::select! {
                begun = &mut begin => {
                    let over = Outcome::EndedByCar(ByeReason::CarLeft);
                    return begun.map(|()| state).map_err(|_| over);
                }
                input = inputs.recv() => take(peer, input).await?,
                Some(event) = events.recv() => match event {
                    PeerEvent::Candidate { generation, candidate } => {
                        self.say(FromCar::Candidate { session: self.id, generation, candidate });
                    }
                    PeerEvent::State(PeerState::Failed | PeerState::Closed)
                    | PeerEvent::EventsClosed { .. }
                    | PeerEvent::ForeignChannel => {
                        return Err(Outcome::EndedByCar(ByeReason::IceFailed));
                    }
                    PeerEvent::State(now) => state = Some(now),
                },
                // Its addresses are those of before. To make another one costs less than to mend
                // this one.
                Ok(()) = uplinks.changed() => {
                    if uplinks.borrow_and_update().moves != self.moves {
                        return Err(Outcome::EndedByCar(ByeReason::IceFailed));
                    }
                }
            }
        }
    }
}

/// Takes what the driver sends before the drive begins.
async fn take(peer: &Peer, input: Option<SessionInput>) -> Result<(), Outcome> {
    match input {
        None => Err(Outcome::EndedByCar(ByeReason::CarLeft)),
        Some(SessionInput::Answer { generation, sdp }) => {
            match peer.accept_answer(generation, &sdp).await {
                Err(
                    error @ (PeerError::Stack { .. }
                    | PeerError::Description(_)
                    | PeerError::Fingerprint(_)),
                ) => {
                    tracing::warn!(error = %causes(&error), "the answer cannot be used");
                    Err(Outcome::EndedByCar(ByeReason::BadDescription))
                }
                used => {
                    leave_out(used);
                    Ok(())
                }
            }
        }
        Some(SessionInput::Candidate { generation, candidate }) => {
            leave_out(peer.add_candidate(generation, candidate).await);
            Ok(())
        }
        // Not sent to a prepared session.
        Some(_) => Ok(()),
    }
}

fn leave_out(used: Result<(), PeerError>) {
    if let Err(error) = used {
        tracing::debug!(error = %causes(&error), "a message of the driver's is left out");
    }
}
