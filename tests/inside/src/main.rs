//! A driver inside of an emulated card, as fast and as regular as a page beside it: for stops by
//! the hundred. `rccar-inside BUS` takes a JSON object a line, and answers with one.
//!
//! `{"number":7,"fails":"stopped","after_ms":300,"rests_ms":600}`: arms, drives for `after_ms`,
//! writes `number` to the mark on the I²C bus (tests/outside), so that whoever looks from outside
//! knows the time, and then fails at once. `fails` is one of
//!
//! * `silent`: sends no more set-points, as when the link is lost;
//! * `stale`: the set-points go on, and their sample is always the same;
//! * `hidden`: the set-points go on, and say that the driver's page is hidden;
//! * `stopped`, `killed`, `aborted`: sends the drive SIGSTOP, SIGKILL, SIGABRT, and goes on sending
//!   set-points;
//! * `stopped-both`, `killed-both`: SIGSTOP or SIGKILL to the drive and to its guard;
//! * `outside`: writes no mark, prints `{"drives":7}`, and goes on for `rests_ms` or until the
//!   drive trips, with a wheel that never rests.
//!
//! `rests_ms` later it undoes what it has done, and answers `{"number":7,"state":"Tripped"}` with
//! what the drive says then, or `{"number":7,"error":…}`.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rccar_daemon::clock;
use rccar_protocol::Layout;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::units::{MonotonicMicros, Steering, Throttle};
use rppal::i2c::I2c;
use serde::Deserialize;
use serde_json::json;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const DRIVE: &str = "/run/rccar/drive.sock";
const OWN: &str = "/run/rccar-inside.sock";
/// Address of the mark (tests/outside).
const MARK: u16 = 0x5e;
/// Control frames come at 50 Hz.
const FRAME: Duration = Duration::from_millis(20);
/// A drive that was killed is there again, its board settled and the car armed, within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// A drive that gave up arming, because an input came late, begins again only after `arm` was
/// clear.
const ARMS_WITHIN: Duration = Duration::from_secs(2);
const THROTTLE: i16 = 8_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fails {
    Silent,
    Stale,
    Hidden,
    Stopped,
    StoppedBoth,
    Killed,
    KilledBoth,
    Aborted,
    Outside,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    number: u8,
    fails: Fails,
    after_ms: u64,
    rests_ms: u64,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let bus = std::env::args().nth(1).ok_or("which bus?")?.parse()?;
    let mut mark = I2c::with_bus(bus)?;
    mark.set_slave_address(MARK)?;
    let _ = std::fs::remove_file(OWN);
    let socket = UnixDatagram::bind(OWN)?;
    // The drive is another user, and answers.
    std::fs::set_permissions(OWN, std::fs::Permissions::from_mode(0o777))?;
    // A drive that was stopped takes nothing from its queue.
    socket.set_write_timeout(Some(Duration::from_millis(1)))?;
    for (session, line) in (clock::now().0..).zip(io::stdin().lock().lines()) {
        let task: Task = serde_json::from_str(&line?)?;
        let mut driver = Driver { socket: &socket, session, seq: 0 };
        let answer = match driver.perform(&task, &mut mark) {
            Ok(state) => json!({ "number": task.number, "state": format!("{state:?}") }),
            Err(error) => json!({ "number": task.number, "error": error.to_string() }),
        };
        say(&answer)?;
    }
    Ok(())
}

fn say(what: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{what}")?;
    out.flush()
}

struct Driver<'a> {
    socket: &'a UnixDatagram,
    session: u64,
    seq: u32,
}

