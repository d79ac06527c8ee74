//! A device for tests. It keeps the kernel's rules (what may be called when, who has which memory),
//! and its firmware is OpenH264, so that its stream is a real one. What it does wrong is scripted.

use super::device::{Device, Kernel};
use crate::encoder::Encoder;
use crate::encoder::openh264::OpenH264;
use crate::frame::{I420Frame, PlanesMut, VideoFormat};
use nix::errno::Errno;
use rccar_v4l2_unsafe::{About, Done, Filled, Format, FourCc, Memory, Queue, Range, Ready};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) const FORCE_KEY_FRAME: u32 = 0x0099_09E5;
pub(crate) const BITRATE: u32 = 0x0099_09CF;
pub(crate) const LEVEL: u32 = 0x0099_0A67;
pub(crate) const PROFILE: u32 = 0x0099_0A6B;

/// `level_idc` of the items from `V4L2_MPEG_VIDEO_H264_LEVEL_1_0` to `_5_1`.
const LEVELS: [u8; 16] = [10, 11, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51];

/// What the firmware does with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Encode,
    /// The access unit first, the frame's memory with the next frame.
    KeepInput,
    /// The frame's memory comes back, and nothing else.
    Drop,
    /// As `Drop`, and the access unit comes after that of the next frame.
    Late,
    /// Nothing comes back.
    Swallow,
    /// The access unit is marked as damaged.
    Damage,
    /// The call that gives the frame does not return for two seconds.
    Block,
    /// The device is unplugged.
    Unplug,
    /// The keyframe that was asked for does not come.
    IgnoreKeyframe,
    /// A keyframe has no parameter sets.
    Bare,
}

/// How the device is made.
#[derive(Debug, Clone)]
pub(crate) struct Build {
    pub(crate) driver: &'static str,
    pub(crate) takes: Vec<FourCc>,
    pub(crate) gives: Vec<FourCc>,
    /// Bytes of a row are a multiple of this.
    pub(crate) align: u32,
    /// Rows are a multiple of this.
    pub(crate) align_rows: u32,
    /// Fewer bytes in a buffer than the driver says.
    pub(crate) short: usize,
    pub(crate) without: Vec<u32>,
    /// `level_idc` of the stream, whatever was asked for.
    pub(crate) level_idc: Option<u8>,
    pub(crate) cannot_crop: bool,
}

impl Default for Build {
    fn default() -> Self {
        Self {
            driver: "bcm2835-codec",
            takes: vec![*b"YU12", *b"NV12"],
            gives: vec![*b"H264"],
            align: 64,
            align_rows: 1,
            short: 0,
            without: vec![],
            level_idc: None,
            cannot_crop: false,
        }
    }
}

/// A machine with one encoder at `/dev/video11`, behind a camera.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    build: Option<Build>,
    script: VecDeque<Act>,
    /// What to do once the script has ended.
    always: Option<Act>,
    calls: Vec<String>,
    taken: bool,
    /// Another program has it.
    busy: bool,
    gone: bool,
    opened: u32,
    closed: u32,
}

impl Machine {
    pub(crate) fn with(build: Build) -> Self {
        let machine = Self::default();
        machine.lock().build = Some(build);
        machine
    }

