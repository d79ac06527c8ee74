//! One system call: a program tells the kernel that the CPU is going to read a dmabuf. The CPU then
//! sees what a device has written there.
//!
//! **Between [`begin_read`] and [`end_read`] the CPU's caches agree with the buffer. At any other
//! time they may hold an older picture.** The camera of a Raspberry Pi writes past the caches: a
//! frame that is read without the call has stripes of the one before.
//!
//! ```no_run
//! # fn descriptor_of_a_frame() -> std::os::fd::RawFd { 3 }
//! let buffer = descriptor_of_a_frame();
//! if rccar_dmabuf_unsafe::begin_read(buffer)? {
//!     // Read the mapped memory here.
//!     rccar_dmabuf_unsafe::end_read(buffer)?;
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Design decisions
//!
//! * A crate of its own, because `unsafe` is forbidden elsewhere. The `nix` crate has macros for
//!   such calls, not the calls themselves.
//! * Raw descriptors, because libcamera hands out those. The call changes no memory of this
//!   process, and it fails on a descriptor that is no dmabuf.
//! * The code that allocates the buffers also maps them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

use nix::errno::Errno;
use std::io;
use std::os::fd::RawFd;

/// `DMA_BUF_SYNC_READ`, `DMA_BUF_SYNC_START` and `DMA_BUF_SYNC_END` of `linux/dma-buf.h`.
const READ: u64 = 1 << 0;
const START: u64 = 0 << 2;
const END: u64 = 1 << 2;

/// `struct dma_buf_sync` of `linux/dma-buf.h`.
#[repr(C)]
struct Sync {
    flags: u64,
}

nix::ioctl_write_ptr!(
    /// `DMA_BUF_IOCTL_SYNC` of `linux/dma-buf.h`.
    dma_buf_sync,
    b'b',
    0,
    Sync
);

/// To be called before the CPU reads. False if `buffer` is no dmabuf: ordinary memory needs no
/// [`end_read`].
///
/// # Errors
/// If `buffer` is no open descriptor, or the kernel refuses.
pub fn begin_read(buffer: RawFd) -> io::Result<bool> {
    sync(buffer, START)
}

/// To be called after the CPU has read. False if `buffer` is no dmabuf.
///
/// # Errors
/// Those of [`begin_read`].
pub fn end_read(buffer: RawFd) -> io::Result<bool> {
    sync(buffer, END)
}

fn sync(buffer: RawFd, edge: u64) -> io::Result<bool> {
    let argument = Sync { flags: READ | edge };
    loop {
        // SAFETY: the kernel reads one `struct dma_buf_sync` from the pointer during the call and
        // writes nothing.
        match unsafe { dma_buf_sync(buffer, &raw const argument) } {
            Ok(_) => return Ok(true),
            Err(Errno::ENOTTY) => return Ok(false),
            // The kernel's documentation of the call says to try again.
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::memfd::{MFdFlags, memfd_create};
    use std::os::fd::AsRawFd;

    #[test]
    fn ordinary_memory_is_told_from_a_dmabuf() {
        let memory = memfd_create("test", MFdFlags::MFD_CLOEXEC).unwrap();
        assert!(!begin_read(memory.as_raw_fd()).unwrap());
        assert!(!end_read(memory.as_raw_fd()).unwrap());
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_an_error() {
        assert_eq!(begin_read(-1).unwrap_err().raw_os_error(), Some(Errno::EBADF as i32));
    }
}
