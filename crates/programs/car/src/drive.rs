//! The connection to `rccar-drive`: set-points out, status in, over Unix datagrams.
//!
//! They are datagrams because neither side may ever wait for the other: a full socket drops the
//! set-point, and the next one comes in 20 ms.

use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_protocol::Layout;
use rccar_protocol::calibration::{
    CalibrationRequest, CalibrationState, FromDrive, MAX_DRIVE_MESSAGE_BYTES, ToDrive, is_message,
};
use rccar_protocol::drive_hello::DriveHello;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::{Json, parse};
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::text::SessionId;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::UnixDatagram;
use tokio::sync::{broadcast, watch};

/// The drive sends at least 20 statuses a second. After this time it is lost, not late.
const STATUS_WITHIN: Duration = Duration::from_millis(300);
/// While nobody drives, the car asks the drive for its status this often.
const IDLE_INTERVAL: Duration = Duration::from_millis(100);

/// How many times the car asks the drive which versions it speaks. A drive of release 0.1.0 never
/// answers.
const HELLOS: u32 = 3;
const HELLO_INTERVAL: Duration = Duration::from_secs(1);

/// Answers that wait for a session to read them. A page asks one thing at a time.
const ANSWERS: usize = 8;

/// An answer about the calibration, and the session that has asked.
pub(crate) type Answer = (SessionId, CalibrationState);

/// A status and the time at which it came; `None` before the first.
type Received = Option<(DriveStatus, MonotonicMicros)>;

/// The connection; all clones share it.
#[derive(Clone)]
pub(crate) struct DriveLink {
    socket: Arc<UnixDatagram>,
    path: Arc<PathBuf>,
    status: watch::Receiver<Received>,
    seq: Arc<AtomicU32>,
    layout: watch::Receiver<Layout>,
    calibrates: watch::Receiver<bool>,
    answers: broadcast::Sender<Answer>,
    driven: Arc<AtomicBool>,
    reachable: Arc<AtomicBool>,
}

impl DriveLink {
    /// Binds `car.sock` beside the drive's socket and starts to listen. The drive may start later.
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        let own = path.with_file_name("car.sock");
        match std::fs::remove_file(&own) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = Arc::new(UnixDatagram::bind(&own)?);
        let (sender, status) = watch::channel(None);
        let (spoken, layout) = watch::channel(Layout::default());
        let (calibration, calibrates) = watch::channel(false);
        let answers = broadcast::Sender::new(ANSWERS);
        let listener = Listener {
            socket: Arc::clone(&socket),
            path: path.to_owned(),
            status: sender,
            layout: spoken,
            calibrates: calibration,
            answers: answers.clone(),
            hellos: None,
        };
        tokio::spawn(listener.run());
        let link = Self {
            socket,
            path: Arc::new(path.to_owned()),
            status,
            seq: Arc::default(),
            layout,
            calibrates,
            answers,
            driven: Arc::default(),
            reachable: Arc::new(AtomicBool::new(true)),
        };
        tokio::spawn(link.clone().ask_while_idle());
        Ok(link)
    }

    /// Sends a set-point at once, or drops it. The `seq` of the argument does not count.
    pub(crate) fn send(&self, setpoint: SetPoint) {
        let setpoint = SetPoint { seq: self.seq.fetch_add(1, Ordering::Relaxed), ..setpoint };
        // Version 1 while the drive is lost, because it may come back as another release.
        let layout = if self.is_alive(clock::now()) { *self.layout.borrow() } else { Layout::V1 };
        let sent = self.socket.try_send_to(&setpoint.encode(layout), &*self.path);
        let reachable = sent.is_ok();
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            match sent {
                Ok(_) => tracing::info!("the drive service is there"),
                Err(error) => {
                    tracing::warn!(
                        error = %causes(&error),
                        socket = %self.path.display(),
                        "the drive service is not reachable"
                    )
                }
            }
        }
    }

    /// Whether the drive can be calibrated by this release's words, as far as it has said so.
    pub(crate) fn calibrates(&self) -> bool {
        *self.calibrates.borrow()
    }

    /// Asks the drive something about its calibration. False: it is not reachable, or its socket is
    /// full.
    pub(crate) fn calibrate(&self, session: SessionId, request: CalibrationRequest) -> bool {
        let message = ToDrive::Calibrate { session, request }.to_json();
        self.socket.try_send_to(message.as_bytes(), &*self.path).is_ok()
    }

    /// The drive's answers from now on.
    pub(crate) fn answers(&self) -> broadcast::Receiver<Answer> {
        self.answers.subscribe()
    }

    /// Sets whether a session sends set-points. While none does, this link sends idle ones: they
    /// say that the driver has left, and the drive answers with its status.
    pub(crate) fn set_driven(&self, driven: bool) {
        self.driven.store(driven, Ordering::Relaxed);
        if !driven {
            self.send_idle();
        }
    }

    fn send_idle(&self) {
        self.send(SetPoint {
            not_input: StopReason::DriverLeft,
            sampled_at: clock::now(),
            ..SetPoint::default()
        });
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Received> {
        self.status.clone()
    }

    /// The newest status. If there is none, or only an old one, it is *disarmed* for the reason
    /// *drive service lost*.
    pub(crate) fn status(&self, now: MonotonicMicros) -> DriveStatus {
        match *self.status.borrow() {
            Some((status, at)) if now.since(at) <= STATUS_WITHIN => status,
            _ => DriveStatus {
                state: DriveState::Disarmed,
                reason: StopReason::DriveServiceLost,
                ..DriveStatus::default()
            },
        }
    }

    /// Whether the drive has answered lately.
    pub(crate) fn is_alive(&self, now: MonotonicMicros) -> bool {
        self.last_status().is_some_and(|(_, at)| now.since(at) <= STATUS_WITHIN)
    }

    /// The newest status, however old, and when it came.
    pub(crate) fn last_status(&self) -> Received {
        *self.status.borrow()
    }

    async fn ask_while_idle(self) {
        let mut ticks = tokio::time::interval(IDLE_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if !self.driven.load(Ordering::Relaxed) {
                self.send_idle();
            }
        }
    }
}

