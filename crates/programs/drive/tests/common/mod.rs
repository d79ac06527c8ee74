//! The real binary, a driver for it, and a reader of its trace.

use rccar_daemon::clock;
use rccar_drive::query;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::DriveState;
use rccar_protocol::status::DriveStatus;
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use rccar_protocol::{Layout, MAX_FRAME_BYTES};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest wait for anything. It is far more than enough, so that only a real failure ends it.
const PATIENCE: Duration = Duration::from_secs(20);
/// Control frames come at 50 Hz.
const FRAME: Duration = Duration::from_millis(20);

pub(crate) fn rccar_drive(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rccar-drive"));
    command.args(arguments);
    command
}

/// A running `rccar-drive` with a simulated car, in a directory of its own.
pub(crate) struct Drive {
    child: Child,
    directory: tempfile::TempDir,
}

impl Drive {
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// With more lines of configuration.
    pub(crate) fn start_with(more: &str) -> Self {
        Self::spawn(more, Stdio::null())
    }

    /// With the lines that it and its guard log, each with the moment at which it came.
    pub(crate) fn start_heard() -> (Self, Receiver<(Instant, String)>) {
        let mut drive = Self::spawn("", Stdio::piped());
        let log = BufReader::new(drive.child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        (drive, lines)
    }

    fn spawn(more: &str, log: Stdio) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("drive.toml");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let text = format!(
            "socket = {:?}\ntrace = {:?}\ncalibration = {:?}\nrealtime = false\n{more}",
            path("drive.sock"),
            path("trace.jsonl"),
            path("calibration.toml")
        );
        std::fs::write(&config, text).unwrap();
        let child =
            rccar_drive(&["--config", &config.display().to_string()]).stderr(log).spawn().unwrap();
        let drive = Self { child, directory };
        await_that("the drive answers", || query::ask(&drive.socket()).is_ok());
        drive
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("drive.sock")
    }

    pub(crate) fn config(&self) -> String {
        self.directory.path().join("drive.toml").display().to_string()
    }

    pub(crate) fn status(&self) -> DriveStatus {
        query::ask(&self.socket()).unwrap()
    }

    pub(crate) fn await_status(&self, what: &str, mut wanted: impl FnMut(&DriveStatus) -> bool) {
        await_that(what, || wanted(&self.status()));
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(self.child.id(), signal);
    }

    /// The processes that it has started.
    pub(crate) fn children(&self) -> Vec<u32> {
        let own = self.child.id();
        let text = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap();
        text.split_whitespace().map(|child| child.parse().unwrap()).collect()
    }

    pub(crate) fn terminate(mut self) -> (ExitStatus, Vec<Value>, bool) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (status, self.trace(), self.socket().exists())
    }

    /// The lines of the trace so far.
    pub(crate) fn trace(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.directory.path().join("trace.jsonl")).unwrap();
        // The last line may not be complete yet.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn kill(process: u32, signal: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &process.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Whether a process runs; one that nobody has waited for does not.
pub(crate) fn is_alive(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

/// A driver at 50 Hz.
pub(crate) struct Driver {
    socket: UnixDatagram,
    session: u64,
    seq: u32,
    /// Layout of its set-points.
    pub(crate) layout: Layout,
    _directory: tempfile::TempDir,
}

impl Driver {
    pub(crate) fn connect(drive: &Path, session: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("driver.sock")).unwrap();
        socket.connect(drive).unwrap();
        Self { socket, session, seq: 0, layout: Layout::V2, _directory: directory }
    }

    pub(crate) fn send(&mut self, arm: bool, throttle: i16) {
        self.seq += 1;
        let set_point = SetPoint {
            session: self.session,
            seq: self.seq,
            sampled_at: clock::now(),
            arm,
            steering: Steering::from_permyriad(2_000).unwrap(),
            throttle: Throttle::from_permyriad(throttle).unwrap(),
            ..SetPoint::default()
        };
        self.socket.send(&set_point.encode(self.layout)).unwrap();
    }

    /// Sends set-points at 50 Hz until the drive reports a status that is `wanted`.
    pub(crate) fn send_until(
        &mut self,
        arm: bool,
        throttle: i16,
        mut wanted: impl FnMut(&DriveStatus) -> bool,
    ) {
        let session = self.session;
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < PATIENCE, "the drive does not come to what is wanted");
            self.send(arm, throttle);
            let sent = Instant::now();
            while let Some(left) = FRAME.checked_sub(sent.elapsed()).filter(|left| !left.is_zero())
            {
                if self
                    .receive(left)
                    .is_some_and(|status| status.session == session && wanted(&status))
                {
                    return;
                }
            }
        }
    }

    /// Releases, arms and drives until the motor turns. On a busy machine a frame may be so late
    /// that the drive trips: then this begins again, until [`PATIENCE`] ends.
    pub(crate) fn drive_off(&mut self) {
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < PATIENCE, "the drive trips each time");
            self.send_until(false, 0, |status| status.state == DriveState::Disarmed);
            if self.reaches(0, |status| status.state == DriveState::Armed)
                && self.reaches(10_000, |status| status.throttle.permyriad() > 0)
            {
                return;
            }
        }
    }

    /// Sends armed frames until the drive reports a `wanted` status. False: it has tripped, or it
    /// did not begin to arm or gave up, because a frame came too late.
    pub(crate) fn reaches(&mut self, throttle: i16, wanted: impl Fn(&DriveStatus) -> bool) -> bool {
        let (mut tripped, mut disarmed) = (false, 0);
        self.send_until(true, throttle, |status| {
            // A drive at rest reports 20 times a second.
            disarmed += u32::from(status.state == DriveState::Disarmed);
            tripped = status.state == DriveState::Tripped || disarmed > 20;
            tripped || wanted(status)
        });
        !tripped
    }

    pub(crate) fn receive(&self, within: Duration) -> Option<DriveStatus> {
        Some(DriveStatus::decode(&self.receive_bytes(within)?).unwrap())
    }

    pub(crate) fn receive_bytes(&self, within: Duration) -> Option<Vec<u8>> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; MAX_FRAME_BYTES];
        let size = self.socket.recv(&mut buffer).ok()?;
        Some(buffer[..size].to_vec())
    }

    /// Throws away the statuses that have arrived.
    pub(crate) fn drain(&self) {
        while self.receive(Duration::from_micros(1)).is_some() {}
    }

    pub(crate) fn socket(&self) -> &UnixDatagram {
        &self.socket
    }
}

/// For each change of the outputs to this motor setting: the time since the last fresh input.
pub(crate) fn ages_at(trace: &[Value], motor: &str) -> Vec<Duration> {
    let outputs = trace.iter().filter(|line| line["output"]["motor"] == motor);
    outputs.filter_map(|line| Some(micros(&line["at"])?.since(micros(&line["input"])?))).collect()
}

pub(crate) fn events(trace: &[Value]) -> Vec<String> {
    trace.iter().filter_map(|line| line["event"].as_str().map(str::to_owned)).collect()
}

pub(crate) fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn micros(value: &Value) -> Option<MonotonicMicros> {
    value.as_u64().map(MonotonicMicros)
}
