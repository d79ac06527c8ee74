//! The clock of a car without one: set forward by what others say, until NTP knows better.
//!
//! Without a server of NTP the clock goes on from the time that systemd-timesyncd saved last, or
//! from the image's build. Then certificates seem to begin in the future, and the car finds no
//! host. What `rccar-modem` hears from the mobile network and `rccar-car` from its host's web
//! server lies in a file each; they only *say* it, and this command, which alone may set the clock,
//! decides.
//!
//! * The clock is only set forward: a saved time and the image's build have been.
//! * Nothing is believed once NTP has set the clock, and nothing before the image's build.
//! * The operator's network is believed up to twenty years after the build.
//! * The host's time came without TLS, so that anybody on the way can have made it. It raises the
//!   clock to at most two years after the build: far enough for a card that lay in a drawer, and
//!   too near for certificates of tomorrow to end today.

use rccar_daemon::files;
use std::fmt;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Files that hold seconds since 1970, and who says so. The first one that fits counts.
const SAID: [(Source, &str); 2] =
    [(Source::Network, "run/rccar-modem/time"), (Source::Host, "run/rccar/time")];
/// systemd-timesyncd makes it when a server has set the clock.
const SYNCHRONISED: &str = "run/systemd/timesync/synchronized";
/// Its time is that of the image's build (systemd-timesyncd.service(8)).
const BUILT: &str = "usr/lib/clock-epoch";
/// A clock that is nearer than this is right enough for certificates.
const NEAR: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// Of the digits in such a file: enough until the year 33658.
const MAX_DIGITS: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Network,
    Host,
}

impl Source {
    /// Longest time after the image's build that is believed.
    fn reach(self) -> Duration {
        match self {
            Self::Network => YEAR * 20,
            Self::Host => YEAR * 2,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "the mobile network",
            Self::Host => "the host's web server",
        })
    }
}

/// The system's clock.
pub(crate) trait Clock {
    fn now(&self) -> SystemTime;
    fn set(&mut self, to: SystemTime) -> io::Result<()>;
}

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn set(&mut self, to: SystemTime) -> io::Result<()> {
        let since = to.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        let to = nix::sys::time::TimeSpec::from_duration(since);
        Ok(nix::time::clock_settime(nix::time::ClockId::CLOCK_REALTIME, to)?)
    }
}

/// What became of the clock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// NTP has set it.
    Right,
    /// Nobody says anything that would set it forward.
    Kept,
    /// In words, for the log.
    Set(String),
}

/// Sets the clock below `root` by the files there.
pub(crate) fn follow(root: &Path, clock: &mut dyn Clock) -> io::Result<Outcome> {
    if root.join(SYNCHRONISED).exists() {
        return Ok(Outcome::Right);
    }
    let built = root.join(BUILT).metadata()?.modified()?;
    let now = clock.now();
    for (source, file) in SAID {
        let path = root.join(file);
        let said = match said(&path) {
            Ok(Some(said)) => said,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(file = %path.display(), "{error}");
                continue;
            }
        };
        match judge(source, said, now, built) {
            Verdict::Forward => {
                clock.set(said)?;
                let by = said.duration_since(now).unwrap_or_default().as_secs();
                return Ok(Outcome::Set(format!(
                    "the clock was set forward by {by} s, to what {source} says"
                )));
            }
            Verdict::Near => {}
            Verdict::Unbelievable => {
                tracing::warn!("{source} says a time that is not believed: {}", seconds(said));
            }
        }
    }
    Ok(Outcome::Kept)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Forward,
    /// The clock shows this, or more.
    Near,
    Unbelievable,
}

fn judge(source: Source, said: SystemTime, now: SystemTime, built: SystemTime) -> Verdict {
    if said < built || said > built + source.reach() {
        return Verdict::Unbelievable;
    }
    if said > now + NEAR { Verdict::Forward } else { Verdict::Near }
}

