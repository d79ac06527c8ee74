//! An open device.

use crate::memory::Mapping;
use crate::sys;
use crate::{About, Done, Filled, Format, FourCc, Memory, Queue, Range, Ready};
use nix::errno::Errno;
use nix::libc::timeval;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::mem::zeroed;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// Most formats that are asked for; drivers have some twenty.
const MOST_FORMATS: u32 = 128;

/// An open device. Dropping it stops it and gives its memory back.
#[derive(Debug)]
pub struct Device {
    // Unmapped before the file is closed.
    output: Vec<Mapping>,
    capture: Vec<Mapping>,
    memory: [Memory; 2],
    file: File,
    planes: bool,
}

impl Device {
    /// # Errors
    /// If there is no such device, or this user may not open it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nix::libc::O_NONBLOCK)
            .open(path)?;
        let mut device = Self {
            output: Vec::new(),
            capture: Vec::new(),
            memory: [Memory::Mapped; 2],
            file,
            planes: false,
        };
        device.planes = capabilities(&device.capability()?) & sys::CAP_VIDEO_M2M_MPLANE != 0;
        Ok(device)
    }

    /// Takes the device for this program; false if another one that asks has it. The kernel lets
    /// several programs open it.
    ///
    /// # Errors
    /// If the kernel has no lock left.
    pub fn take(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// # Errors
    /// If it is no Video for Linux device.
    pub fn about(&self) -> io::Result<About> {
        let about = self.capability()?;
        let all = capabilities(&about);
        Ok(About {
            driver: text(&about.driver),
            card: text(&about.card),
            memory_to_memory: all & (sys::CAP_VIDEO_M2M | sys::CAP_VIDEO_M2M_MPLANE) != 0
                && all & sys::CAP_STREAMING != 0,
        })
    }

    /// The formats that a queue knows, the driver's favourite first.
    ///
    /// # Errors
    /// If the device is gone.
    pub fn formats(&self, queue: Queue) -> io::Result<Vec<FourCc>> {
        let mut found = Vec::new();
        for index in 0..MOST_FORMATS {
            // SAFETY: integers only; zeroes are legal.
            let mut description: sys::FmtDesc = unsafe { zeroed() };
            (description.index, description.kind) = (index, self.kind(queue));
            // SAFETY: the kernel reads and writes one `struct v4l2_fmtdesc`.
            match call(|fd| unsafe { sys::enum_fmt(fd, &raw mut description) }, &self.file) {
                Ok(()) => found.push(description.pixelformat.to_le_bytes()),
                Err(error) if error.raw_os_error() == Some(Errno::EINVAL as i32) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Asks for a format (BT.709, limited range); the driver answers with what it makes of it.
    ///
    /// # Errors
    /// If the queue has buffers ([`io::ErrorKind::ResourceBusy`]), or the device is gone.
    pub fn set_format(&self, queue: Queue, wanted: Format) -> io::Result<Format> {
        // SAFETY: a union of integers; zeroes are legal.
        let mut format: sys::Format = unsafe { zeroed() };
        format.kind = self.kind(queue);
        let pixels = u32::from_le_bytes(wanted.pixels);
        if self.planes {
            // SAFETY: as above.
            let mut with: sys::PixFormatMplane = unsafe { zeroed() };
            (with.width, with.height, with.pixelformat) = (wanted.width, wanted.height, pixels);
            (with.field, with.num_planes) = (sys::FIELD_NONE, 1);
            with.colorspace = sys::COLORSPACE_REC709;
            with.ycbcr_enc = byte(sys::YCBCR_ENC_709);
            with.quantization = byte(sys::QUANTIZATION_LIM_RANGE);
            with.xfer_func = byte(sys::XFER_FUNC_709);
            with.plane_fmt[0].sizeimage = wanted.size;
            with.plane_fmt[0].bytesperline = wanted.stride;
            format.fmt.pix_mp = with;
        } else {
            format.fmt.pix = sys::PixFormat {
                width: wanted.width,
                height: wanted.height,
                pixelformat: pixels,
                field: sys::FIELD_NONE,
                bytesperline: wanted.stride,
                sizeimage: wanted.size,
                colorspace: sys::COLORSPACE_REC709,
                priv_: sys::PIX_FMT_PRIV_MAGIC,
                flags: 0,
                ycbcr_enc: sys::YCBCR_ENC_709,
                quantization: sys::QUANTIZATION_LIM_RANGE,
                xfer_func: sys::XFER_FUNC_709,
            };
        }
        // SAFETY: the kernel reads and writes one `struct v4l2_format`.
        call(|fd| unsafe { sys::s_fmt(fd, &raw mut format) }, &self.file)?;
        if self.planes {
            // SAFETY: integers only, which the kernel filled in for this kind of queue.
            let given = unsafe { format.fmt.pix_mp };
            let count = given.num_planes;
            if count != 1 {
                return Err(io::Error::other(format!("pictures of {count} planes of memory")));
            }
            Ok(Format {
                pixels: given.pixelformat.to_le_bytes(),
                width: given.width,
                height: given.height,
                stride: given.plane_fmt[0].bytesperline,
                size: given.plane_fmt[0].sizeimage,
            })
        } else {
            // SAFETY: as above.
            let given = unsafe { format.fmt.pix };
            Ok(Format {
                pixels: given.pixelformat.to_le_bytes(),
                width: given.width,
                height: given.height,
                stride: given.bytesperline,
                size: given.sizeimage,
            })
        }
    }

    /// Uses only the upper left part of the pictures, so many pixels, of [`Queue::Output`]. Returns
    /// width and height that the driver makes of it.
    ///
    /// # Errors
    /// If the device cannot do it.
    pub fn crop(&self, width: u32, height: u32) -> io::Result<(u32, u32)> {
        // SAFETY: integers only; zeroes are legal.
        let mut part: sys::Selection = unsafe { zeroed() };
        // This call takes the kinds without `_MPLANE` for devices of both interfaces.
        (part.kind, part.target) = (sys::BUF_TYPE_VIDEO_OUTPUT, sys::SEL_TGT_CROP);
        (part.width, part.height) = (width, height);
        // SAFETY: the kernel reads and writes one `struct v4l2_selection`.
        call(|fd| unsafe { sys::s_selection(fd, &raw mut part) }, &self.file)?;
        Ok((part.width, part.height))
    }

    /// Says how many pictures a second will come.
    ///
    /// # Errors
    /// If the device does not want to know it.
    pub fn set_rate(&self, fps: u32) -> io::Result<()> {
        // SAFETY: integers only; zeroes are legal.
        let mut rate: sys::StreamParm = unsafe { zeroed() };
        rate.kind = self.kind(Queue::Output);
        (rate.numerator, rate.denominator) = (1, fps);
        // SAFETY: the kernel reads and writes one `struct v4l2_streamparm`.
        call(|fd| unsafe { sys::s_parm(fd, &raw mut rate) }, &self.file)
    }

    /// What a control takes, `None` if the device does not have it.
    ///
    /// # Errors
    /// If the device is gone.
    pub fn control(&self, id: u32) -> io::Result<Option<Range>> {
        // SAFETY: integers only; zeroes are legal.
        let mut control: sys::QueryCtrl = unsafe { zeroed() };
        control.id = id;
        // SAFETY: the kernel reads and writes one `struct v4l2_queryctrl`.
        match call(|fd| unsafe { sys::queryctrl(fd, &raw mut control) }, &self.file) {
            Ok(()) if control.flags & sys::CTRL_FLAG_DISABLED != 0 => Ok(None),
            Ok(()) => Ok(Some(Range {
                least: control.minimum,
                most: control.maximum,
                step: control.step.max(1),
            })),
            Err(error) if is_one_of(&error, &[Errno::EINVAL, Errno::ENOTTY]) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// # Errors
    /// If the device does not have the control or does not take the value.
    pub fn set_control(&self, id: u32, value: i32) -> io::Result<()> {
        let mut control = sys::Control { id, value };
        // SAFETY: the kernel reads and writes one `struct v4l2_control`.
        call(|fd| unsafe { sys::s_ctrl(fd, &raw mut control) }, &self.file)
    }

    /// Makes a queue's buffers, and maps them if the memory is the driver's. Returns how many there
    /// are; the driver may make more or fewer.
    ///
    /// # Errors
    /// If the queue streams, or there is no memory.
    pub fn make_buffers(&mut self, queue: Queue, memory: Memory, count: u32) -> io::Result<u32> {
        let mut request = sys::RequestBuffers {
            count,
            kind: self.kind(queue),
            memory: number(memory),
            capabilities: 0,
            flags: 0,
            reserved: [0; 3],
        };
        // The kernel refuses to give memory back that is still mapped.
        self.mappings(queue).clear();
        // SAFETY: the kernel reads and writes one `struct v4l2_requestbuffers`.
        call(|fd| unsafe { sys::reqbufs(fd, &raw mut request) }, &self.file)?;
        self.memory[usize::from(queue == Queue::Capture)] = memory;
        if memory == Memory::Mapped {
            for index in 0..request.count {
                let mapping = self.map(queue, index)?;
                self.mappings(queue).push(mapping);
            }
        }
        Ok(request.count)
    }

    /// The memory of a buffer of [`Memory::Mapped`]; `None` while the device has it, and if there
    /// is none of this number.
    pub fn memory(&mut self, queue: Queue, index: u32) -> Option<&mut [u8]> {
        self.mappings(queue).get_mut(usize::try_from(index).ok()?)?.bytes()
    }

    /// Lends a buffer to the device.
    ///
    /// # Errors
    /// If it has the buffer already, or does not take it.
    pub fn queue(&mut self, queue: Queue, filled: &Filled) -> io::Result<()> {
        let (mut buffer, mut plane) = self.buffer(queue, filled.index);
        buffer.field = sys::FIELD_NONE;
        buffer.timestamp = to_timeval(filled.timestamp_us);
        if let Some((fd, size)) = filled.dmabuf {
            if self.planes {
                (plane.m.fd, plane.length) = (fd, size);
            } else {
                (buffer.m.fd, buffer.length) = (fd, size);
            }
        }
        plane.bytesused = filled.used;
        buffer.bytesused = filled.used;
        self.exchange(&mut buffer, &mut plane, sys::qbuf)?;
        self.set_queued(queue, filled.index, true);
        Ok(())
    }

    /// Takes a buffer back, `None` if none is done yet.
    ///
    /// # Errors
    /// If the queue does not stream, or the device is gone.
    pub fn dequeue(&mut self, queue: Queue) -> io::Result<Option<Done>> {
        let (mut buffer, mut plane) = self.buffer(queue, 0);
        match self.exchange(&mut buffer, &mut plane, sys::dqbuf) {
            Ok(()) => {}
            Err(error) if is_one_of(&error, &[Errno::EAGAIN]) => return Ok(None),
            Err(error) => return Err(error),
        }
        self.set_queued(queue, buffer.index, false);
        let (used, offset) =
            if self.planes { (plane.bytesused, plane.data_offset) } else { (buffer.bytesused, 0) };
        Ok(Some(Done {
            index: buffer.index,
            used: used.saturating_sub(offset),
            offset,
            timestamp_us: to_micros(buffer.timestamp),
            keyframe: buffer.flags & sys::BUF_FLAG_KEYFRAME != 0,
            damaged: buffer.flags & sys::BUF_FLAG_ERROR != 0,
        }))
    }

    /// Starts or stops a queue. A queue that stops gives all its buffers back.
    ///
    /// # Errors
    /// If the device does not start.
    pub fn stream(&mut self, queue: Queue, on: bool) -> io::Result<()> {
        let kind = i32::try_from(self.kind(queue)).map_err(io::Error::other)?;
        let start = if on { sys::streamon } else { sys::streamoff };
        // SAFETY: the kernel reads one `int`.
        call(|fd| unsafe { start(fd, &raw const kind) }, &self.file)?;
        if !on {
            self.mappings(queue).iter_mut().for_each(|mapping| mapping.queued = false);
        }
        Ok(())
    }

    /// Waits until a queue has given a buffer back, or `limit` has passed.
    ///
    /// # Errors
    /// If the kernel cannot wait.
    pub fn wait(&self, limit: Duration) -> io::Result<Ready> {
        // Up to a whole millisecond, so that the rest of one is not spent in a loop.
        let millis = limit.as_nanos().div_ceil(1_000_000);
        let limit = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        let flags = PollFlags::POLLIN | PollFlags::POLLOUT;
        let mut waiting = [PollFd::new(self.file.as_fd(), flags)];
        match poll(&mut waiting, limit) {
            // The caller looks at the time and waits again.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let seen = waiting[0].revents().unwrap_or(PollFlags::empty());
        Ok(Ready {
            output: seen.contains(PollFlags::POLLOUT),
            capture: seen.contains(PollFlags::POLLIN),
            failed: seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL),
        })
    }

    fn capability(&self) -> io::Result<sys::Capability> {
        // SAFETY: integers only; zeroes are legal.
        let mut about: sys::Capability = unsafe { zeroed() };
        // SAFETY: the kernel writes one `struct v4l2_capability`.
        call(|fd| unsafe { sys::querycap(fd, &raw mut about) }, &self.file)?;
        Ok(about)
    }

    fn map(&self, queue: Queue, index: u32) -> io::Result<Mapping> {
        let (mut buffer, mut plane) = self.buffer(queue, index);
        self.exchange(&mut buffer, &mut plane, sys::querybuf)?;
        let (offset, length) = if self.planes {
            // SAFETY: the kernel has filled in this member, because the memory is mapped.
            (unsafe { plane.m.mem_offset }, plane.length)
        } else {
            // SAFETY: as above.
            (unsafe { buffer.m.offset }, buffer.length)
        };
        Mapping::new(&self.file, offset, length)
    }

    /// A buffer, and its plane. [`Self::exchange`] joins them.
    fn buffer(&self, queue: Queue, index: u32) -> (sys::Buffer, sys::Plane) {
        // SAFETY: integers, and a pointer that may be null.
        let (mut buffer, plane): (sys::Buffer, sys::Plane) = unsafe { (zeroed(), zeroed()) };
        (buffer.index, buffer.kind) = (index, self.kind(queue));
        buffer.memory = number(self.memory[usize::from(queue == Queue::Capture)]);
        (buffer, plane)
    }

    fn exchange(
        &self,
        buffer: &mut sys::Buffer,
        plane: &mut sys::Plane,
        ioctl: unsafe fn(i32, *mut sys::Buffer) -> nix::Result<i32>,
    ) -> io::Result<()> {
        if self.planes {
            (buffer.m.planes, buffer.length) = (plane, 1);
        }
        // SAFETY: the kernel reads and writes one `struct v4l2_buffer`, and through it as many
        // planes as `length` says: one, which outlives the call.
        let result = call(|fd| unsafe { ioctl(fd, buffer) }, &self.file);
        if self.planes {
            buffer.m.raw = 0;
        }
        result
    }

    fn set_queued(&mut self, queue: Queue, index: u32, queued: bool) {
        let mapping = usize::try_from(index).ok().and_then(|at| self.mappings(queue).get_mut(at));
        if let Some(mapping) = mapping {
            mapping.queued = queued;
        }
    }

    fn mappings(&mut self, queue: Queue) -> &mut Vec<Mapping> {
        match queue {
            Queue::Output => &mut self.output,
            Queue::Capture => &mut self.capture,
        }
    }

    fn kind(&self, queue: Queue) -> u32 {
        match (queue, self.planes) {
            (Queue::Output, true) => sys::BUF_TYPE_VIDEO_OUTPUT_MPLANE,
            (Queue::Output, false) => sys::BUF_TYPE_VIDEO_OUTPUT,
            (Queue::Capture, true) => sys::BUF_TYPE_VIDEO_CAPTURE_MPLANE,
            (Queue::Capture, false) => sys::BUF_TYPE_VIDEO_CAPTURE,
        }
    }
}

/// A call, again if a signal came in between.
fn call(mut ioctl: impl FnMut(i32) -> nix::Result<i32>, file: &File) -> io::Result<()> {
    loop {
        match ioctl(file.as_raw_fd()) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Of this node, where a device has several.
fn capabilities(about: &sys::Capability) -> u32 {
    let of_node = about.capabilities & sys::CAP_DEVICE_CAPS != 0;
    if of_node { about.device_caps } else { about.capabilities }
}

fn number(memory: Memory) -> u32 {
    match memory {
        Memory::Mapped => sys::MEMORY_MMAP,
        Memory::Dmabuf => sys::MEMORY_DMABUF,
    }
}

fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned()
}

fn is_one_of(error: &io::Error, numbers: &[Errno]) -> bool {
    numbers.iter().any(|&number| error.raw_os_error() == Some(number as i32))
}

fn to_timeval(micros: u64) -> timeval {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    // Both fit for the next 68 years of uptime, even where the fields have 32 bits.
    timeval {
        tv_sec: seconds.try_into().unwrap_or_default(),
        tv_usec: rest.try_into().unwrap_or_default(),
    }
}

fn to_micros(time: timeval) -> u64 {
    let (seconds, micros) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_usec));
    seconds.unwrap_or_default().saturating_mul(1_000_000).saturating_add(micros.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_device_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Device::open(file.path()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::ENOTTY as i32));
        assert!(Device::open("/nowhere/video0".as_ref()).is_err());
    }

    #[test]
    fn a_time_comes_back_as_it_was_sent() {
        for micros in [0, 1, 999_999, 1_000_000, 1_700_000_000_123_456] {
            assert_eq!(to_micros(to_timeval(micros)), micros);
        }
        assert_eq!(to_micros(timeval { tv_sec: -1, tv_usec: -5 }), 0);
    }
}
