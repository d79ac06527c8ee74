//! The calls to a device, as a trait: tests have a device of their own.

use rccar_v4l2_unsafe::{
    self as system, About, Done, Filled, Format, FourCc, Memory, Queue, Range, Ready,
};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most nodes that are looked at.
const MOST_NODES: usize = 64;

/// The machine's devices.
pub(in crate::encoder) trait Kernel: Send + Sync {
    /// The nodes that may be encoders, in the order of their numbers.
    fn nodes(&self) -> Vec<PathBuf>;

    fn open(&self, path: &Path) -> io::Result<Box<dyn Device>>;
}

/// An open device. [`rccar_v4l2_unsafe::Device`] says what each call does.
pub(in crate::encoder) trait Device: Send {
    fn take(&mut self) -> io::Result<bool>;
    fn about(&mut self) -> io::Result<About>;
    fn formats(&mut self, queue: Queue) -> io::Result<Vec<FourCc>>;
    fn set_format(&mut self, queue: Queue, wanted: Format) -> io::Result<Format>;
    fn crop(&mut self, width: u32, height: u32) -> io::Result<(u32, u32)>;
    fn set_rate(&mut self, fps: u32) -> io::Result<()>;
    fn control(&mut self, id: u32) -> io::Result<Option<Range>>;
    fn set_control(&mut self, id: u32, value: i32) -> io::Result<()>;
    fn make_buffers(&mut self, queue: Queue, memory: Memory, count: u32) -> io::Result<u32>;
    fn memory(&mut self, queue: Queue, index: u32) -> Option<&mut [u8]>;
    fn queue(&mut self, queue: Queue, filled: &Filled) -> io::Result<()>;
    fn dequeue(&mut self, queue: Queue) -> io::Result<Option<Done>>;
    fn stream(&mut self, queue: Queue, on: bool) -> io::Result<()>;
    fn wait(&mut self, limit: Duration) -> io::Result<Ready>;
}

/// The real ones.
#[derive(Debug)]
pub(in crate::encoder) struct Linux;

impl Kernel for Linux {
    fn nodes(&self) -> Vec<PathBuf> {
        let number = |path: &PathBuf| -> Option<u32> {
            path.file_name()?.to_str()?.strip_prefix("video")?.parse().ok()
        };
        // A machine without the folder has no devices.
        let entries = std::fs::read_dir("/dev").into_iter().flatten().flatten();
        let mut nodes: Vec<(u32, PathBuf)> = entries
            .map(|entry| entry.path())
            .filter_map(|path| Some((number(&path)?, path)))
            .collect();
        nodes.sort();
        nodes.truncate(MOST_NODES);
        nodes.into_iter().map(|(_, path)| path).collect()
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Device>> {
        Ok(Box::new(system::Device::open(path)?))
    }
}

impl Device for system::Device {
    fn take(&mut self) -> io::Result<bool> {
        Self::take(self)
    }

    fn about(&mut self) -> io::Result<About> {
        Self::about(self)
    }

    fn formats(&mut self, queue: Queue) -> io::Result<Vec<FourCc>> {
        Self::formats(self, queue)
    }

    fn set_format(&mut self, queue: Queue, wanted: Format) -> io::Result<Format> {
        Self::set_format(self, queue, wanted)
    }

    fn crop(&mut self, width: u32, height: u32) -> io::Result<(u32, u32)> {
        Self::crop(self, width, height)
    }

    fn set_rate(&mut self, fps: u32) -> io::Result<()> {
        Self::set_rate(self, fps)
    }

    fn control(&mut self, id: u32) -> io::Result<Option<Range>> {
        Self::control(self, id)
    }

    fn set_control(&mut self, id: u32, value: i32) -> io::Result<()> {
        Self::set_control(self, id, value)
    }

    fn make_buffers(&mut self, queue: Queue, memory: Memory, count: u32) -> io::Result<u32> {
        Self::make_buffers(self, queue, memory, count)
    }

    fn memory(&mut self, queue: Queue, index: u32) -> Option<&mut [u8]> {
        Self::memory(self, queue, index)
    }

    fn queue(&mut self, queue: Queue, filled: &Filled) -> io::Result<()> {
        Self::queue(self, queue, filled)
    }

    fn dequeue(&mut self, queue: Queue) -> io::Result<Option<Done>> {
        Self::dequeue(self, queue)
    }

    fn stream(&mut self, queue: Queue, on: bool) -> io::Result<()> {
        Self::stream(self, queue, on)
    }

    fn wait(&mut self, limit: Duration) -> io::Result<Ready> {
        Self::wait(self, limit)
    }
}
