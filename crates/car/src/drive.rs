//! The connection to `rccar-drive`: set-points out, status in, over Unix datagrams.
//!
//! Datagrams, because neither side may ever wait for the other: a full socket drops the set-point, and the next one comes in 20 ms.

use rccar_daemon::clock;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::status::{DriveStatus, STATUS_SIZE};
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::UnixDatagram;
use tokio::sync::watch;

/// The drive sends at least 20 statuses a second: after this time it is lost, not late.
const STATUS_WITHIN: Duration = Duration::from_millis(300);
/// While nobody drives, the drive is asked for its status this often.
const IDLE_INTERVAL: Duration = Duration::from_millis(100);

/// A status and the time at which it came.
type Received = Option<(DriveStatus, MonotonicMicros)>;

/// The connection; clones share it.
#[derive(Clone)]
pub(crate) struct DriveLink {
    socket: Arc<UnixDatagram>,
    path: Arc<PathBuf>,
    status: watch::Receiver<Received>,
    seq: Arc<AtomicU32>,
    driven: Arc<AtomicBool>,
    reachable: Arc<AtomicBool>,
}

impl DriveLink {
    /// Binds `car.sock` beside the drive's socket and starts to listen. The drive itself may come later.
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        let own = path.with_file_name("car.sock");
        match std::fs::remove_file(&own) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = Arc::new(UnixDatagram::bind(&own)?);
        let (sender, status) = watch::channel(None);
        tokio::spawn(receive(Arc::clone(&socket), sender));
        let link = Self {
            socket,
            path: Arc::new(path.to_owned()),
            status,
            seq: Arc::default(),
            driven: Arc::default(),
            reachable: Arc::new(AtomicBool::new(true)),
        };
        tokio::spawn(link.clone().ask_while_idle());
        Ok(link)
    }

    /// Sends a set-point at once; `seq` is filled in.
    pub(crate) fn send(&self, setpoint: SetPoint) {
        let setpoint = SetPoint { seq: self.seq.fetch_add(1, Ordering::Relaxed), ..setpoint };
        let sent = self.socket.try_send_to(&setpoint.encode(), &*self.path);
        let reachable = sent.is_ok();
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            match sent {
                Ok(_) => tracing::info!("the drive service is there"),
                Err(error) => tracing::warn!(%error, socket = %self.path.display(), "the drive service is not reachable"),
            }
        }
    }

    /// Marks whether a session sends set-points. While none does, idle ones tell the drive and keep the status coming.
    pub(crate) fn set_driven(&self, driven: bool) {
        self.driven.store(driven, Ordering::Relaxed);
        if !driven {
            self.send_idle();
        }
    }

    fn send_idle(&self) {
        self.send(SetPoint { not_input: StopReason::DriverLeft, sampled_at: clock::now(), ..SetPoint::default() });
    }

    /// Follows the status.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Received> {
        self.status.clone()
    }

    /// The newest status; what a driver may believe when there is none, or when it is old.
    pub(crate) fn status(&self, now: MonotonicMicros) -> DriveStatus {
        match *self.status.borrow() {
            Some((status, at)) if now.since(at) <= STATUS_WITHIN => status,
            _ => DriveStatus { state: DriveState::Disarmed, reason: StopReason::DriveServiceLost, ..DriveStatus::default() },
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

async fn receive(socket: Arc<UnixDatagram>, sender: watch::Sender<Received>) {
    let mut buffer = [0; STATUS_SIZE + 1];
    loop {
        match socket.recv(&mut buffer).await {
            Ok(size) => match DriveStatus::decode(&buffer[..size]) {
                Ok(status) => {
                    sender.send_replace(Some((status, clock::now())));
                }
                Err(error) => tracing::debug!(%error, "status of the drive refused"),
            },
            Err(error) => {
                tracing::warn!(%error, "reading the drive's status");
                tokio::time::sleep(IDLE_INTERVAL).await;
            }
        }
    }
}
