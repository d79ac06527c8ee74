//! A driver in Rust, which does what the page does, without a browser. It answers the car's offers,
//! watches the video and drives.
//!
//! It does not decode frames: a frame counts when its last packet has arrived.

mod peer;
mod picture;
mod record;
mod servers;
mod signaling;

pub use record::{Frames, Pair, Seen};

use crate::wait::{by, until};
use peer::Peer;
use rccar_protocol::PROTOCOL_VERSION;
use rccar_protocol::control::{ControlFrame, InputSource};
use rccar_protocol::signaling::{ByeReason, FromDriver, ToDriver};
use rccar_protocol::state::DriveState;
use rccar_protocol::text::{CarId, SessionId};
use rccar_protocol::units::{Steering, Throttle};
use record::Record;
use signaling::Signaling;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Like the page: fifty times a second (PROTOCOL.md, "Timing").
const CONTROL_INTERVAL: Duration = Duration::from_millis(20);
/// How long a driver waits before asking for another session.
const AGAIN: Duration = Duration::from_millis(200);

/// Arming takes 300 ms of unbroken input (PROTOCOL.md, "Timing") and a round trip.
const ARM_WITHIN: Duration = Duration::from_secs(2);
/// How often a driver tries to arm.
const ARM_TRIES: usize = 8;

/// The driver. Dropping it ends the session.
pub struct Driver {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    record: Mutex<Record>,
    hands: Mutex<Hands>,
    start: Instant,
}

/// Position of the controls, in full scales.
#[derive(Debug, Clone, Copy, Default)]
struct Hands {
    arm: bool,
    steering: f32,
    throttle: f32,
}

impl Driver {
    /// Signs in with the token of a one-time link and asks for the host's only car.
    pub(crate) async fn connect(host: &str, token: &str) -> Self {
        // Like the programs of the lab, this end talks like a later release.
        rccar_protocol::grease::enable();
        let signaling = Signaling::open(host, token).await;
        let shared = Arc::new(Shared {
            record: Mutex::default(),
            hands: Mutex::default(),
            start: Instant::now(),
        });
        let tasks = vec![
            tokio::spawn(drive(Arc::clone(&shared))),
            tokio::spawn(talk(signaling, Arc::clone(&shared))),
        ];
        Self { shared, tasks }
    }

    /// Frames, states and sessions so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.shared.record().seen()
    }

    /// Waits until frames and telemetry come.
    pub async fn await_live(&self) {
        until("the picture is live", || {
            let record = self.shared.record();
            record.frames.count() >= 5 && record.telemetry.is_some()
        })
        .await;
    }

    /// Lets go of everything, arms, and waits until the drive is armed. If a gap in the input ends
    /// arming, this tries again, as a person would.
    ///
    /// # Panics
    /// The car does not arm.
    pub async fn arm(&self) {
        for _ in 0..ARM_TRIES {
            *self.shared.hands() = Hands::default();
            // The drive must get at least one frame without `arm` first.
            let echoed = self.shared.record().echoed;
            until("the car answers the driver's frames", || {
                self.shared.record().echoed.wrapping_sub(echoed) > 5
            })
            .await;
            self.shared.hands().arm = true;
            if by(ARM_WITHIN, || self.state() == Some(DriveState::Armed)).await {
                return;
            }
        }
        assert_eq!(self.state(), Some(DriveState::Armed), "{:?}", self.seen().states);
    }

    /// Moves the controls, in full scales: steering positive to the right, throttle positive
    /// forward.
    pub fn drive(&self, steering: f32, throttle: f32) {
        let mut hands = self.shared.hands();
        (hands.steering, hands.throttle) = (steering, throttle);
    }

    /// State of the drive from the newest telemetry.
    #[must_use]
    pub fn state(&self) -> Option<DriveState> {
        self.shared.record().telemetry.map(|telemetry| telemetry.state)
    }

    /// Throttle on the motor from the newest telemetry, in full scales.
    #[must_use]
    pub fn throttle(&self) -> f32 {
        self.shared.record().telemetry.map_or(0.0, |telemetry| telemetry.throttle.ratio())
    }

    /// The pair of candidates that carries the session.
    ///
    /// # Panics
    /// There is none.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn pair(&self) -> Pair {
        let peer = self.shared.record().peer.clone().expect("a session");
        peer.pair().await.expect("a pair of candidates that carries the session")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends control frames whether or not anything changed.
