//! The thread that empties the pipe.

use super::assembler::{Assembler, Progress};
use crate::camera::newest::{Newest, Trouble};
use crate::clock;
use crate::frame::VideoFormat;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rccar_causes::causes;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How often the thread looks whether it has been stopped, in milliseconds.
const LOOK_UP_MS: u16 = 200;
/// Between two attempts to open the pipe.
const RETRY: Duration = Duration::from_millis(300);
/// Wanted capacity of the pipe in bytes: the most that Linux gives without privilege
/// (`fs.pipe-max-size`), about three quarters of a 1280×720 frame. With the default of 64 KiB the
/// writer would be woken twenty times per frame.
const CAPACITY: i32 = 1 << 20;

/// Why reading has ended.
enum End {
    Stopped,
    WriterClosed,
    Failed(io::Error),
}

/// Starts a thread that puts every frame into `newest` until that is stopped.
pub(super) fn start(path: PathBuf, format: VideoFormat, newest: Arc<Newest>) -> io::Result<()> {
    thread::Builder::new().name("camera-pipe".to_owned()).spawn(move || {
        let mut assembler = Assembler::new(format);
        while !newest.is_stopped() {
            let trouble = match open(&path) {
                Err(error) => error.to_string(),
                Ok(mut pipe) => {
                    newest.set_trouble(Trouble::Silent("nobody writes to the pipe".to_owned()));
                    match pump(&mut pipe, &mut assembler, &newest) {
                        End::Stopped => return,
                        End::WriterClosed => "the writer has closed the pipe".to_owned(),
                        End::Failed(error) => error.to_string(),
                    }
                }
            };
            tracing::debug!(path = %path.display(), trouble, "opening the pipe again");
            newest.set_trouble(Trouble::Silent(trouble));
            assembler.reset();
            newest.pause(RETRY);
        }
    })?;
    Ok(())
}

/// Opens without waiting for a writer, so that the thread can be stopped at any time.
fn open(path: &Path) -> io::Result<File> {
    let pipe = OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    if !pipe.metadata()?.file_type().is_fifo() {
        return Err(io::Error::other("it is no pipe (create one with mkfifo)"));
    }
    if let Err(error) = fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(CAPACITY)) {
        tracing::debug!(error = %causes(&error), "the pipe keeps its capacity");
    }
    Ok(pipe)
}

fn pump(pipe: &mut File, assembler: &mut Assembler, newest: &Newest) -> End {
    loop {
        if newest.is_stopped() {
            return End::Stopped;
        }
        match wait_readable(pipe) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(error) => return End::Failed(error),
        }
        match assembler.read(pipe) {
            Ok(Progress::Partial) => {}
            Ok(Progress::Complete) => newest.put(clock::now(), |frame| assembler.swap(frame)),
            Ok(Progress::Ended(lost)) => {
                if lost > 0 {
                    tracing::debug!(lost, "discarded the beginning of a frame");
                }
                return End::WriterClosed;
            }
            Err(error) => return End::Failed(error),
        }
    }
}

/// Waits until there is something to read or the writer has closed the pipe; `false` after
/// [`LOOK_UP_MS`]. A pipe that never had a writer is neither readable nor closed (`pipe(7)`).
fn wait_readable(pipe: &File) -> io::Result<bool> {
    let mut watched = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    match poll(&mut watched, PollTimeout::from(LOOK_UP_MS)) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
