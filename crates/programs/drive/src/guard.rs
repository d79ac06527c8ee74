//! A second process that takes the motor back when the first one hangs.
//!
//! Every promise of the drive is kept by its loop. Should the loop itself stop turning while the
//! car moves (a bug, a debugger, `SIGSTOP`), the board would go on with the last pulses until
//! systemd's watchdog acts, two seconds later. So the loop gives a sign of life each turn, every 5
//! ms while the car moves, and this process writes neutral to the board when none has come for 100
//! ms.
//!
//! ```text
//!   rccar-drive ── a byte each turn: moves, rests ──► rccar-drive guard ── neutral ──► board
//! ```
//!
//! # Design decisions
//!
//! * It shares nothing with the drive but the bytes: its own process, its own handle of the bus.
//!   The bus takes one transfer at a time, whoever asks.
//! * It ends with the drive, when the other end of the bytes is closed, and puts neutral on the
//!   board once more then. The drive starts it again if it ends by itself.
//! * A drive that goes on after such a pause trips, and writes to the board all that it has: it
//!   cannot know what the guard has written.
//! * A kernel that hangs stops both: against that only a circuit on OE helps, or an ESC that stops
//!   without a signal.

use crate::actuator;
use crate::config::Config;
use crate::realtime;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use rccar_causes::causes;
use rccar_daemon::{clock, logging};
use rccar_protocol::units::MonotonicMicros;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Silence of a car that moves, after which the guard acts: twenty turns of the loop. With the
/// transfer the motor is at neutral well within the 250 ms that the drive promises.
const PATIENCE: Duration = Duration::from_millis(100);
/// A drive whose loop stood still for so long takes it that the guard has acted.
pub(crate) const ACTS_BY: Duration = Duration::from_millis(90);
/// Neutral is written as often as this while the silence lasts.
const AGAIN: Duration = Duration::from_millis(50);
/// A guard that reads nothing for so long is replaced.
const STUCK: Duration = Duration::from_secs(1);
/// Between two starts of a guard that ends by itself.
const RESTART: Duration = Duration::from_secs(1);

/// Lines that wait for the journal.
const LOG: usize = 16;

const RESTS: u8 = 0;
const MOVES: u8 = 1;

/// The drive's end: starts the guard, and gives it signs of life.
pub struct Guard {
    config: PathBuf,
    running: Option<(UnixStream, Child)>,
    /// It has closed its end, and may not have been gone yet when it was last looked at.
    ended: Option<Child>,
    start_at: MonotonicMicros,
    stuck_since: Option<MonotonicMicros>,
}

impl Guard {
    /// The guard reads this configuration file.
    #[must_use]
    pub fn new(config: &Path) -> Self {
        Self {
            config: config.to_owned(),
            running: None,
            ended: None,
            start_at: MonotonicMicros::default(),
            stuck_since: None,
        }
    }

    /// The loop turns. Waits for nothing but the start of the guard.
    ///
    /// # Errors
    /// Once for each thing that goes wrong; the next call goes on.
    pub fn beat(&mut self, now: MonotonicMicros, moves: bool) -> io::Result<()> {
        if self.running.is_none() && now >= self.start_at {
            self.start_at = now.plus(RESTART);
            if let Some(mut ended) = self.ended.take() {
                let _ = ended.try_wait();
            }
            self.running = Some(start(&self.config)?);
        }
        let Some((beats, guard)) = &mut self.running else { return Ok(()) };
        let error = match beats.write(&[if moves { MOVES } else { RESTS }]) {
            Ok(_) => {
                self.stuck_since = None;
                return Ok(());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if now.since(*self.stuck_since.get_or_insert(now)) < STUCK {
                    return Ok(());
                }
                let _ = guard.kill();
                io::Error::other("it reads nothing; starting another")
            }
            Err(error) => io::Error::new(error.kind(), format!("it has ended: {error}")),
        };
        self.stuck_since = None;
        self.ended = self.running.take().map(|(_, guard)| guard);
        Err(error)
    }
}

fn start(config: &Path) -> io::Result<(UnixStream, Child)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let guard = Command::new("/proc/self/exe")
        .arg("guard")
        .arg("--config")
        .arg(config)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .spawn()?;
    Ok((ours, guard))
}

