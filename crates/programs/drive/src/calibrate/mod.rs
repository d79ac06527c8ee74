//! `rccar-drive calibrate`: sets the car up from a terminal, with its wheels off the ground.
//!
//! It asks the running drive, as the car's page does, and jogs with set-points of its own session
//! ([`crate::calibration`]). The drive refuses it while somebody drives, and is at neutral 80 ms
//! after this program's last set-point, whatever becomes of terminal and program.

mod guide;

use crate::query;
use guide::{Guide, Key};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use rccar_daemon::clock;
use rccar_protocol::Layout;
use rccar_protocol::calibration::{
    CalibrationAction, CalibrationRequest, CalibrationState, FromDrive, MAX_DRIVE_MESSAGE_BYTES,
    ToDrive, is_message,
};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::{Json, parse};
use rccar_protocol::text::SessionId;
use rccar_protocol::units::MonotonicMicros;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As often as a page sends control frames.
const FRAME: Duration = Duration::from_millis(20);
/// A drive answers within a turn of its loop (50 ms) and the writing of a file.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    #[error("calibrating needs a terminal with a keyboard")]
    NoTerminal,
    #[error(
        "{}: no rccar-drive answers; is it running, of this version, and may you write to its \
         socket?",
        path.display()
    )]
    NoAnswer { path: PathBuf, source: io::Error },
    #[error("the drive refuses: {0}")]
    Refused(String),
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
}

/// Guides the person through the calibration of the drive whose socket is at `path`.
pub fn run(path: &Path) -> Result<(), CalibrateError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(CalibrateError::NoTerminal);
    }
    let mut link = Link::open(path)?;
    let state = link.begin()?;
    let terminal = RawTerminal::start().map_err(CalibrateError::Terminal)?;
    let outcome = guide(&mut link, Guide::new(state));
    drop(terminal);
    link.send(CalibrationAction::End, None);
    outcome
}

fn guide(link: &mut Link, mut guide: Guide) -> Result<(), CalibrateError> {
    let mut screen = Screen::default();
    screen
        .say("Lift the wheels off the ground. A key moves the car only while you hold it.\n\n")?;
    let mut frame_at = clock::now();
    let mut asked: Option<MonotonicMicros> = None;
    while !guide.is_over() {
        screen.show(&guide.text())?;
        let now = clock::now();
        if now >= frame_at {
            frame_at = now.plus(FRAME);
            link.frame(now, guide.jog(now));
        }
        if asked.is_some_and(|at| now.since(at) > PATIENCE) {
            return Err(link.lost(io::ErrorKind::TimedOut.into()));
        }
        if asked.is_none()
            && let Some(wish) = guide.poll_wish()
        {
            // First the end of a jog: while the car moves the drive takes no values.
            link.frame(now, None);
            link.send(wish.action, wish.values);
            asked = Some(now);
        }
        for key in wait(link, frame_at.since(now))? {
            guide.handle_key(clock::now(), key);
        }
        if let Some(state) = link.receive()? {
            asked = None;
            guide.handle_state(state);
        }
    }
    Ok(())
}

/// Waits for keys, for the drive, or until `time` is over.
fn wait(link: &Link, time: Duration) -> Result<Vec<Key>, CalibrateError> {
    let stdin = io::stdin();
    let mut ready =
        [stdin.as_fd(), link.socket.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let millis = u16::try_from(time.as_millis()).unwrap_or(u16::MAX).saturating_add(1);
    match poll(&mut ready, PollTimeout::from(millis)) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(CalibrateError::Terminal(error.into())),
    }
    if ready[0].any() != Some(true) {
        return Ok(Vec::new());
    }
    let mut bytes = [0; 64];
    // Not through the buffer of the standard input, which `poll` does not see.
    let count = nix::unistd::read(stdin.as_fd(), &mut bytes)
        .map_err(|error| CalibrateError::Terminal(error.into()))?;
    Ok(if count == 0 { vec![Key::Quit] } else { keys(&bytes[..count]) })
}

/// The keys of what a terminal sends (ECMA-48 for the arrows).
fn keys(mut bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while let [first, rest @ ..] = bytes {
        let (key, rest) = match (first, rest) {
            (0x1b, [b'[' | b'O', b'C', rest @ ..]) => (Some(Key::Right), rest),
            (0x1b, [b'[' | b'O', b'D', rest @ ..]) => (Some(Key::Left), rest),
            (0x1b, [b'[' | b'O', _, rest @ ..]) => (None, rest),
            (b'\r' | b'\n', rest) => (Some(Key::Next), rest),
            (0x7f | 0x08, rest) => (Some(Key::Back), rest),
            (b' ', rest) => (Some(Key::Space), rest),
            (b'b' | b'B', rest) => (Some(Key::Brake), rest),
            (b'f' | b'F', rest) => (Some(Key::Forget), rest),
            // Control-C and control-D, too.
            (b'q' | b'Q' | 0x03 | 0x04, rest) => (Some(Key::Quit), rest),
            (_, rest) => (None, rest),
        };
        keys.extend(key);
        bytes = rest;
    }
    keys
}

