//! From control frames to set-points, and from the drive's status to telemetry.

use crate::drive::DriveLink;
use rccar_car_core::freshness::Freshness;
use rccar_daemon::clock;
use rccar_link::{Peer, ReceivedControl};
use rccar_protocol::Layout;
use rccar_protocol::events::CarEvent;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::Json;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::telemetry::{Echo, TelemetryFrame};
use rccar_protocol::text::SessionId;
use rccar_protocol::units::MonotonicMicros;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Telemetry goes out in answer to each control frame, and at least this often.
const TELEMETRY_WITHIN: Duration = Duration::from_millis(100);
/// Answers are not sent closer together than this, however many control frames come.
const TELEMETRY_SPACING: Duration = Duration::from_millis(10);

/// Steers for one session until the task is dropped. Runs apart from signaling, so that nothing slow stands between the driver's hand
/// and the wheels.
/// `layout` is the one in which the driver reads telemetry.
pub(crate) async fn run(session: SessionId, peer: Arc<Peer>, drive: DriveLink, layout: watch::Receiver<Layout>) {
    let mut steering = Steering::new(session, drive);
    let mut control = peer.control();
    let mut status = steering.drive.subscribe();
    loop {
        let send_telemetry = tokio::select! {
            // Commands first: whatever else waits, the wheels come first.
            biased;
            Ok(()) = control.changed() => {
                let newest = *control.borrow_and_update();
                newest.is_some_and(|newest| steering.handle_control(&newest))
            }
            () = steering.telemetry_due() => {
                steering.handle_silence();
                true
            }
            Ok(()) = status.changed() => {
                status.mark_unchanged();
                false
            }
        };
        // Also when no status came: that the drive is silent is news, too.
        if let Some(event) = steering.handle_status() {
            peer.send_event(event.to_json());
        }
        if send_telemetry {
            let frame = steering.telemetry(peer.dropped_control_frames());
            let layout = *layout.borrow();
            peer.send_telemetry(&frame.encode(layout)).await;
        }
    }
}

struct Steering {
    session: SessionId,
    drive: DriveLink,
    freshness: Freshness,
    newest: Option<ReceivedControl>,
    telemetry_seq: u32,
    telemetry_at: MonotonicMicros,
    told: Option<(DriveState, StopReason)>,
}

impl Steering {
    fn new(session: SessionId, drive: DriveLink) -> Self {
        Self {
            session,
            drive,
            freshness: Freshness::default(),
            newest: None,
            telemetry_seq: 0,
            telemetry_at: MonotonicMicros::default(),
            told: None,
        }
    }

    /// Passes a control frame on to the drive; says whether it is time to answer.
    fn handle_control(&mut self, control: &ReceivedControl) -> bool {
        let frame = &control.frame;
        let standing = !self.drive.status(clock::now()).state.may_move();
        let age = self.freshness.handle_frame(control.at, frame, standing);
        self.drive.send(SetPoint {
            not_input: frame.not_input(age).unwrap_or_default(),
            arm: frame.arm,
            brake: frame.brake,
            seq: 0,
            sampled_at: control.at.minus(age),
            session: self.session.0.get(),
            steering: frame.steering,
            throttle: frame.throttle,
        });
        self.newest = Some(*control);
        clock::now().since(self.telemetry_at) >= TELEMETRY_SPACING
    }

    /// Resolves when telemetry is due although no control frame came.
    async fn telemetry_due(&self) {
        let due = self.telemetry_at.plus(TELEMETRY_WITHIN);
        tokio::time::sleep(due.since(clock::now())).await;
    }

    /// Keeps the drive's status coming while nobody steers, without extending any deadline.
    fn handle_silence(&self) {
        self.drive.send(SetPoint {
            not_input: StopReason::Silent,
            sampled_at: clock::now(),
            session: self.session.0.get(),
            ..SetPoint::default()
        });
    }

    /// The event to send when the drive's state has changed.
    fn handle_status(&mut self) -> Option<CarEvent> {
        let status = self.drive.status(clock::now());
        let news = (status.state, status.reason);
        (self.told.replace(news) != Some(news)).then_some(CarEvent::Drive { state: news.0, reason: news.1 })
    }

    /// Telemetry of this moment.
    fn telemetry(&mut self, dropped: u16) -> TelemetryFrame {
        let now = clock::now();
        let status = self.drive.status(now);
        self.telemetry_seq = self.telemetry_seq.wrapping_add(1);
        self.telemetry_at = now;
        let echo = self.newest.map(|newest| Echo {
            seq: newest.frame.seq,
            sent_us: newest.frame.sent_us,
            held_us: u32::try_from(now.since(newest.at).as_micros()).unwrap_or(u32::MAX),
        });
        TelemetryFrame {
            state: status.state,
            reason: status.reason,
            seq: self.telemetry_seq,
            car_time: now,
            echo,
            steering: status.steering,
            throttle: status.throttle,
            braking: status.braking,
            battery_mv: status.battery_mv,
            odometry: status.odometry,
            dropped,
        }
    }
}
