//! Gets memory for frames, and reads it.

use crate::raw::{Layout, Shape};
use ::libcamera::camera::ActiveCamera;
use ::libcamera::framebuffer::{
    AsFrameBuffer, FrameBufferPlane, FrameMetadataStatus, OwnedFrameBuffer,
};
use ::libcamera::framebuffer_allocator::{FrameBuffer, FrameBufferAllocator};
use ::libcamera::framebuffer_map::MemoryMappedFrameBuffer;
use ::libcamera::request::Request;
use ::libcamera::stream::Stream;
use nix::sys::memfd::{MFdFlags, memfd_create};
use rccar_dmabuf_unsafe::{begin_read, end_read};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

/// Requests with a buffer each, and a word for the log on where the memory comes from.
///
/// The driver's own buffers come first. Where they need a dmabuf heap and the kernel has none (the
/// virtual camera outside of an image), ordinary shared memory is used.
pub(super) fn requests(
    camera: &mut ActiveCamera<'static>,
    stream: &Stream,
    layout: Layout,
    shape: Shape,
    count: u32,
) -> io::Result<(Vec<Request>, &'static str)> {
    let refused = match FrameBufferAllocator::new(camera).alloc(stream) {
        Ok(buffers) => return Ok((attach(camera, stream, buffers)?, "driver")),
        Err(error) => error,
    };
    tracing::debug!(%refused, "libcamera has no buffers; trying shared memory");
    let sizes = layout.plane_sizes(shape);
    let buffers: Vec<OwnedFrameBuffer> =
        (0..count).map(|_| shared_memory(&sizes)).collect::<io::Result<_>>()?;
    Ok((attach(camera, stream, buffers)?, "shared memory"))
}

fn attach<B: AsFrameBuffer + 'static>(
    camera: &mut ActiveCamera<'static>,
    stream: &Stream,
    buffers: Vec<B>,
) -> io::Result<Vec<Request>> {
    let request = |buffer| {
        let mut request = camera
            .create_request(None)
            .ok_or_else(|| io::Error::other("libcamera makes no request"))?;
        request
            .add_buffer(stream, MemoryMappedFrameBuffer::new(buffer).map_err(io::Error::other)?)?;
        Ok(request)
    };
    buffers.into_iter().map(request).collect()
}

fn shared_memory(sizes: &[usize]) -> io::Result<OwnedFrameBuffer> {
    let plane = |&size: &usize| {
        let memory = File::from(memfd_create("rccar-frame", MFdFlags::MFD_CLOEXEC)?);
        memory.set_len(size as u64)?;
        let length = u32::try_from(size).map_err(io::Error::other)?;
        Ok(FrameBufferPlane { fd: memory.into(), offset: 0, length })
    };
    let planes: Vec<FrameBufferPlane> = sizes.iter().map(plane).collect::<io::Result<_>>()?;
    let descriptors: Vec<RawFd> = planes.iter().map(|plane| plane.fd.as_raw_fd()).collect();
    let buffer = OwnedFrameBuffer::new(planes, None)?;
    // Nobody else closes these: the bindings give up ownership, and libcamera uses duplicates.
    for descriptor in descriptors {
        nix::unistd::close(descriptor)?;
    }
    Ok(buffer)
}

/// The frame of a completed request.
pub(super) struct Shot<'a> {
    /// Whether the frame is whole.
    pub(super) good: bool,
    /// The sensor's time stamp.
    pub(super) timestamp_ns: u64,
    planes: Vec<&'a [u8]>,
    descriptors: Vec<RawFd>,
}

impl<'a> Shot<'a> {
    pub(super) fn of(request: &'a Request, stream: &Stream) -> Option<Self> {
        Self::from_mapped(request.buffer::<MemoryMappedFrameBuffer<FrameBuffer>>(stream)).or_else(
            || {
                Self::from_mapped(
                    request.buffer::<MemoryMappedFrameBuffer<OwnedFrameBuffer>>(stream),
                )
            },
        )
    }

    fn from_mapped<B: AsFrameBuffer>(
        buffer: Option<&'a MemoryMappedFrameBuffer<B>>,
    ) -> Option<Self> {
        let buffer = buffer?;
        let metadata = buffer.metadata()?;
        let mut descriptors: Vec<RawFd> =
            buffer.planes().into_iter().map(|plane| plane.fd()).collect();
        // Planes often share one descriptor; each needs to be synchronised once.
        descriptors.dedup();
        Some(Self {
            good: metadata.status() == FrameMetadataStatus::Success,
            timestamp_ns: metadata.timestamp(),
            planes: buffer.data(),
            descriptors,
        })
    }

    /// Calls `reader` with the planes. The kernel makes sure that the CPU then sees what the device
    /// has written.
    pub(super) fn read<R>(&self, reader: impl FnOnce(&[&[u8]]) -> R) -> io::Result<R> {
        for &descriptor in &self.descriptors {
            begin_read(descriptor)?;
        }
        let result = reader(&self.planes);
        for &descriptor in &self.descriptors {
            end_read(descriptor)?;
        }
        Ok(result)
    }
}
