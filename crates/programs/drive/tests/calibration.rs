//! Calibrating the running drive: by messages as a page does, and at a terminal.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "tests; each uses a part of the common tools"
)]

mod common;

use common::{Drive, await_that, kill, rccar_drive};
use nix::pty::openpty;
use rccar_daemon::clock;
use rccar_protocol::Layout;
use rccar_protocol::calibration::{
    Calibration, CalibrationAction, CalibrationRequest, CalibrationState, FromDrive, RefusalCode,
    ToDrive, is_message,
};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::{Json, parse};
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::text::SessionId;
use rccar_protocol::units::{Steering, Throttle};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(20);
/// 80 ms after the last sample, and 100 ms for a busy machine.
const JOG_ENDS: Duration = Duration::from_millis(180);

/// As `rccar-car` with the page of one session.
struct Page {
    socket: UnixDatagram,
    session: u64,
    seq: u32,
    id: u32,
    _directory: tempfile::TempDir,
}

impl Page {
    fn open(drive: &Path, session: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("page.sock")).unwrap();
        socket.connect(drive).unwrap();
        socket.set_read_timeout(Some(FRAME)).unwrap();
        Self { socket, session, seq: 0, id: 0, _directory: directory }
    }

    fn frame(&mut self, jog: bool, throttle: i16) {
        self.seq += 1;
        let set_point = SetPoint {
            session: self.session,
            seq: self.seq,
            sampled_at: clock::now(),
            jog,
            steering: Steering::MIN,
            throttle: Throttle::from_permyriad(throttle).unwrap(),
            ..SetPoint::default()
        };
        self.socket.send(&set_point.encode(Layout::V2)).unwrap();
    }

    /// Sends frames at 50 Hz until the drive's status is `wanted`.
    fn frames_until(&mut self, jog: bool, wanted: impl Fn(&DriveStatus) -> bool) -> DriveStatus {
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < Duration::from_secs(20), "in vain");
            self.frame(jog, 10_000);
            let mut buffer = [0; 4096];
            let sent = Instant::now();
            while sent.elapsed() < FRAME {
                let Ok(size) = self.socket.recv(&mut buffer) else { continue };
                if let Ok(status) = DriveStatus::decode(&buffer[..size])
                    && wanted(&status)
                {
                    return status;
                }
            }
        }
    }

    /// Opens the calibration; then no button is held.
    fn begin(&mut self) -> CalibrationState {
        let state = self.ask(CalibrationAction::Begin, None);
        self.frame(false, 0);
        state
    }

    fn ask(&mut self, action: CalibrationAction, values: Option<Calibration>) -> CalibrationState {
        self.id += 1;
        let request = CalibrationRequest { id: self.id, action, values };
        let session = SessionId::from_random(self.session);
        let message = ToDrive::Calibrate { session, request }.to_json();
        self.socket.send(message.as_bytes()).unwrap();
        let mut buffer = [0; 4096];
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < Duration::from_secs(20), "no answer");
            let Ok(size) = self.socket.recv(&mut buffer) else { continue };
            if !is_message(&buffer[..size]) {
                continue;
            }
            let answer = parse(std::str::from_utf8(&buffer[..size]).unwrap()).unwrap();
            let FromDrive::Calibration { session: of, state } = answer;
            assert_eq!((of, state.id), (session, request.id));
            return state;
        }
    }
}

fn kept(drive: &Drive) -> PathBuf {
    Path::new(&drive.config()).with_file_name("calibration.toml")
}

#[test]
fn a_page_jogs_and_sets_and_the_drive_keeps_it() {
    let drive = Drive::start();
    let mut page = Page::open(&drive.socket(), 7);
    page.frames_until(false, |status| status.session == 7);
    let begun = page.begin();
    assert!(begun.open && !begun.own && begun.refused.is_none(), "{begun:?}");
    let jogging = page.frames_until(true, |status| status.throttle.permyriad() == 5_000);
    assert_eq!(jogging.state, DriveState::Jogging);
    let values = Calibration { trim: Steering::from_permyriad(700).unwrap(), ..begun.values };
    let refused = page.ask(CalibrationAction::Set, Some(values)).refused.unwrap();
    assert_eq!(refused.code, RefusalCode::Moving);
    page.frames_until(false, |status| status.state == DriveState::Disarmed);
    let set = page.ask(CalibrationAction::Set, Some(values));
    assert_eq!((set.refused, set.fault, set.values, set.own), (None, None, values, true));
    drive.await_status("the servo goes there", |status| status.steering.permyriad() == 700);
    assert!(std::fs::read_to_string(kept(&drive)).unwrap().contains("trim = 0.0700"));
    // Somebody else hears why nothing follows them.
    let mut other = Page::open(&drive.socket(), 8);
    let refused = other.ask(CalibrationAction::Begin, None).refused.unwrap();
    assert_eq!(refused.code, RefusalCode::Busy);
    page.frame(false, 0);
    let told = other.frames_until(true, |_| true);
    assert_eq!((told.reason, told.session), (StopReason::Calibrating, 7));
}

#[test]
fn a_jog_whose_sender_is_gone_ends_within_its_time() {
    let drive = Drive::start();
    for session in 1..=10 {
        let mut page = Page::open(&drive.socket(), session);
        page.frames_until(false, |status| status.session == session);
        assert_eq!(page.begin().refused, None);
        page.frames_until(true, |status| status.throttle.permyriad() > 0);
        let mut last = Instant::now();
        for _ in 0..session {
            page.frame(true, 10_000);
            last = Instant::now();
            std::thread::sleep(Duration::from_millis(2));
        }
        drop(page);
        drive.await_status("neutral", |status| status.state == DriveState::Disarmed);
        assert!(last.elapsed() < JOG_ENDS, "only {:?} after the last frame", last.elapsed());
        await_that("the calibration closes by itself", || {
            let mut next = Page::open(&drive.socket(), 100);
            next.ask(CalibrationAction::Begin, None).refused.is_none()
                && next.ask(CalibrationAction::End, None).refused.is_none()
        });
    }
}

