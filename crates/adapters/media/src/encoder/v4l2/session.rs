//! A device that is open and streams.
//!
//! ```text
//!   open: formats, rate, crop ─► controls ─► buffers ─► all of CAPTURE queued ─► both stream
//!   frame: [keyframe] ─► OUTPUT queued ─► both queues emptied, in any order, until
//!            the access unit with its time stamp is there ─► Some
//!            the time is up                               ─► None; ten in a row: failed
//!            no memory for a frame comes back             ─► hangs
//! ```

use super::device::Device;
use super::settings::{self, Coding, Settings};
use super::{I420, NV12, Trouble, failed};
use crate::clock;
use crate::encoder::{Encoded, h264};
use crate::frame::{I420Frame, VideoFormat};
use rccar_causes::causes;
use rccar_v4l2_unsafe::{Done, Filled, Format, Memory, Queue};
use std::time::{Duration, Instant};

/// One is with the device, one is being filled.
const OUTPUT_BUFFERS: u32 = 2;
/// More than one, so that an access unit that nobody waits for any more does not block the next.
const CAPTURE_BUFFERS: u32 = 3;
/// Room for an access unit: that of rpicam-apps. A keyframe of 1280×720 has 40 kB.
const LEAST_ROOM: u32 = 512 * 1024;
/// The first frame also starts the firmware.
const FIRST: Duration = Duration::from_millis(500);
/// An access unit comes within two frames; at low rates a picture would be too old long before.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(400));
/// Frames in a row without an access unit after which the device is opened again.
pub(super) const MOST_SILENT: u32 = 10;

pub(super) struct Session {
    device: Box<dyn Device>,
    settings: Settings,
    /// What the device takes.
    takes: Format,
    /// OUTPUT buffers that are not with the device.
    free: Vec<u32>,
    last_stamp: u64,
    /// A frame had no access unit, or one too late: the next must be a keyframe.
    owes_keyframe: bool,
    started: bool,
    silent: u32,
    /// Access units in a row that were no keyframes although they had to be.
    refused: u32,
    /// The parameter sets of the last keyframe that had some.
    head: Vec<u8>,
}

impl Session {
    /// Sets the device up. `takes_i420`: else it takes NV12.
    pub(super) fn open(
        mut device: Box<dyn Device>,
        settings: Settings,
        takes_i420: bool,
    ) -> Result<Self, Trouble> {
        if !device.take().map_err(failed("taking it"))? {
            return Err(Trouble::Busy);
        }
        let takes = formats(device.as_mut(), &settings, takes_i420)?;
        settings::prepare(device.as_mut(), &settings)?;
        let output = device
            .make_buffers(Queue::Output, Memory::Mapped, OUTPUT_BUFFERS)
            .map_err(failed("its memory for frames"))?;
        let capture = device
            .make_buffers(Queue::Capture, Memory::Mapped, CAPTURE_BUFFERS)
            .map_err(failed("its memory for access units"))?;
        if output == 0 || capture == 0 {
            return Err(Trouble::Unfit("it has no memory".to_owned()));
        }
        for index in 0..output {
            let bytes = device.memory(Queue::Output, index).map_or(0, |memory| memory.len());
            let needed = planes(&takes, settings.format).needed;
            if bytes < needed {
                let why = format!("its frames have {bytes} bytes; {needed} are needed");
                return Err(Trouble::Unfit(why));
            }
        }
        for index in 0..capture {
            device.queue(Queue::Capture, &empty(index)).map_err(failed("lending it memory"))?;
        }
        for queue in [Queue::Output, Queue::Capture] {
            device.stream(queue, true).map_err(failed("starting it"))?;
        }
        Ok(Self {
            device,
            settings,
            takes,
            free: (0..output).collect(),
            last_stamp: 0,
            owes_keyframe: false,
            started: false,
            silent: 0,
            refused: 0,
            head: Vec::new(),
        })
    }

    /// Encodes a frame; `None` if the device has left it out.
    pub(super) fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, Trouble> {
        let deadline = Instant::now() + self.patience();
        // What came after its time.
        self.collect(None)?;
        let index = self.free_buffer(deadline)?;
        self.owes_keyframe |= force_keyframe;
        // The first is one by itself.
        if self.owes_keyframe && self.started {
            settings::force_keyframe(self.device.as_mut())?;
        }
        let stamp = self.queue(index, frame)?;
        loop {
            if let Some(encoded) = self.collect(Some(stamp))? {
                return self.check(encoded);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.miss();
            }
            self.wait(left)?;
        }
    }

    /// Returns what the device makes of it.
    pub(super) fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, Trouble> {
        settings::bitrate(self.device.as_mut(), bitrate_kbps)
    }

