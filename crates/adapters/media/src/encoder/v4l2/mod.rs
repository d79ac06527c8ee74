//! Encoders in hardware, through Video for Linux: the one of a Raspberry Pi 4 under Raspberry Pi's
//! kernel, and others that the kernel drives in the same way ("memory-to-memory stateful video
//! encoder interface" in its documentation).
//!
//! ```text
//!   thread `video`              thread `encoder`                        kernel
//!   Keeper::encode ─ frame ───► Session::encode ─ queue OUTPUT ───────► driver, firmware
//!                                                ◄ dequeue OUTPUT ──── the frame's memory is free
//!                  ◄ result ── by time stamp  ◄── dequeue CAPTURE ──── an access unit, or nothing
//! ```
//!
//! * A device is found by what it can do, not by the number of its node ([`find`]).
//! * The firmware of a Pi leaves frames out when they do not fit the bit rate: it gives the frame's
//!   memory back and no access unit, and no error (raspberrypi/linux #6680). Such a frame is
//!   `Ok(None)`; ten in a row open the device again. Programs that wait for both queues in turn
//!   hang there.
//! * One frame is under way at a time. The access unit of a frame that was given up may still come:
//!   it is known by its time stamp and thrown away, and the next frame is a keyframe.
//! * Calls to a driver whose firmware has hung may take seconds, so a thread of their own makes
//!   them ([`Keeper`]). Whoever waits for it waits for a second at most.
//! * The device is this program's alone ([`Device::take`]): two encoders slow each other down
//!   (raspberrypi/linux #4669).

mod device;
mod keeper;
#[cfg(test)]
pub(super) mod mock;
mod session;
mod settings;
#[cfg(test)]
mod tests;

pub(super) use device::{Kernel, Linux};
pub(super) use keeper::Keeper;
pub(super) use settings::{Coding, Settings};

use rccar_v4l2_unsafe::{FourCc, Queue};
use std::fmt;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Luma, U and V one after the other, and luma, then U and V in turn.
pub(super) const I420: FourCc = *b"YU12";
pub(super) const NV12: FourCc = *b"NV12";

/// The driver of a Raspberry Pi's encoder, the only one whose ways are known.
const KNOWN_DRIVERS: [&str; 1] = ["bcm2835-codec"];

/// A device that can encode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) driver: String,
    /// It takes I420; else NV12.
    pub(super) takes_i420: bool,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path.display(), self.driver)
    }
}

/// The first device that takes raw pictures and gives such data; the reason if there is none. If
/// not `any`, only with a driver that is known to work.
pub(super) fn find(kernel: &dyn Kernel, coded: FourCc, any: bool) -> Result<Found, String> {
    let mut closed = None;
    let mut unknown = None;
    for path in kernel.nodes() {
        match look(kernel, path.clone(), coded) {
            Ok(Some(found)) if any || KNOWN_DRIVERS.contains(&found.driver.as_str()) => {
                return Ok(found);
            }
            Ok(Some(found)) => unknown = unknown.or(Some(found)),
            // A camera, a decoder.
            Ok(None) => {}
            Err(error) => closed = closed.or(Some(format!("{}: {error}", path.display()))),
        }
    }
    let coding = String::from_utf8_lossy(&coded).into_owned();
    Err(match (unknown, closed) {
        (Some(found), _) => format!("{found} is not known to work"),
        (None, Some(closed)) => format!("no device gives {coding} ({closed})"),
        (None, None) => format!("no device gives {coding}"),
    })
}

fn look(kernel: &dyn Kernel, path: PathBuf, coded: FourCc) -> io::Result<Option<Found>> {
    let mut device = kernel.open(&path)?;
    let about = device.about()?;
    if !about.memory_to_memory || !device.formats(Queue::Capture)?.contains(&coded) {
        return Ok(None);
    }
    let takes = device.formats(Queue::Output)?;
    let takes_i420 = takes.contains(&I420);
    let found = Found { path, driver: about.driver, takes_i420 };
    Ok((takes_i420 || takes.contains(&NV12)).then_some(found))
}

/// Why a device does not encode, in words that follow its name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Trouble {
    #[error("another program uses it")]
    Busy,
    #[error("it is gone")]
    Gone,
    /// It cannot do what this program needs.
    #[error("{0}")]
    Unfit(String),
    /// It does not answer.
    #[error("it does not answer any more")]
    Hangs,
    /// It may work when it is opened again.
    #[error("{0}")]
    Failed(String),
}

impl Trouble {
    /// Opening it again would not help.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Failed(_))
    }
}

/// Makes words of an error of the kernel's; `doing` is what was tried.
fn failed(doing: &str) -> impl Fn(io::Error) -> Trouble {
    move |error| {
        let number = error.raw_os_error().map(nix::errno::Errno::from_raw);
        match number {
            Some(nix::errno::Errno::ENODEV | nix::errno::Errno::ENXIO) => Trouble::Gone,
            Some(nix::errno::Errno::EBUSY) => Trouble::Busy,
            _ => Trouble::Failed(format!("{doing}: {error}")),
        }
    }
}
