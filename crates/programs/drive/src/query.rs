//! Asks a running drive for its status, by a datagram that is only a version. The drive answers and
//! changes nothing.

use nix::sys::socket::{UnixAddr, bind};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::units::{Switch, Switches};
use rccar_protocol::{FrameError, Layout, MAX_FRAME_BYTES};
use std::fmt::Write;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than any turn of the drive's loop (50 ms), short for a person.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(
        "{}: no rccar-drive answers; is it running, and may you write to its socket?",
        path.display()
    )]
    NoAnswer { path: PathBuf, source: io::Error },
    #[error("the answer is not a status; is rccar-drive of another version?")]
    Garbled(#[from] FrameError),
}

/// Asks the drive whose socket is at `path`; waits one second at most, and another one for a drive
/// of release 0.1.0, which knows only an empty question.
pub fn ask(path: &Path) -> Result<DriveStatus, QueryError> {
    let answer = exchange(path, &[Layout::V2.version()])
        .or_else(|error| match error.kind() {
            io::ErrorKind::WouldBlock => exchange(path, &[]),
            _ => Err(error),
        })
        .map_err(|source| QueryError::NoAnswer { path: path.to_owned(), source })?;
    Ok(DriveStatus::decode(&answer)?)
}

/// The status as text for a person, one fact a line.
#[must_use]
pub fn describe(status: &DriveStatus) -> String {
    let mut text = String::new();
    let mut fact = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<10}{value}");
    };
    fact("state", words(status.state.as_str()));
    fact("reason", words(status.reason.as_str()));
    fact(
        "session",
        if status.session == 0 {
            "nobody drives".into()
        } else {
            format!("{:016x}", status.session)
        },
    );
    fact("steering", format!("{:+.1} %", status.steering.ratio() * 100.0));
    fact(
        "throttle",
        if status.braking {
            "brake".into()
        } else {
            format!("{:+.1} %", status.throttle.ratio() * 100.0)
        },
    );
    if let Some(odometry) = status.odometry {
        fact("speed", format!("{:.2} m/s", f64::from(odometry.speed_mm_s) / 1e3));
        let (x, y) = (f64::from(odometry.x_mm) / 1e3, f64::from(odometry.y_mm) / 1e3);
        fact(
            "place",
            format!(
                "{x:.2} m east, {y:.2} m north, heading {:.1}°",
                f64::from(odometry.heading.value()) / 100.0
            ),
        );
    }
    if let Some(speed) = status.speed_mm_s {
        fact("wheel", format!("{:.2} m/s", f64::from(speed) / 1e3));
    }
    let volts = status.battery_mv.map(|battery| format!("{:.2} V", f64::from(battery) / 1e3));
    let level = status.battery_level.map(|level| words(level.as_str()));
    let battery: Vec<_> = [volts, level].into_iter().flatten().collect();
    if !battery.is_empty() {
        fact("battery", battery.join(", "));
    }
    if let Some(Switches { lights, horn }) = status.switches {
        for (name, switch) in [("lights", lights), ("horn", horn)] {
            match switch {
                Switch::Absent => {}
                Switch::Off => fact(name, "off".into()),
                Switch::On => fact(name, "on".into()),
            }
        }
    }
    text
}

/// A socket that the drive can answer: the kernel picks a free address for it (autobind, unix(7)).
pub(crate) fn bound() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    bind(socket.as_raw_fd(), &UnixAddr::new_unnamed())?;
    Ok(socket)
}

fn exchange(path: &Path, question: &[u8]) -> io::Result<Vec<u8>> {
    let socket = bound()?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.send_to(question, path)?;
    let mut answer = vec![0; MAX_FRAME_BYTES + 1];
    let size = socket.recv(&mut answer)?;
    answer.truncate(size);
    Ok(answer)
}

/// `driver-disarmed` → `driver disarmed`.
fn words(word: &str) -> String {
    word.replace('-', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::state::{BatteryLevel, DriveState, StopReason};
    use rccar_protocol::units::{CentiDegrees, Odometry, Steering};

    #[test]
    fn a_status_reads_as_text() {
        let status = DriveStatus {
            state: DriveState::Disarmed,
            reason: StopReason::DriverDisarmed,
            session: 255,
            steering: Steering::from_permyriad(-2_550).unwrap(),
            braking: true,
            battery_mv: Some(6_950),
            battery_level: Some(BatteryLevel::Low),
            odometry: Some(Odometry {
                speed_mm_s: -1_500,
                x_mm: 10,
                y_mm: -20,
                heading: CentiDegrees::new(9_000).unwrap(),
            }),
            speed_mm_s: Some(-1_480),
            ..DriveStatus::default()
        };
        let lines = [
            "state     disarmed",
            "reason    driver disarmed",
            "session   00000000000000ff",
            "steering  -25.5 %",
            "throttle  brake",
            "speed     -1.50 m/s",
            "place     0.01 m east, -0.02 m north, heading 90.0°",
            "wheel     -1.48 m/s",
            "battery   6.95 V, low",
        ];
        assert_eq!(describe(&status).lines().collect::<Vec<_>>(), lines);
    }

    #[test]
    fn a_drive_that_knows_only_the_empty_question_is_asked_that() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("drive.sock");
        let drive = UnixDatagram::bind(&path).unwrap();
        let old = std::thread::spawn(move || {
            let mut question = [0; 8];
            // It drops the first, which it takes for a broken set-point.
            assert_eq!(drive.recv(&mut question).unwrap(), 1);
            let (size, asker) = drive.recv_from(&mut question).unwrap();
            assert_eq!(size, 0);
            let status = DriveStatus { session: 7, ..DriveStatus::default() };
            drive.send_to_addr(&status.encode(Layout::V1), &asker).unwrap();
        });
        assert_eq!(ask(&path).unwrap().session, 7);
        old.join().unwrap();
    }
}