async fn drive(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(CONTROL_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seq = 0_u32;
    loop {
        ticks.tick().await;
        let Some(peer) = shared.record().peer.clone() else { continue };
        let hands = *shared.hands();
        seq = seq.wrapping_add(1);
        let micros = shared.start.elapsed().as_micros() & u128::from(u32::MAX);
        let frame = ControlFrame {
            visible: true,
            focused: true,
            arm: hands.arm,
            brake: false,
            jog: false,
            lights: false,
            horn: false,
            source: InputSource::Keyboard,
            seq,
            sent_us: u32::try_from(micros).unwrap_or(0),
            sample_age_ms: 0,
            steering: Steering::saturating_from_f32(hands.steering),
            throttle: Throttle::saturating_from_f32(hands.throttle),
            shown: None,
        };
        peer.send_control(&frame.encode(peer.layout())).await;
    }
}

/// Does the driver's signaling until the story ends.
#[allow(clippy::panic, reason = "this is what a failed test is")]
async fn talk(mut signaling: Signaling, shared: Arc<Shared>) {
    let mut car: Option<CarId> = None;
    let mut session: Option<(SessionId, Arc<Peer>)> = None;
    loop {
        let local = async {
            match &session {
                Some((id, peer)) => (*id, peer.next_candidate().await),
                None => std::future::pending().await,
            }
        };
        let message = tokio::select! {
            message = signaling.receive() => message,
            (session, (generation, candidate)) = local => {
                signaling.send(&FromDriver::Candidate { session, generation, candidate }).await;
                continue;
            }
        };
        match message {
            ToDriver::Welcome { v, cars, .. } => {
                assert_eq!(v, PROTOCOL_VERSION);
                let Some(found) = cars.first() else { panic!("the host lists no car") };
                car = Some(found.id.clone());
                signaling
                    .send(&FromDriver::Connect {
                        car: found.id.clone(),
                        trickle: true,
                        take: false,
                    })
                    .await;
            }
            ToDriver::Connecting { session: id, ice_servers, .. } => {
                let peer = Arc::new(Peer::open(ice_servers, &shared).await);
                shared.record().begin_session(Arc::clone(&peer));
                session = Some((id, peer));
            }
            ToDriver::Offer { session: id, generation, sdp } => {
                if let Some((_, peer)) = session.as_ref().filter(|(own, _)| *own == id) {
                    shared.record().offers.push(Instant::now());
                    let sdp = peer.answer(generation, sdp.as_str()).await;
                    signaling.send(&FromDriver::Answer { session: id, generation, sdp }).await;
                }
            }
            ToDriver::Candidate { session: id, generation, candidate } => {
                if let Some((_, peer)) = session.as_ref().filter(|(own, _)| *own == id) {
                    peer.add_candidate(generation, &candidate).await;
                }
            }
            ToDriver::Bye { session: id, reason, .. } => {
                if session.as_ref().is_some_and(|(own, _)| *own == id) {
                    eprintln!("driver: the session ended: {reason:?}");
                    session = None;
                    again(&mut signaling, &shared, reason, car.as_ref()).await;
                }
            }
            // Like the page: an error about another session does not concern this one.
            ToDriver::Error { session: Some(other), .. }
                if session.as_ref().is_none_or(|(own, _)| *own != other) => {}
            ToDriver::Error { code, text, .. } => {
                eprintln!("driver: the host refuses: {code:?}: {text}");
                again(&mut signaling, &shared, ByeReason::Internal, car.as_ref()).await;
            }
            // No story lasts until the first ones expire, and this driver prepares nothing.
            ToDriver::IceServers { .. }
            | ToDriver::Prepared { .. }
            | ToDriver::Cars { .. }
            | ToDriver::List { .. }
            | ToDriver::Wanted { .. }
            | ToDriver::Pong { .. } => {}
        }
    }
}

/// Asks for another session, as the page does when the old one has ended by itself.
async fn again(signaling: &mut Signaling, shared: &Shared, reason: ByeReason, car: Option<&CarId>) {
    shared.record().end_session(reason);
    tokio::time::sleep(AGAIN).await;
    if let Some(car) = car {
        signaling.send(&FromDriver::Connect { car: car.clone(), trickle: true, take: false }).await;
    }
}
