//! Memory of a driver, mapped into the process.

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

/// One buffer.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<c_void>,
    bytes: NonZeroUsize,
    /// The device may write to it or read it now.
    pub(crate) queued: bool,
}

// SAFETY: the memory belongs to the process, not to a thread, and only `&mut self` reaches it.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps the buffer that the driver has at `offset`.
    pub(crate) fn new(file: &File, offset: u32, bytes: u32) -> io::Result<Self> {
        let bytes = usize::try_from(bytes).ok().and_then(NonZeroUsize::new);
        let bytes = bytes.ok_or_else(|| io::Error::other("the driver's buffer is empty"))?;
        let (access, flags) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED);
        // SAFETY: the kernel chooses a free address, so no memory of this process is replaced. The
        // mapping is shared with the device only, and ends in `drop`.
        let start = unsafe { mmap(None, bytes, access, flags, file, offset.into()) }?;
        Ok(Self { start, bytes, queued: false })
    }

    /// The memory, unless the device has it.
    pub(crate) fn bytes(&mut self) -> Option<&mut [u8]> {
        if self.queued {
            return None;
        }
        // SAFETY: `new` mapped so many bytes, and they stay until `drop`. The device neither reads
        // nor writes a buffer that is not queued, and the mutable borrow keeps it from being queued
        // and from being reached twice.
        Some(unsafe {
            std::slice::from_raw_parts_mut(self.start.cast::<u8>().as_ptr(), self.bytes.get())
        })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `new` mapped it, and the slices of `bytes` borrow from `self`. The kernel keeps
        // the pages of a buffer that is still queued. An error would mean that there is no mapping.
        let _ = unsafe { munmap(self.start, self.bytes.get()) };
    }
}
