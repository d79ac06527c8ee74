//! The calls to a Video for Linux device that takes pictures from memory and gives other ones back:
//! an encoder, a decoder, a scaler ("memory to memory"). It has two queues of buffers:
//! [`Queue::Output`] takes, [`Queue::Capture`] gives.
//!
//! **Memory of a buffer is lent to either the device or the caller:** [`Device::memory`] gives none
//! while a buffer is queued.
//!
//! ```no_run
//! use rccar_v4l2_unsafe::{Device, Queue};
//!
//! let device = Device::open("/dev/video11".as_ref())?;
//! let about = device.about()?;
//! println!("{} by {}: {:?}", about.card, about.driver, device.formats(Queue::Capture)?);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Design decisions
//!
//! * A crate of its own, because `unsafe` is forbidden elsewhere. What is to be called when is
//!   decided elsewhere, too.
//! * The structures are written down here. Bindings that are made from the header need libclang
//!   at build time, and those without it cannot do planes (`v4l`, `linuxvideo`). A test compares
//!   them with the header.
//! * Devices with one plane of memory in a picture, of both interfaces (with `_MPLANE` and
//!   without). Encoders for I420 and NV12 have one.
//! * No call waits, but for [`Device::wait`]. A driver whose firmware has hung may keep one all the
//!   same; whoever cannot wait calls from a thread of its own.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod device;
mod memory;
mod sys;

pub use device::Device;

/// Four characters that name a layout of pixels or a coding.
pub type FourCc = [u8; 4];

/// One of the two queues of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Takes pictures from the program (`OUTPUT` in the kernel's words).
    Output,
    /// Gives what the device has made of them (`CAPTURE`).
    Capture,
}

/// Where the memory of a queue's buffers comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// From the driver; [`Device::memory`] reads and writes it.
    Mapped,
    /// A descriptor of another device's memory comes with each buffer.
    Dmabuf,
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Name of the kernel's driver.
    pub driver: String,
    pub card: String,
    /// Whether it takes and gives pictures at all.
    pub memory_to_memory: bool,
}

/// Size and layout of the pictures of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    pub pixels: FourCc,
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next of the first plane; 0 asks the driver, or means coded data.
    pub stride: u32,
    /// Bytes of a buffer; 0 asks the driver.
    pub size: u32,
}

/// What a control takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub least: i32,
    pub most: i32,
    pub step: i32,
}

/// A buffer on its way to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    pub index: u32,
    /// Bytes that hold something; 0 for a buffer that the device is to fill.
    pub used: u32,
    /// In microseconds. The device copies it to what it makes of the picture.
    pub timestamp_us: u64,
    /// A queue of [`Memory::Dmabuf`] needs descriptor and size of the memory.
    pub dmabuf: Option<(std::os::fd::RawFd, u32)>,
}

/// A buffer that the device has given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub index: u32,
    pub used: u32,
    /// Where the data begins in the buffer, in bytes.
    pub offset: u32,
    /// That of the picture from which it was made.
    pub timestamp_us: u64,
    /// Decoding can begin here, says the driver.
    pub keyframe: bool,
    /// The device could not do it; what the buffer holds is damaged.
    pub damaged: bool,
}

/// What [`Device::wait`] has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ready {
    /// [`Queue::Output`] has given a buffer back.
    pub output: bool,
    /// [`Queue::Capture`] has given one.
    pub capture: bool,
    /// The device does not work, or is gone.
    pub failed: bool,
}
