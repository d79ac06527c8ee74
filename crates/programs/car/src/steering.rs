//! Turns control frames into set-points, and the drive's status into telemetry.
//!
//! **The loop awaits nothing but its inputs.** A task of its own sends telemetry. It takes the
//! newest frame and skips those that came while the WebRTC stack was slow.

use crate::drive::DriveLink;
use crate::sensors::Sensors;
use rccar_car_core::freshness::Freshness;
use rccar_car_core::sight::Sight;
use rccar_daemon::clock;
use rccar_peer::{Peer, ReceivedControl};
use rccar_protocol::events::CarEvent;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::Json;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::telemetry::{Echo, TelemetryFrame};
use rccar_protocol::text::SessionId;
use rccar_protocol::units::MonotonicMicros;
use rccar_protocol::{FrameBytes, Layout};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

/// Telemetry goes out in answer to each control frame, and at least this often.
const TELEMETRY_WITHIN: Duration = Duration::from_millis(100);
/// Answers are not sent closer together than this, however many control frames come.
const TELEMETRY_SPACING: Duration = Duration::from_millis(10);

/// The part of [`Peer`] that steering needs; tests have another one.
pub(crate) trait Driver: Send + Sync + 'static {
    /// The newest control frame; `None` before the first.
    fn control(&self) -> watch::Receiver<Option<ReceivedControl>>;
    /// Control frames dropped so far.
    fn dropped_control_frames(&self) -> u16;
    /// Queues an event without waiting.
    fn send_event(&self, text: String);
    /// Sends telemetry or drops it; may take as long as the stack does.
    fn send_telemetry(&self, bytes: &[u8]) -> impl Future<Output = ()> + Send;
}

impl Driver for Peer {
    fn control(&self) -> watch::Receiver<Option<ReceivedControl>> {
        Self::control(self)
    }

    fn dropped_control_frames(&self) -> u16 {
        Self::dropped_control_frames(self)
    }

    fn send_event(&self, text: String) {
        Self::send_event(self, text);
    }

    async fn send_telemetry(&self, bytes: &[u8]) {
        Self::send_telemetry(self, bytes).await;
    }
}

/// Steers for one session until the task is dropped, or until the task that sends telemetry has
/// crashed. It runs apart from signaling, so that nothing slow comes between the driver's hand and
/// the wheels. `layout` is the one in which the driver reads telemetry.
pub(crate) async fn run<D: Driver>(
    session: SessionId,
    driver: Arc<D>,
    drive: DriveLink,
    sensors: Sensors,
    layout: watch::Receiver<Layout>,
    sight: SharedSight,
) {
    let mut steering = Steering::new(session, drive, sight, sensors);
    let mut control = driver.control();
    let mut status = steering.drive.subscribe();
    let (telemetry, newest) = watch::channel(None);
    // A set ends its tasks when it is dropped: sending ends with this task in every case.
    let mut sending = JoinSet::new();
    sending.spawn(send_telemetry(Arc::clone(&driver), newest).in_current_span());
    loop {
        let send_telemetry = tokio::select! {
            // In this order: the wheels come first, whatever else waits.
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
            Some(_) = sending.join_next() => return,
        };
        // Also when no status came: the silence of the drive is news, too.
        if let Some(event) = steering.handle_status() {
            driver.send_event(event.to_json());
        }
        if send_telemetry {
            let frame = steering.telemetry(driver.dropped_control_frames());
            telemetry.send_replace(Some(frame.encode(*layout.borrow())));
        }
    }
}

async fn send_telemetry<D: Driver>(
    driver: Arc<D>,
    mut newest: watch::Receiver<Option<FrameBytes>>,
) {
    while newest.changed().await.is_ok() {
        let frame = newest.borrow_and_update().clone();
        if let Some(frame) = frame {
            driver.send_telemetry(&frame).await;
        }
    }
}

/// What the session has sent, for the task that sends it and the one that steers. Locked for
/// microseconds.
pub(crate) type SharedSight = Arc<Mutex<Sight>>;

struct Steering {
    session: SessionId,
    sight: SharedSight,
    drive: DriveLink,
    sensors: Sensors,
    freshness: Freshness,
    newest: Option<ReceivedControl>,
    telemetry_seq: u32,
    telemetry_at: MonotonicMicros,
    told: Option<(DriveState, StopReason)>,
}

impl Steering {
    fn new(session: SessionId, drive: DriveLink, sight: SharedSight, sensors: Sensors) -> Self {
        Self {
            session,
            sight,
            drive,
            sensors,
            freshness: Freshness::default(),
            newest: None,
            telemetry_seq: 0,
            telemetry_at: MonotonicMicros::default(),
            told: None,
        }
    }

    /// Passes a control frame on to the drive. True: telemetry is due in answer.
    fn handle_control(&mut self, control: &ReceivedControl) -> bool {
        let frame = &control.frame;
        let at_rest = !self.drive.status(clock::now()).state.may_move();
        let age = self.freshness.handle_frame(control.at, frame, at_rest);
        let picture_at =
            self.sight.lock().unwrap_or_else(PoisonError::into_inner).handle_shown(frame.shown);
        self.drive.send(SetPoint {
            not_input: frame.not_input(age).unwrap_or_default(),
            arm: frame.arm,
            brake: frame.brake,
            jog: frame.jog,
            lights: frame.lights,
            horn: frame.horn,
            seq: 0, // `DriveLink::send` counts.
            sampled_at: control.at.minus(age),
            session: self.session.0.get(),
            steering: frame.steering,
            throttle: frame.throttle,
            picture_at,
        });
        self.newest = Some(*control);
        clock::now().since(self.telemetry_at) >= TELEMETRY_SPACING
    }