    pub(crate) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.lock().script.extend(acts);
    }

    pub(crate) fn always(&self, act: Act) {
        self.lock().always = Some(act);
    }

    pub(crate) fn set_busy(&self) {
        self.lock().busy = true;
    }

    pub(crate) fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// How often it was opened to encode (not only to be looked at), and closed.
    pub(crate) fn opened(&self) -> (u32, u32) {
        let state = self.lock();
        (state.opened, state.closed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kernel for Machine {
    fn nodes(&self) -> Vec<PathBuf> {
        vec!["/dev/video0".into(), "/dev/video11".into()]
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Device>> {
        let state = self.lock();
        let camera = path == Path::new("/dev/video0");
        match &state.build {
            _ if camera => {}
            Some(_) if !state.gone => {}
            _ => return Err(Errno::ENODEV.into()),
        }
        let build = state.build.clone().unwrap_or_default();
        Ok(Box::new(Mock {
            machine: self.clone(),
            build,
            camera,
            took: false,
            controls: BTreeMap::new(),
            formats: BTreeMap::new(),
            visible: (0, 0),
            buffers: BTreeMap::new(),
            streaming: vec![],
            done: BTreeMap::new(),
            waiting: VecDeque::new(),
            kept: vec![],
            late: vec![],
            keyframe: false,
            firmware: None,
        }))
    }
}

struct Mock {
    machine: Machine,
    build: Build,
    camera: bool,
    took: bool,
    controls: BTreeMap<u32, i32>,
    formats: BTreeMap<Queue, Format>,
    visible: (u32, u32),
    /// Memory, and whether the device has it.
    buffers: BTreeMap<Queue, Vec<(Vec<u8>, bool)>>,
    streaming: Vec<Queue>,
    done: BTreeMap<Queue, VecDeque<Done>>,
    /// CAPTURE buffers that the device may fill.
    waiting: VecDeque<u32>,
    kept: Vec<Done>,
    late: Vec<(u64, Vec<u8>, bool)>,
    keyframe: bool,
    firmware: Option<OpenH264>,
}

impl Mock {
    fn call(&self, what: String) -> io::Result<()> {
        let mut state = self.machine.lock();
        state.calls.push(what);
        if state.gone { Err(Errno::ENODEV.into()) } else { Ok(()) }
    }

    fn format(&self) -> VideoFormat {
        VideoFormat::new(self.visible.0, self.visible.1, 30).unwrap()
    }

    /// Reads the frame as the firmware does: rows with padding, planes behind each other.
    fn frame(&self, index: u32) -> I420Frame {
        let takes = self.formats[&Queue::Output];
        let memory = &self.buffers[&Queue::Output][index as usize].0;
        let (stride, rows) = (takes.stride as usize, takes.height as usize);
        let mut frame = I420Frame::new(self.format());
        let (width, height) = (frame.width(), frame.height());
        let PlanesMut { y, u, v } = frame.planes_mut();
        for row in 0..height {
            let from = &memory[row * stride..][..width];
            y[row * width..][..width].copy_from_slice(from);
        }
        let chroma = &memory[stride * rows..];
        for row in 0..height / 2 {
            for at in 0..width / 2 {
                let (to, half) = (row * (width / 2) + at, stride / 2);
                let (blue, red) = if takes.pixels == *b"NV12" {
                    (row * stride + at * 2, row * stride + at * 2 + 1)
                } else {
                    (row * half + at, (rows / 2 + row) * half + at)
                };
                (u[to], v[to]) = (chroma[blue], chroma[red]);
            }
        }
        frame
    }

    fn encode(&mut self, index: u32, act: Act) -> (Vec<u8>, bool) {
        let frame = self.frame(index);
        let kbps = u32::try_from(self.controls[&BITRATE] / 1000).unwrap();
        let format = self.format();
        let firmware = self.firmware.get_or_insert_with(|| OpenH264::new(format, kbps).unwrap());
        let force = std::mem::take(&mut self.keyframe) && act != Act::IgnoreKeyframe;
        let encoded = firmware.encode(&frame, force).unwrap().unwrap();
        let mut data = encoded.data;
        if encoded.keyframe {
            // The byte after the start code, the header, profile and flags.
            let asked = LEVELS[usize::try_from(self.controls[&LEVEL]).unwrap()];
            data[7] = self.build.level_idc.unwrap_or(asked);
        }
        if act == Act::Bare && encoded.keyframe {
            let head = crate::encoder::h264::head(&data).len();
            data.drain(..head);
        }
        (data, encoded.keyframe)
    }

    fn deliver(&mut self, stamp: u64, data: &[u8], keyframe: bool, damaged: bool) {
        // A device without room for what it makes waits; the tests never get there.
        let index = self.waiting.pop_front().unwrap();
        let (memory, queued) = &mut self.buffers.get_mut(&Queue::Capture).unwrap()[index as usize];
        assert!(*queued);
        memory[..data.len()].copy_from_slice(data);
        let used = u32::try_from(data.len()).unwrap();
        let done = Done { index, used, offset: 0, timestamp_us: stamp, keyframe, damaged };
        self.done.entry(Queue::Capture).or_default().push_back(done);
    }

    fn give_back(&mut self, done: Done) {
        self.done.entry(Queue::Output).or_default().push_back(done);
    }

    fn run(&mut self, filled: &Filled) {
        let act = {
            let mut state = self.machine.lock();
            let next = state.script.pop_front();
            next.or(state.always).unwrap_or(Act::Encode)
        };
        let stamp = filled.timestamp_us;
        let input = Done {
            index: filled.index,
            used: 0,
            offset: 0,
            timestamp_us: stamp,
            keyframe: false,
            damaged: false,
        };
        for done in std::mem::take(&mut self.kept) {
            self.give_back(done);
        }
        let late = std::mem::take(&mut self.late);
        match act {
            Act::Swallow => return,
            Act::Block => std::thread::sleep(Duration::from_secs(2)),
            Act::Unplug => return self.machine.lock().gone = true,
            Act::Drop => {}
            _ => {
                let (data, keyframe) = self.encode(filled.index, act);
                match act {
                    Act::Late => self.late.push((stamp, data, keyframe)),
                    _ => self.deliver(stamp, &data, keyframe, act == Act::Damage),
                }
            }
        }
        for (stamp, data, keyframe) in late {
            self.deliver(stamp, &data, keyframe, false);
        }
        if act == Act::KeepInput { self.kept.push(input) } else { self.give_back(input) }
    }
}

impl Device for Mock {
    fn take(&mut self) -> io::Result<bool> {
        self.call("take".to_owned())?;
        let mut state = self.machine.lock();
        if state.busy || state.taken {
            return Ok(false);
        }
        (state.taken, self.took) = (true, true);
        state.opened += 1;
        Ok(true)
    }

    fn about(&mut self) -> io::Result<About> {
        let driver = if self.camera { "uvcvideo" } else { self.build.driver };
        Ok(About {
            driver: driver.to_owned(),
            card: "a test".to_owned(),
            memory_to_memory: !self.camera,
        })
    }

    fn formats(&mut self, queue: Queue) -> io::Result<Vec<FourCc>> {
        Ok(match queue {
            Queue::Output => self.build.takes.clone(),
            Queue::Capture => self.build.gives.clone(),
        })
    }

    fn set_format(&mut self, queue: Queue, wanted: Format) -> io::Result<Format> {
        self.call(format!("format {queue:?}"))?;
        if self.buffers.contains_key(&queue) {
            return Err(Errno::EBUSY.into());
        }
        let mut given = wanted;
        if queue == Queue::Output {
            given.height = wanted.height.next_multiple_of(self.build.align_rows);
            given.stride = wanted.width.next_multiple_of(self.build.align);
            let chroma = (given.stride / 2) * (given.height / 2) * 2;
            let chroma =
                if given.pixels == *b"NV12" { given.stride * (given.height / 2) } else { chroma };
            given.size = given.stride * given.height + chroma;
            self.visible = (given.width, given.height);
        }
        self.formats.insert(queue, given);
        Ok(given)
    }

    fn crop(&mut self, width: u32, height: u32) -> io::Result<(u32, u32)> {
        self.call("crop".to_owned())?;
        if self.build.cannot_crop {
            return Err(Errno::ENOTTY.into());
        }
        self.visible = (width, height);
        Ok(self.visible)
    }

    fn set_rate(&mut self, fps: u32) -> io::Result<()> {
        self.call(format!("rate {fps}"))
    }

    fn control(&mut self, id: u32) -> io::Result<Option<Range>> {
        let range = match id {
            BITRATE => Range { least: 25_000, most: 25_000_000, step: 25_000 },
            FORCE_KEY_FRAME => Range { least: 0, most: 0, step: 1 },
            LEVEL => Range { least: 0, most: 15, step: 1 },
            _ => Range { least: 0, most: i32::MAX, step: 1 },
        };
        Ok((!self.build.without.contains(&id)).then_some(range))
    }

    fn set_control(&mut self, id: u32, value: i32) -> io::Result<()> {
        self.call(format!("control {id:#x} = {value}"))?;
        self.controls.insert(id, value);
        if id == FORCE_KEY_FRAME {
            self.keyframe = true;
        }
        if let (BITRATE, Some(firmware)) = (id, &mut self.firmware) {
            firmware.set_bitrate(u32::try_from(value / 1000).unwrap()).unwrap();
        }
        Ok(())
    }

    fn make_buffers(&mut self, queue: Queue, memory: Memory, count: u32) -> io::Result<u32> {
        self.call(format!("buffers {queue:?}"))?;
        assert_eq!(memory, Memory::Mapped);
        let size = (self.formats[&queue].size as usize).saturating_sub(self.build.short);
        // Padding that was never written must not be seen in the picture.
        let buffers = (0..count).map(|_| (vec![0xEE; size], false)).collect();
        self.buffers.insert(queue, buffers);
        Ok(count)
    }

    fn memory(&mut self, queue: Queue, index: u32) -> Option<&mut [u8]> {
        let (memory, queued) = self.buffers.get_mut(&queue)?.get_mut(index as usize)?;
        (!*queued).then_some(memory.as_mut_slice())
    }

    fn queue(&mut self, queue: Queue, filled: &Filled) -> io::Result<()> {
        self.call(format!("queue {queue:?}"))?;
        let buffer = self.buffers.get_mut(&queue).and_then(|of| of.get_mut(filled.index as usize));
        match buffer {
            Some((_, queued)) if !*queued => *queued = true,
            _ => return Err(Errno::EINVAL.into()),
        }
        match queue {
            Queue::Capture => self.waiting.push_back(filled.index),
            Queue::Output => self.run(filled),
        }
        Ok(())
    }

    fn dequeue(&mut self, queue: Queue) -> io::Result<Option<Done>> {
        if self.machine.lock().gone {
            return Err(Errno::ENODEV.into());
        }
        if !self.streaming.contains(&queue) {
            return Err(Errno::EINVAL.into());
        }
        let Some(done) = self.done.entry(queue).or_default().pop_front() else { return Ok(None) };
        self.buffers.get_mut(&queue).unwrap()[done.index as usize].1 = false;
        Ok(Some(done))
    }

    fn stream(&mut self, queue: Queue, on: bool) -> io::Result<()> {
        self.call(format!("stream {queue:?} {on}"))?;
        self.streaming.push(queue);
        Ok(())
    }

    fn wait(&mut self, limit: Duration) -> io::Result<Ready> {
        let ready = |queue| self.done.get(&queue).is_some_and(|done| !done.is_empty());
        let (output, capture) = (ready(Queue::Output), ready(Queue::Capture));
        let failed = self.machine.lock().gone;
        if !output && !capture && !failed {
            let end = Instant::now() + limit;
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
        }
        Ok(Ready { output, capture, failed })
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        if self.took {
            let mut state = self.machine.lock();
            state.taken = false;
            state.closed += 1;
        }
    }
}
