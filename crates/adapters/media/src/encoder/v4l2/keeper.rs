//! The thread that owns the device.

use super::device::Kernel;
use super::session::Session;
use super::settings::Settings;
use super::{Trouble, find};
use crate::encoder::Encoded;
use crate::frame::{I420Frame, VideoFormat};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// A device that has not answered after this time is given up, with its thread, which the kernel
/// holds. Opening and the first frame take half of it at most, where the device works.
const LONGEST: Duration = Duration::from_secs(1);

/// A driver may take a second to close.
const CLOSES_WITHIN: Duration = Duration::from_secs(3);

/// Encodes on a thread of its own, which opens the device with the first frame, and again with the
/// frame after a failure.
#[derive(Debug)]
pub(in crate::encoder) struct Keeper {
    requests: SyncSender<Request>,
    answers: Receiver<Answer>,
    /// Travels to the thread and back.
    frame: Option<Box<I420Frame>>,
    longest: Duration,
    hangs: bool,
}

#[derive(Debug)]
enum Request {
    Encode { frame: Box<I420Frame>, force_keyframe: bool },
    Bitrate(u32),
    Format(VideoFormat),
}

#[derive(Debug)]
enum Answer {
    Encoded { frame: Box<I420Frame>, result: Result<Option<Encoded>, Trouble> },
    Bitrate(Result<u32, Trouble>),
    Format,
}

impl Keeper {
    /// `any`: also a device with a driver that is not known to work.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub(in crate::encoder) fn start(
        kernel: Arc<dyn Kernel>,
        settings: Settings,
        any: bool,
    ) -> io::Result<Self> {
        // One request at a time.
        let (requests, asked) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        let mut owner = Owner { kernel, settings, any, session: None };
        thread::Builder::new().name("encoder".to_owned()).spawn(move || {
            while let Ok(request) = asked.recv() {
                let (told, failed) = owner.answer(request);
                if answer.send(told).is_err() {
                    return;
                }
                // After the answer: a driver may take a second to close.
                if failed {
                    owner.session = None;
                }
            }
        })?;
        let frame = Some(Box::new(I420Frame::new(settings.format)));
        Ok(Self { requests, answers, frame, longest: LONGEST, hangs: false })
    }

    pub(in crate::encoder) fn encode(
        &mut self,
        frame: &I420Frame,
        force_keyframe: bool,
    ) -> Result<Option<Encoded>, Trouble> {
        let mut copy = self.frame.take().ok_or(Trouble::Hangs)?;
        if (copy.width(), copy.height()) != (frame.width(), frame.height()) {
            self.frame = Some(copy);
            let why = format!(
                "a frame of {}×{} pixels is not the configured one",
                frame.width(),
                frame.height()
            );
            return Err(Trouble::Failed(why));
        }
        copy.bytes_mut().copy_from_slice(frame.bytes());
        match self.ask(Request::Encode { frame: copy, force_keyframe })? {
            Answer::Encoded { frame, result } => {
                self.frame = Some(frame);
                result
            }
            Answer::Bitrate(_) | Answer::Format => Err(Trouble::Hangs),
        }
    }

    /// Returns what the device makes of it, or will.
    pub(in crate::encoder) fn set_bitrate(&mut self, bitrate_kbps: u32) -> Result<u32, Trouble> {
        match self.ask(Request::Bitrate(bitrate_kbps))? {
            Answer::Bitrate(result) => result,
            Answer::Encoded { .. } | Answer::Format => Err(Trouble::Hangs),
        }
    }

    /// The device is opened anew with the next frame, which must have this size.
    pub(in crate::encoder) fn set_format(&mut self, format: VideoFormat) -> Result<(), Trouble> {
        self.ask_for(Request::Format(format), CLOSES_WITHIN)?;
        self.frame = Some(Box::new(I420Frame::new(format)));
        Ok(())
    }

    fn ask(&mut self, request: Request) -> Result<Answer, Trouble> {
        self.ask_for(request, self.longest)
    }

    fn ask_for(&mut self, request: Request, longest: Duration) -> Result<Answer, Trouble> {
        if self.hangs {
            return Err(Trouble::Hangs);
        }
        // There is room: the last request was answered.
        let answer = match self.requests.try_send(request) {
            Ok(()) => self.answers.recv_timeout(longest),
            Err(_) => Err(RecvTimeoutError::Disconnected),
        };
        answer.map_err(|_| {
            self.hangs = true;
            Trouble::Hangs
        })
    }

    #[cfg(test)]
    pub(super) fn with_patience(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }
}

struct Owner {
    kernel: Arc<dyn Kernel>,
    settings: Settings,
    any: bool,
    session: Option<Session>,
}

impl Owner {
    /// The answer, and whether the device has failed.
    fn answer(&mut self, request: Request) -> (Answer, bool) {
        match request {
            Request::Encode { frame, force_keyframe } => {
                let result = self.session().and_then(|open| open.encode(&frame, force_keyframe));
                let failed = result.is_err();
                (Answer::Encoded { frame, result }, failed)
            }
            Request::Format(format) => {
                self.settings.format = format;
                // Before the answer: whoever asks next is not to wait for the device to close.
                self.session = None;
                (Answer::Format, false)
            }
            Request::Bitrate(bitrate_kbps) => {
                self.settings.bitrate_kbps = bitrate_kbps;
                let result = match &mut self.session {
                    Some(session) => session.set_bitrate(bitrate_kbps),
                    None => Ok(bitrate_kbps),
                };
                // A device without the control goes on at its own rate.
                let failed = !matches!(result, Ok(_) | Err(Trouble::Unfit(_)));
                (Answer::Bitrate(result), failed)
            }
        }
    }

    /// The open device. It is looked for each time: its node may have another number.
    fn session(&mut self) -> Result<&mut Session, Trouble> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.open()?,
        };
        Ok(self.session.insert(session))
    }

    fn open(&self) -> Result<Session, Trouble> {
        let coded = self.settings.coding.four_cc();
        let found = find(self.kernel.as_ref(), coded, self.any).map_err(|_| Trouble::Gone)?;
        let device = self.kernel.open(&found.path).map_err(super::failed("opening it"))?;
        let session = Session::open(device, self.settings, found.takes_i420)?;
        tracing::debug!(device = %found, "the encoder is open");
        Ok(session)
    }
}