impl Driver<'_> {
    fn perform(&mut self, task: &Task, mark: &mut I2c) -> Result<DriveState> {
        let deadline = Instant::now() + PATIENCE;
        let (drive, guard) = loop {
            if Instant::now() > deadline {
                return Err("the car cannot be driven".into());
            }
            // Before the car drives: this takes longer than a set-point lasts.
            let Ok(found) = processes() else {
                std::thread::sleep(FRAME);
                continue;
            };
            // A machine that halts for a moment disarms the car, as it must.
            if self.drive_off(deadline) && self.drive_on(Duration::from_millis(task.after_ms)) {
                break found;
            }
        };
        let guarded = || guard.ok_or("the drive has no guard");
        let (signal, to) = match task.fails {
            Fails::Outside => {
                say(&json!({ "drives": task.number }))?;
                return self.await_fault(Duration::from_millis(task.rests_ms));
            }
            Fails::Silent | Fails::Stale | Fails::Hidden => (None, vec![]),
            Fails::Stopped => (Some(Signal::SIGSTOP), vec![drive]),
            Fails::StoppedBoth => (Some(Signal::SIGSTOP), vec![guarded()?, drive]),
            Fails::Killed => (Some(Signal::SIGKILL), vec![drive]),
            Fails::KilledBoth => (Some(Signal::SIGKILL), vec![guarded()?, drive]),
            Fails::Aborted => (Some(Signal::SIGABRT), vec![drive]),
        };
        self.send(true, THROTTLE, 0);
        let last = clock::now();
        // The mark is made when this returns; what follows takes no time.
        mark.write(&[task.number])?;
        for process in &to {
            kill(*process, signal)?;
        }
        let rests = Instant::now() + Duration::from_millis(task.rests_ms);
        while Instant::now() < rests {
            match task.fails {
                Fails::Silent => {}
                Fails::Stale => self.send_sampled(last, StopReason::None, true, THROTTLE, 0),
                Fails::Hidden => {
                    self.send_sampled(clock::now(), StopReason::Hidden, true, THROTTLE, 0);
                }
                _ => self.send(true, THROTTLE, 0),
            }
            self.hear(FRAME);
        }
        if signal == Some(Signal::SIGSTOP) {
            for process in &to {
                kill(*process, Signal::SIGCONT)?;
            }
            // It may answer the first question before it has noticed that it stood still.
            self.ask(deadline)?;
        }
        self.ask(deadline)
    }

    /// Releases, arms, and drives until the motor turns. False: it tripped.
    fn drive_off(&mut self, deadline: Instant) -> bool {
        self.session += 1 << 32;
        self.until(deadline, |driver| {
            driver.send(false, 0, 0);
            driver.hear(FRAME).is_some_and(|status| {
                status.session == driver.session && status.state == DriveState::Disarmed
            })
        }) && self.until(deadline.min(Instant::now() + ARMS_WITHIN), |driver| {
            driver.send(true, 0, 0);
            driver.hear(FRAME).is_some_and(|status| status.state == DriveState::Armed)
        }) && self.until(deadline.min(Instant::now() + Duration::from_secs(5)), |driver| {
            driver.send(true, THROTTLE, 0);
            driver.hear(FRAME).is_some_and(|status| status.throttle.permyriad() > 2_000)
        })
    }

    /// Drives for so long. False: it does not.
    fn drive_on(&mut self, how_long: Duration) -> bool {
        let end = Instant::now() + how_long;
        let mut drives = true;
        while Instant::now() < end {
            self.send(true, THROTTLE, 0);
            if let Some(status) = self.hear(FRAME) {
                drives = status.state == DriveState::Armed && status.throttle.permyriad() > 0;
            }
        }
        drives
    }

    /// Somebody else breaks something: drives on until the drive trips, so that there is always
    /// something to write.
    fn await_fault(&mut self, how_long: Duration) -> Result<DriveState> {
        let end = Instant::now() + how_long;
        let mut state = DriveState::Armed;
        let drives =
            |state| matches!(state, DriveState::Armed | DriveState::Holding | DriveState::Braking);
        while Instant::now() < end && drives(state) {
            let wheel = if self.seq.is_multiple_of(2) { 3_000 } else { -3_000 };
            self.send(true, THROTTLE, wheel);
            state = self.hear(FRAME).map_or(state, |status| status.state);
        }
        Ok(state)
    }

    fn until(&mut self, deadline: Instant, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        while Instant::now() < deadline {
            if done(self) {
                return true;
            }
        }
        false
    }

    fn send(&mut self, arm: bool, throttle: i16, steering: i16) {
        self.send_sampled(clock::now(), StopReason::None, arm, throttle, steering);
    }

    fn send_sampled(
        &mut self,
        sampled_at: MonotonicMicros,
        not_input: StopReason,
        arm: bool,
        throttle: i16,
        steering: i16,
    ) {
        self.seq += 1;
        let set_point = SetPoint {
            session: self.session,
            seq: self.seq,
            sampled_at,
            not_input,
            arm,
            steering: Steering::from_permyriad(steering).unwrap_or_default(),
            throttle: Throttle::from_permyriad(throttle).unwrap_or_default(),
            ..SetPoint::default()
        };
        // A drive that was killed is not there for a while.
        let _ = self.socket.send_to(&set_point.encode(Layout::V2), Path::new(DRIVE));
    }

    /// The last status that comes within this time.
    fn hear(&self, within: Duration) -> Option<DriveStatus> {
        let end = Instant::now() + within;
        let mut last = None;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|l| !l.is_zero()) {
            let mut buffer = [0; 512];
            let _ = self.socket.set_read_timeout(Some(left));
            if let Ok(length) = self.socket.recv(&mut buffer) {
                last = DriveStatus::decode(&buffer[..length]).ok().or(last);
            }
        }
        last
    }

    /// What the drive says, once it answers.
    fn ask(&mut self, deadline: Instant) -> Result<DriveState> {
        while Instant::now() < deadline {
            let _ = self.socket.send_to(&[], Path::new(DRIVE));
            if let Some(status) = self.hear(FRAME) {
                return Ok(status.state);
            }
        }
        Err("the drive does not answer".into())
    }
}

/// The drive and its guard.
fn processes() -> Result<(Pid, Option<Pid>)> {
    let (mut drive, mut guard) = (None, None);
    for entry in std::fs::read_dir("/proc")? {
        let folder: PathBuf = entry?.path();
        let Some(id) = folder.file_name().and_then(|name| name.to_str()?.parse().ok()) else {
            continue;
        };
        let Ok(command) = std::fs::read(folder.join("cmdline")) else { continue };
        let mut words = command.split(|byte| *byte == 0);
        if !words.next().is_some_and(|program| {
            program.ends_with(b"rccar-drive") || program == b"/proc/self/exe"
        }) {
            continue;
        }
        if words.any(|word| word == b"guard") {
            guard = Some(Pid::from_raw(id));
        } else {
            drive = Some(Pid::from_raw(id));
        }
    }
    Ok((drive.ok_or("there is no drive")?, guard))
}