/// Reads what the drive sends, and learns which versions it speaks.
struct Listener {
    socket: Arc<UnixDatagram>,
    path: PathBuf,
    status: watch::Sender<Received>,
    layout: watch::Sender<Layout>,
    calibrates: watch::Sender<bool>,
    answers: broadcast::Sender<Answer>,
    /// How many times the drive was asked since it appeared, and when last.
    hellos: Option<(u32, MonotonicMicros)>,
}

impl Listener {
    async fn run(mut self) {
        let mut buffer = [0; MAX_DRIVE_MESSAGE_BYTES + 1];
        loop {
            match self.socket.recv(&mut buffer).await {
                Ok(size) => self.handle(&buffer[..size]),
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "reading the drive's status");
                    tokio::time::sleep(IDLE_INTERVAL).await;
                }
            }
        }
    }

    fn handle(&mut self, datagram: &[u8]) {
        let now = clock::now();
        if is_message(datagram) {
            return self.handle_message(datagram);
        }
        let refused = if DriveHello::is_one(datagram) {
            DriveHello::decode(datagram).map(|hello| self.handle_hello(hello))
        } else {
            DriveStatus::decode(datagram).map(|status| self.handle_status(status, now))
        };
        if let Err(error) = refused {
            tracing::debug!(error = %causes(&error), "a datagram of the drive refused");
        }
    }

    fn handle_message(&self, datagram: &[u8]) {
        match parse(std::str::from_utf8(datagram).unwrap_or_default()) {
            // Without a session nobody listens.
            Ok(FromDrive::Calibration { session, state }) => {
                drop(self.answers.send((session, state)))
            }
            Err(error) => {
                tracing::debug!(error = %causes(&error), "a message of the drive refused")
            }
        }
    }

    fn handle_hello(&mut self, hello: DriveHello) {
        // The drive has answered: no further question.
        self.hellos = Some((HELLOS, MonotonicMicros::default()));
        self.calibrates.send_replace(hello.calibrates());
        if self.layout.send_replace(hello.newest()) != hello.newest() {
            tracing::debug!(version = hello.newest().version(), "set-points and status");
        }
    }

    fn handle_status(&mut self, status: DriveStatus, now: MonotonicMicros) {
        let before = *self.status.borrow();
        // The drive was away or has started again (its numbers begin again): it may be another
        // release than before.
        if before.is_none_or(|(last, at)| now.since(at) > STATUS_WITHIN || status.seq < last.seq) {
            self.layout.send_replace(Layout::default());
            self.calibrates.send_replace(false);
            self.hellos = None;
        }
        self.status.send_replace(Some((status, now)));
        let (asked, at) = self.hellos.unwrap_or_default();
        if asked == 0 || (asked < HELLOS && now.since(at) >= HELLO_INTERVAL) {
            self.hellos = Some((asked + 1, now));
            // A question may get lost like any datagram; a later status asks again.
            let _ = self.socket.try_send_to(&DriveHello::ours().encode(), &self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::MAX_FRAME_BYTES;
    use std::sync::Mutex;

    /// Answers every set-point with a status of the same version, and every hello with `hello`.
    struct FakeDrive {
        hello: Option<DriveHello>,
        silent: bool,
        /// Versions of the set-points that came, and 0 for each hello. A version that comes several
        /// times in a row is here once.
        heard: Vec<u8>,
    }

    fn serve(path: &Path) -> Arc<Mutex<FakeDrive>> {
        let socket = UnixDatagram::bind(path).unwrap();
        let fake =
            Arc::new(Mutex::new(FakeDrive { hello: None, silent: false, heard: Vec::new() }));
        let shared = Arc::clone(&fake);
        tokio::spawn(async move {
            let mut buffer = [0; MAX_FRAME_BYTES + 1];
            while let Ok((size, from)) = socket.recv_from(&mut buffer).await {
                let answer = shared.lock().unwrap().answer(&buffer[..size]);
                if let Some(answer) = answer {
                    let _ = socket.send_to(&answer, from.as_pathname().unwrap()).await;
                }
            }
        });
        fake
    }

    impl FakeDrive {
        fn answer(&mut self, datagram: &[u8]) -> Option<rccar_protocol::FrameBytes> {
            if self.silent {
                return None;
            }
            if DriveHello::is_one(datagram) {
                self.heard.push(0);
                return self.hello.map(DriveHello::encode);
            }
            SetPoint::decode(datagram).unwrap();
            let layout = Layout::of(datagram).unwrap();
            if self.heard.last() != Some(&layout.version()) {
                self.heard.push(layout.version());
            }
            Some(DriveStatus::default().encode(layout))
        }
    }

    async fn until(what: &str, fake: &Mutex<FakeDrive>, condition: impl Fn(&FakeDrive) -> bool) {
        for _ in 0..2_000 {
            if condition(&fake.lock().unwrap()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{what}: not within 10 s; heard {:?}", fake.lock().unwrap().heard);
    }

    #[tokio::test]
    async fn the_newest_version_is_spoken_and_asked_for_anew_when_the_drive_comes_back() {
        let directory = tempfile::tempdir().unwrap();
        let fake = serve(&directory.path().join("drive.sock"));
        fake.lock().unwrap().hello = Some(DriveHello::ours());
        let link = DriveLink::start(&directory.path().join("drive.sock")).unwrap();
        until("version 2", &fake, |fake| fake.heard == [1, 0, 2]).await;
        fake.lock().unwrap().silent = true;
        while link.is_alive(clock::now()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The drive comes back as release 0.1.0, which refuses a hello.
        *fake.lock().unwrap() = FakeDrive { hello: None, silent: false, heard: Vec::new() };
        until("version 1", &fake, |fake| fake.heard.starts_with(&[1, 0, 1])).await;
    }

    #[tokio::test]
    async fn a_drive_that_does_not_answer_is_not_asked_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let fake = serve(&directory.path().join("drive.sock"));
        let _link = DriveLink::start(&directory.path().join("drive.sock")).unwrap();
        until("three questions", &fake, |fake| fake.heard == [1, 0, 1, 0, 1, 0, 1]).await;
        tokio::time::sleep(HELLO_INTERVAL * 2).await;
        assert_eq!(fake.lock().unwrap().heard, [1, 0, 1, 0, 1, 0, 1]);
    }
}