#[test]
fn what_is_kept_holds_after_a_restart_and_a_mistake_in_it_keeps_the_car_disarmed() {
    let drive = Drive::start();
    let restart = |file: &str| {
        std::fs::write(kept(&drive), file).unwrap();
        let path = Path::new(&drive.config()).with_file_name("again.sock");
        let text = std::fs::read_to_string(drive.config()).unwrap();
        let text = text.replace("drive.sock", "again.sock").replace("trace.jsonl", "again.jsonl");
        let config = Path::new(&drive.config()).with_file_name("again.toml");
        std::fs::write(&config, text).unwrap();
        let child = rccar_drive(&["--config", &config.display().to_string()])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        await_that("it answers", || rccar_drive::query::ask(&path).is_ok());
        (Running(child), config, path)
    };
    let (again, _, path) = restart("[steering]\ntrim = 0.05\n[throttle]\nmax_forward = 0.1\n");
    let mut page = Page::open(&path, 7);
    let straight = page.frames_until(false, |status| status.session == 7).steering;
    assert_eq!(straight.permyriad(), 500);
    page.begin();
    page.frames_until(true, |status| status.throttle.permyriad() == 1_000);
    drop(again);

    let (_again, config, path) = restart("[steering]\ntrim = 5\n");
    let config = config.display().to_string();
    let check = rccar_drive(&["check-config", "--config", &config]).output().unwrap();
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(!check.status.success() && said.contains("calibration.toml:2"), "{said}");
    let mut page = Page::open(&path, 7);
    let status = page.frames_until(false, |status| status.session == 7);
    assert_eq!(status.reason, StopReason::ActuatorFault);
    let fault = page.begin().fault.unwrap();
    assert!(fault.as_str().contains("steering.trim"), "{fault}");
    assert_eq!(page.ask(CalibrationAction::Forget, None).fault, None);
    page.frames_until(false, |status| status.reason == StopReason::None);
    assert!(!kept(&drive).exists());
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `rccar-drive calibrate` at a terminal.
struct Terminal {
    keyboard: File,
    screen: File,
    child: Running,
}

impl Terminal {
    fn start(drive: &Drive) -> Self {
        let pty = openpty(None, None).unwrap();
        let slave = File::from(pty.slave);
        let child = rccar_drive(&["calibrate", "--config", &drive.config()])
            .stdin(slave.try_clone().unwrap())
            .stdout(slave)
            .spawn()
            .unwrap();
        let keyboard = File::from(pty.master);
        Self { screen: keyboard.try_clone().unwrap(), keyboard, child: Running(child) }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads the screen until it has shown this.
    fn shows(&mut self, wanted: &str) {
        let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&seen).contains(wanted) {
            let count = self.screen.read(&mut bytes).unwrap_or_default();
            assert!(count > 0, "ended; it has shown {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&bytes[..count]);
        }
    }
}

#[test]
fn somebody_at_the_terminal_sets_and_jogs_while_a_key_repeats() {
    let drive = Drive::start();
    let mut terminal = Terminal::start(&drive);
    terminal.shows("1 of 9: Straight ahead");
    terminal.press("\x1b[C\x1b[C");
    terminal.shows("1.0 %");
    await_that("it is kept", || {
        std::fs::read_to_string(kept(&drive)).is_ok_and(|text| text.contains("trim = 0.0100"))
    });
    terminal.press("\r");
    terminal.shows("2 of 9: Direction");
    await_that("the wheels turn left while the key repeats", || {
        terminal.press(" ");
        std::thread::sleep(Duration::from_millis(30));
        let status = drive.status();
        status.state == DriveState::Jogging && status.steering.permyriad() < -5_000
    });
    drive.await_status("straight again", |status| {
        status.state == DriveState::Disarmed && status.steering.permyriad() == 100
    });
    terminal.press("q");
    assert!(terminal.child.0.wait().unwrap().success());
    drive.await_status("it is closed", |status| status.state == DriveState::Disarmed);
}

#[test]
fn a_terminal_that_is_killed_in_a_jog_leaves_neutral() {
    let drive = Drive::start();
    let mut terminal = Terminal::start(&drive);
    terminal.shows("1 of 9");
    terminal.press("\r\r\r\r");
    terminal.shows("5 of 9: Direction of the motor");
    await_that("the motor turns", || {
        terminal.press(" ");
        drive.status().throttle.permyriad() > 0
    });
    kill(terminal.child.0.id(), "KILL");
    let killed = Instant::now();
    drive.await_status("neutral", |status| status.state == DriveState::Disarmed);
    assert!(killed.elapsed() < JOG_ENDS, "{:?}", killed.elapsed());
}

#[test]
fn a_terminal_is_refused_while_somebody_drives() {
    let drive = Drive::start();
    let mut page = Page::open(&drive.socket(), 7);
    page.frames_until(false, |status| status.session == 7);
    let pty = openpty(None, None).unwrap();
    let slave = File::from(pty.slave);
    let mut command = rccar_drive(&["calibrate", "--config", &drive.config()]);
    command.stdin(slave.try_clone().unwrap()).stdout(slave).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("somebody drives the car"), "{said}");
    let none = rccar_drive(&["calibrate", "--config", &drive.config()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&none.stderr).contains("needs a terminal"));
}