    fn patience(&self) -> Duration {
        if !self.started {
            return FIRST;
        }
        let interval = Duration::from_secs(1) / self.settings.format.fps().max(1);
        (interval * 2).clamp(PATIENCE.0, PATIENCE.1)
    }

    /// A buffer for a frame. While the device works, one of two is free.
    fn free_buffer(&mut self, deadline: Instant) -> Result<u32, Trouble> {
        loop {
            if let Some(index) = self.free.pop() {
                return Ok(index);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Trouble::Hangs);
            }
            self.wait(left)?;
            self.collect(None)?;
        }
    }

    /// Gives the frame to the device and returns its time stamp.
    fn queue(&mut self, index: u32, frame: &I420Frame) -> Result<u64, Trouble> {
        let planes = planes(&self.takes, self.settings.format);
        let memory = self.device.memory(Queue::Output, index);
        let memory = memory.filter(|memory| memory.len() >= planes.needed);
        let memory =
            memory.ok_or_else(|| Trouble::Failed("its memory for a frame is lost".to_owned()))?;
        planes.write(frame, memory);
        let used = self.takes.size.min(u32::try_from(memory.len()).unwrap_or(u32::MAX));
        let stamp = clock::now().0.max(self.last_stamp + 1);
        self.last_stamp = stamp;
        let filled = Filled { index, used, timestamp_us: stamp, dmabuf: None };
        self.device.queue(Queue::Output, &filled).map_err(failed("giving it a frame"))?;
        Ok(stamp)
    }

    /// Empties both queues, each for itself. Returns the access unit with this time stamp.
    fn collect(&mut self, wanted: Option<u64>) -> Result<Option<Encoded>, Trouble> {
        while let Some(done) = self.dequeue(Queue::Output)? {
            self.free.push(done.index);
        }
        let mut found = None;
        while let Some(done) = self.dequeue(Queue::Capture)? {
            let whole = !done.damaged && done.used > 0;
            if whole && Some(done.timestamp_us) == wanted && found.is_none() {
                found = Some(self.read(&done)?);
            } else {
                tracing::debug!(?done, "an access unit is thrown away");
                // The next may refer to it.
                self.owes_keyframe = true;
            }
            let again = self.device.queue(Queue::Capture, &empty(done.index));
            again.map_err(failed("lending it memory"))?;
        }
        Ok(found)
    }

    fn dequeue(&mut self, queue: Queue) -> Result<Option<Done>, Trouble> {
        self.device.dequeue(queue).map_err(failed("taking memory back"))
    }

    fn read(&mut self, done: &Done) -> Result<Encoded, Trouble> {
        let place = |memory: &mut [u8]| -> Option<Vec<u8>> {
            let start = usize::try_from(done.offset).ok()?;
            let end = start.checked_add(usize::try_from(done.used).ok()?)?;
            memory.get(start..end).map(<[u8]>::to_vec)
        };
        let data = self.device.memory(Queue::Capture, done.index).and_then(place);
        let data = data.ok_or_else(|| {
            Trouble::Failed(format!("it names {} bytes that are not there", done.used))
        })?;
        let keyframe = match self.settings.coding {
            Coding::H264(_) => h264::is_keyframe(&data),
            Coding::Other(_) => done.keyframe,
        };
        Ok(Encoded { data, keyframe })
    }

    /// Waits for a buffer of either queue.
    fn wait(&mut self, limit: Duration) -> Result<(), Trouble> {
        let ready = self.device.wait(limit).map_err(failed("waiting for it"))?;
        if ready.failed && !ready.output && !ready.capture {
            // One that was unplugged says so here.
            self.dequeue(Queue::Capture)?;
            return Err(Trouble::Failed("it reports an error".to_owned()));
        }
        Ok(())
    }

    /// Looks at an access unit before it is handed out.
    fn check(&mut self, mut encoded: Encoded) -> Result<Option<Encoded>, Trouble> {
        if encoded.keyframe {
            if let Coding::H264(offered) = self.settings.coding {
                match h264::profile(&encoded.data) {
                    Some(profile) if !offered.covers(profile) => {
                        let [profile, constraints, level] = profile;
                        return Err(Trouble::Unfit(format!(
                            "its stream is {profile:02x}{constraints:02x}{level:02x}; {} was \
                             offered",
                            offered.profile_level_id()
                        )));
                    }
                    Some(_) => self.head = h264::head(&encoded.data).to_vec(),
                    None if self.head.is_empty() => {
                        let why = "its keyframes have no parameter sets";
                        return Err(Trouble::Unfit(why.to_owned()));
                    }
                    None => encoded.data = [self.head.as_slice(), &encoded.data].concat(),
                }
            }
            (self.owes_keyframe, self.refused) = (false, 0);
        } else if self.owes_keyframe || !self.started {
            self.refused += 1;
            if self.refused >= MOST_SILENT {
                return Err(Trouble::Failed("it makes no keyframe".to_owned()));
            }
            self.owes_keyframe = true;
            if !self.started {
                // Nobody can begin with it.
                return Ok(None);
            }
        }
        (self.started, self.silent) = (true, 0);
        Ok(Some(encoded))
    }

    /// The time of a frame is up.
    fn miss(&mut self) -> Result<Option<Encoded>, Trouble> {
        self.silent += 1;
        if self.silent >= MOST_SILENT {
            return Err(Trouble::Failed(format!("it left {MOST_SILENT} frames in a row out")));
        }
        Ok(None)
    }
}