/// `None`: there is no such file.
fn said(path: &Path) -> io::Result<Option<SystemTime>> {
    let Some(bytes) = files::read(path).map_err(io::Error::other)? else { return Ok(None) };
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let is_number = (1..=MAX_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    let number = is_number.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten();
    let seconds = number.ok_or_else(|| io::Error::other("this holds no time in seconds"))?;
    Ok(Some(UNIX_EPOCH + Duration::from_secs(seconds)))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const BUILD: u64 = 1_760_000_000;
    const DAY: u64 = 24 * 3600;
    const NEVER: [u64; 0] = [];

    struct Fake {
        now: u64,
        set: Vec<u64>,
    }

    impl Clock for Fake {
        fn now(&self) -> SystemTime {
            UNIX_EPOCH + Duration::from_secs(self.now)
        }
        fn set(&mut self, to: SystemTime) -> io::Result<()> {
            self.now = seconds(to);
            self.set.push(self.now);
            Ok(())
        }
    }

    /// The times to which the clock was set, in seconds after the build.
    fn set(now: u64, network: Option<&str>, host: Option<&str>, synchronised: bool) -> Vec<u64> {
        let root = tempfile::tempdir().unwrap();
        for folder in ["run/rccar-modem", "run/rccar", "run/systemd/timesync", "usr/lib"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let epoch = fs::File::create(root.path().join(BUILT)).unwrap();
        epoch.set_modified(UNIX_EPOCH + Duration::from_secs(BUILD)).unwrap();
        for ((_, file), text) in SAID.into_iter().zip([network, host]) {
            if let Some(text) = text {
                fs::write(root.path().join(file), text).unwrap();
            }
        }
        if synchronised {
            fs::write(root.path().join(SYNCHRONISED), "").unwrap();
        }
        let mut clock = Fake { now: BUILD + now, set: vec![] };
        follow(root.path(), &mut clock).unwrap();
        // A second look changes nothing.
        let once = clock.set.clone();
        follow(root.path(), &mut clock).unwrap();
        assert_eq!(clock.set, once);
        once.into_iter().map(|set| set - BUILD).collect()
    }

    fn after(seconds: u64) -> String {
        format!("{}\n", BUILD + seconds)
    }

    #[test]
    fn a_clock_that_is_behind_is_set_forward_by_the_network_before_the_host() {
        let (far, near) = (after(300 * DAY), after(200 * DAY));
        assert_eq!(set(0, Some(&far), None, false), [300 * DAY]);
        assert_eq!(set(0, None, Some(&near), false), [200 * DAY]);
        assert_eq!(set(0, Some(&near), Some(&near), false), [200 * DAY]);
        assert_eq!(set(0, None, None, false), NEVER);
    }

    #[test]
    fn the_clock_is_never_set_back_nor_for_a_minute() {
        assert_eq!(set(10 * DAY, Some(&after(9 * DAY)), Some(&after(8 * DAY)), false), NEVER);
        assert_eq!(set(DAY, Some(&after(DAY + 60)), None, false), NEVER);
        assert_eq!(set(DAY, Some(&after(DAY + 61)), None, false), [DAY + 61]);
    }

    #[test]
    fn a_clock_that_ntp_has_set_is_left_alone() {
        assert_eq!(set(0, Some(&after(300 * DAY)), Some(&after(300 * DAY)), true), NEVER);
    }

    #[test]
    fn nobody_who_lies_without_tls_takes_the_clock_far() {
        let years = |years: u64| after(years * 365 * DAY);
        assert_eq!(set(0, None, Some(&years(2)), false), [2 * 365 * DAY]);
        assert_eq!(set(0, None, Some(&after(2 * 365 * DAY + 1)), false), NEVER);
        assert_eq!(set(0, Some(&years(20)), None, false), [20 * 365 * DAY]);
        assert_eq!(set(0, Some(&years(21)), None, false), NEVER);
        // What is not believed of one does not keep the other out.
        assert_eq!(set(0, Some(&years(21)), Some(&years(1)), false), [365 * DAY]);
        assert_eq!(set(0, Some("1"), None, false), NEVER, "before the image was made");
    }

    #[test]
    fn what_is_no_time_is_left_out() {
        for text in ["", "\n", "x", "-1", "1760000000.5", "9999999999999", "\u{661}", "1 2"] {
            assert_eq!(set(0, Some(text), Some(&after(DAY)), false), [DAY], "{text:?}");
        }
    }
}