/// What the guard knows of the drive.
#[derive(Debug, Default)]
struct Watch {
    /// The last sign of life, if the car moved then.
    moved: Option<MonotonicMicros>,
    wrote: Option<MonotonicMicros>,
}

impl Watch {
    fn handle_beat(&mut self, now: MonotonicMicros, beat: u8) {
        self.wrote = None;
        // What a later drive may say is no reason to sleep.
        self.moved = (beat != RESTS).then_some(now);
    }

    /// When neutral is to be written; `None` while the car rests.
    fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let due = self.moved?.plus(PATIENCE);
        Some(self.wrote.map_or(due, |wrote| due.max(wrote.plus(AGAIN))))
    }

    /// Whether neutral is to be written now; the first time with the length of the silence.
    fn handle_timeout(&mut self, now: MonotonicMicros) -> Option<Option<Duration>> {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return None;
        }
        let first = self.wrote.replace(now).is_none();
        Some(self.moved.filter(|_| first).map(|moved| now.since(moved)))
    }
}

/// The guard itself: returns when the drive is gone.
pub(crate) fn watch(config: &Config) -> io::Result<()> {
    logging::init("rccar-drive");
    // The service manager signals all processes of the unit. The guard outlives the drive, which
    // still brakes.
    let mut ignored = SigSet::empty();
    ignored.add(Signal::SIGTERM);
    ignored.add(Signal::SIGINT);
    ignored.thread_block()?;
    // The journal may be slow: a thread of its own waits for it, and what it does not take is lost.
    let (log, said) = sync_channel::<String>(LOG);
    let writer = std::thread::Builder::new()
        .name("log".into())
        .spawn(move || said.iter().for_each(|text| tracing::error!("{text}")))?;
    if config.realtime {
        realtime::enable(realtime::GUARD);
    }
    let mut board = actuator::Emergency::new(config);
    let mut watch = Watch::default();
    let beats = io::stdin();
    loop {
        let wait = watch.poll_timeout().map(|due| due.since(clock::now()));
        let timeout = wait.map_or(PollTimeout::NONE, |wait| {
            // Rounded up: 0 would turn in a circle for the last millisecond.
            let millis = u16::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(u16::MAX);
            PollTimeout::from(millis)
        });
        let mut ready = [PollFd::new(beats.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, timeout) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => {
                let mut read = [0; 256];
                // Not through the buffer of the standard input, which `poll` does not see.
                match nix::unistd::read(beats.as_fd(), &mut read)? {
                    0 => break,
                    count => watch.handle_beat(clock::now(), read[count - 1]),
                }
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(first) = watch.handle_timeout(clock::now()) {
            let written = board.neutral();
            if let Some(silence) = first {
                let text =
                    format!("the drive hangs while the car moves: neutral after {silence:?}");
                let _ = log.try_send(text);
            }
            if let Err(error) = written {
                let _ = log.try_send(format!("the guard cannot write neutral: {}", causes(&error)));
            }
        }
    }
    let _ = board.neutral();
    drop(log);
    // A panic of the thread has been printed already.
    let _ = writer.join();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> MonotonicMicros {
        MonotonicMicros(ms * 1_000)
    }

    #[test]
    fn a_car_that_moves_and_falls_silent_is_stopped_again_and_again() {
        let mut watch = Watch::default();
        assert_eq!((watch.poll_timeout(), watch.handle_timeout(at(0))), (None, None));
        watch.handle_beat(at(1_000), MOVES);
        assert_eq!(watch.poll_timeout(), Some(at(1_100)));
        assert_eq!(watch.handle_timeout(at(1_099)), None);
        assert_eq!(watch.handle_timeout(at(1_101)), Some(Some(Duration::from_millis(101))));
        assert_eq!(watch.poll_timeout(), Some(at(1_151)));
        assert_eq!(watch.handle_timeout(at(1_150)), None);
        assert_eq!(watch.handle_timeout(at(1_151)), Some(None));
        // Back again.
        watch.handle_beat(at(1_300), MOVES);
        assert_eq!(watch.poll_timeout(), Some(at(1_400)));
    }

    #[test]
    fn a_car_that_rests_may_be_silent() {
        let mut watch = Watch::default();
        watch.handle_beat(at(1_000), MOVES);
        watch.handle_beat(at(1_005), RESTS);
        assert_eq!((watch.poll_timeout(), watch.handle_timeout(at(60_000))), (None, None));
    }
}