/// Agrees on the formats of both queues, rate and part of the picture.
fn formats(
    device: &mut dyn Device,
    settings: &Settings,
    takes_i420: bool,
) -> Result<Format, Trouble> {
    let (width, height) = (settings.format.width(), settings.format.height());
    // The kernel's documentation wants the coded side first: it may change the other one.
    let room = (width * height).max(LEAST_ROOM);
    let coded = Format { pixels: settings.coding.four_cc(), width, height, stride: 0, size: room };
    let gives = device.set_format(Queue::Capture, coded).map_err(failed("its coding"))?;
    if gives.pixels != coded.pixels {
        return Err(Trouble::Unfit("it gives another coding".to_owned()));
    }
    let raw = Format { pixels: if takes_i420 { I420 } else { NV12 }, size: 0, ..coded };
    let takes = device.set_format(Queue::Output, raw).map_err(failed("its size of frames"))?;
    if takes.pixels != raw.pixels || takes.width < width || takes.height < height {
        return Err(Trouble::Unfit(format!(
            "it takes {}×{} pixels at most; {width}×{height} are needed",
            takes.width, takes.height
        )));
    }
    if takes.stride < width {
        return Err(Trouble::Unfit(format!("its rows have {} bytes for {width}", takes.stride)));
    }
    // A rate that the device does not want to know is guessed by it.
    if let Err(error) = device.set_rate(settings.format.fps()) {
        tracing::debug!(error = %causes(&error), "the encoder takes no frame rate");
    }
    if (takes.width, takes.height) != (width, height) {
        let part = device.crop(width, height).map_err(failed("the part of its frames"))?;
        if part != (width, height) {
            return Err(Trouble::Unfit(format!(
                "it makes {}×{} of {width}×{height} pixels",
                part.0, part.1
            )));
        }
    }
    Ok(takes)
}

/// Where a frame goes in a buffer of the device.
struct Planes {
    stride: usize,
    /// Rows of luma that the device sees, padding included.
    rows: usize,
    interleaved: bool,
    needed: usize,
}

fn planes(takes: &Format, format: VideoFormat) -> Planes {
    let (stride, rows) = (takes.stride as usize, takes.height as usize);
    let interleaved = takes.pixels == NV12;
    let chroma = if interleaved { stride * (rows / 2) } else { (stride / 2) * (rows / 2) * 2 };
    debug_assert!(stride >= format.width() as usize);
    Planes { stride, rows, interleaved, needed: stride * rows + chroma }
}

impl Planes {
    fn write(&self, frame: &I420Frame, memory: &mut [u8]) {
        let width = frame.width();
        copy_rows(frame.y(), width, memory, self.stride);
        let chroma = &mut memory[self.stride * self.rows..];
        if self.interleaved {
            let rows = frame.u().chunks_exact(width / 2).zip(frame.v().chunks_exact(width / 2));
            for ((u, v), row) in rows.zip(chroma.chunks_mut(self.stride)) {
                for ((u, v), pair) in u.iter().zip(v).zip(row.chunks_exact_mut(2)) {
                    pair.copy_from_slice(&[*u, *v]);
                }
            }
        } else {
            let stride = self.stride / 2;
            let (u, v) = chroma.split_at_mut(stride * (self.rows / 2));
            copy_rows(frame.u(), width / 2, u, stride);
            copy_rows(frame.v(), width / 2, v, stride);
        }
    }
}

fn copy_rows(from: &[u8], width: usize, to: &mut [u8], stride: usize) {
    for (from, to) in from.chunks_exact(width).zip(to.chunks_mut(stride)) {
        to[..width].copy_from_slice(from);
    }
}

fn empty(index: u32) -> Filled {
    Filled { index, used: 0, timestamp_us: 0, dmabuf: None }
}