    /// Resolves when telemetry is due although no control frame came.
    async fn telemetry_due(&self) {
        let due = self.telemetry_at.plus(TELEMETRY_WITHIN);
        tokio::time::sleep(due.since(clock::now())).await;
    }

    /// Sends a set-point without input: the drive answers with its status, and no deadline of the
    /// drive moves.
    fn handle_silence(&self) {
        self.drive.send(SetPoint {
            not_input: StopReason::Silent,
            sampled_at: clock::now(),
            session: self.session.0.get(),
            ..SetPoint::default()
        });
    }

    /// The event to send; `None` if the drive's state has not changed.
    fn handle_status(&mut self) -> Option<CarEvent> {
        let status = self.drive.status(clock::now());
        let news = (status.state, status.reason);
        (self.told.replace(news) != Some(news))
            .then_some(CarEvent::Drive { state: news.0, reason: news.1 })
    }

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
            battery_level: status.battery_level,
            switches: status.switches,
            speed_limit: status.speed_limit,
            odometry: status.odometry,
            speed_mm_s: status.speed_mm_s,
            computer: self.sensors.computer(),
            position: self.sensors.position(),
            dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::control::ControlFrame;
    use rccar_protocol::units::Steering as Angle;
    use tokio::net::UnixDatagram;
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// A driver whose stack takes one telemetry frame for each permit.
    struct SlowDriver {
        hand: watch::Sender<Option<ReceivedControl>>,
        control: watch::Receiver<Option<ReceivedControl>>,
        permits: Semaphore,
        begun: watch::Sender<usize>,
        sent: Mutex<Vec<TelemetryFrame>>,
    }

    impl Driver for SlowDriver {
        fn control(&self) -> watch::Receiver<Option<ReceivedControl>> {
            self.control.clone()
        }

        fn dropped_control_frames(&self) -> u16 {
            0
        }

        fn send_event(&self, _: String) {}

        async fn send_telemetry(&self, bytes: &[u8]) {
            self.begun.send_modify(|begun| *begun += 1);
            self.permits.acquire().await.unwrap().forget();
            self.sent.lock().unwrap().push(TelemetryFrame::decode(bytes).unwrap());
        }
    }

    struct Stage {
        driver: Arc<SlowDriver>,
        wheels: UnixDatagram,
        _tasks: JoinSet<()>,
        _directory: tempfile::TempDir,
    }

    impl Stage {
        /// Returns once the socket to the drive takes datagrams: earlier ones would be dropped.
        async fn set() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("drive.sock");
            let wheels = UnixDatagram::bind(&path).unwrap();
            let drive = DriveLink::start(&path).unwrap();
            drive.set_driven(true);
            let (hand, control) = watch::channel(None);
            let driver = Arc::new(SlowDriver {
                hand,
                control,
                permits: Semaphore::new(0),
                begun: watch::Sender::default(),
                sent: Mutex::default(),
            });
            let mut tasks = JoinSet::new();
            let session = SessionId(std::num::NonZeroU64::MIN);
            let layout = watch::channel(Layout::V1).1;
            let sight = SharedSight::default();
            let sensors = Sensors::none();
            tasks.spawn(run(session, Arc::clone(&driver), drive, sensors, layout, sight));
            let stage = Self { driver, wheels, _tasks: tasks, _directory: directory };
            stage.until_told(|set_point| set_point.session == session.0.get()).await;
            stage
        }

        /// Steers, and waits for the set-point at the wheels.
        async fn steer(&self, seq: u32) {
            let steering = Angle::from_permyriad(i16::try_from(seq).unwrap()).unwrap();
            let frame = ControlFrame {
                seq,
                steering,
                visible: true,
                focused: true,
                ..ControlFrame::default()
            };
            self.driver.hand.send_replace(Some(ReceivedControl { frame, at: clock::now() }));
            self.until_told(|set_point| set_point.steering == steering).await;
        }

        async fn until_told(&self, what: impl Fn(&SetPoint) -> bool) {
            let told = async {
                let mut buffer = [0; 256];
                loop {
                    let length = self.wheels.recv(&mut buffer).await.unwrap();
                    if SetPoint::decode(&buffer[..length]).is_ok_and(|set_point| what(&set_point)) {
                        return;
                    }
                }
            };
            timeout(PATIENCE, told).await.expect("a set-point goes out");
        }

        async fn until_begun(&self, count: usize) {
            timeout(PATIENCE, self.driver.begun.subscribe().wait_for(|begun| *begun == count))
                .await
                .unwrap()
                .unwrap();
        }
    }

    #[tokio::test]
    async fn set_points_go_out_while_the_stack_never_finishes_sending() {
        let stage = Stage::set().await;
        stage.steer(1).await;
        stage.until_begun(1).await;
        for seq in 2..50 {
            stage.steer(seq).await;
        }
        assert_eq!(*stage.driver.begun.borrow(), 1);
    }

    #[tokio::test]
    async fn of_the_telemetry_that_waits_for_the_stack_only_the_newest_is_sent() {
        let stage = Stage::set().await;
        stage.steer(1).await;
        stage.until_begun(1).await;
        for seq in 2..10 {
            stage.steer(seq).await;
            tokio::time::sleep(TELEMETRY_SPACING).await;
        }
        stage.driver.permits.add_permits(2);
        stage.until_begun(3).await;
        let sent: Vec<_> = stage
            .driver
            .sent
            .lock()
            .unwrap()
            .iter()
            .map(|frame| (frame.seq, frame.echo.map(|echo| echo.seq)))
            .collect();
        let [(1, _), (newest, Some(9))] = sent[..] else { panic!("{sent:?}") };
        assert!(newest > 2, "{sent:?}");
    }
}