/// The connection to the drive.
struct Link {
    socket: UnixDatagram,
    path: PathBuf,
    session: SessionId,
    seq: u32,
    id: u32,
}

impl Link {
    fn open(path: &Path) -> Result<Self, CalibrateError> {
        let session = SessionId::from_random(RandomState::new().hash_one(std::process::id()));
        let opened = query::bound().and_then(|socket| {
            socket.connect(path)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => Ok(Self { socket, path: path.to_owned(), session, seq: 0, id: 0 }),
            Err(source) => Err(CalibrateError::NoAnswer { path: path.to_owned(), source }),
        }
    }

    fn begin(&mut self) -> Result<CalibrationState, CalibrateError> {
        self.send(CalibrationAction::Begin, None);
        let from = clock::now();
        while clock::now().since(from) < PATIENCE {
            if let Some(state) = self.receive()? {
                return match state.refused {
                    Some(refused) => Err(CalibrateError::Refused(refused.text.to_string())),
                    None => Ok(state),
                };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(self.lost(io::ErrorKind::TimedOut.into()))
    }

    fn lost(&self, source: io::Error) -> CalibrateError {
        CalibrateError::NoAnswer { path: self.path.clone(), source }
    }

    /// A lost request is noticed by its missing answer.
    fn send(
        &mut self,
        action: CalibrationAction,
        values: Option<rccar_protocol::calibration::Calibration>,
    ) {
        self.id = self.id.wrapping_add(1);
        let request = CalibrationRequest { id: self.id, action, values };
        let message = ToDrive::Calibrate { session: self.session, request }.to_json();
        let _ = self.socket.send(message.as_bytes());
    }

    /// A set-point. A lost one is as good as a later one.
    fn frame(&mut self, now: MonotonicMicros, jog: Option<guide::Jog>) {
        self.seq = self.seq.wrapping_add(1);
        let guide::Jog { steering, throttle, brake } = jog.unwrap_or_default();
        let set_point = SetPoint {
            seq: self.seq,
            sampled_at: now,
            session: self.session.0.get(),
            jog: jog.is_some(),
            steering,
            throttle,
            brake,
            ..SetPoint::default()
        };
        let _ = self.socket.send(&set_point.encode(Layout::V2));
    }

    /// The answer to the last request, if it is there.
    fn receive(&self) -> Result<Option<CalibrationState>, CalibrateError> {
        let mut buffer = [0; MAX_DRIVE_MESSAGE_BYTES + 1];
        let mut answer = None;
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(size) => {
                    let datagram = buffer.get(..size).unwrap_or_default();
                    // Statuses come as well.
                    if !is_message(datagram) {
                        continue;
                    }
                    if let Ok(FromDrive::Calibration { state, .. }) =
                        parse(std::str::from_utf8(datagram).unwrap_or_default())
                        && state.id == self.id
                    {
                        answer = Some(state);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(answer),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.lost(error)),
            }
        }
    }
}

/// Keys come one by one and are not printed. Dropping it restores the terminal.
struct RawTerminal(Termios);

impl RawTerminal {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        tcsetattr(io::stdin(), SetArg::TCSANOW, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
    }
}

/// Draws a text over the one before.
#[derive(Default)]
struct Screen {
    shown: String,
}

impl Screen {
    fn say(&mut self, text: &str) -> Result<(), CalibrateError> {
        let mut out = io::stdout();
        let said = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        said.map_err(CalibrateError::Terminal)
    }

    fn show(&mut self, text: &str) -> Result<(), CalibrateError> {
        if text == self.shown {
            return Ok(());
        }
        let up = match self.shown.lines().count() {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        };
        text.clone_into(&mut self.shown);
        self.say(&format!("{up}{text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_sends_becomes_keys() {
        assert_eq!(
            keys(b" \x1b[C\x1bOD\x1b[A\r\x7fbx"),
            [Key::Space, Key::Right, Key::Left, Key::Next, Key::Back, Key::Brake]
        );
        assert_eq!(keys(b"\x03q\x1b["), [Key::Quit, Key::Quit]);
    }
}
