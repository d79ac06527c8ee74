//! Makes frames from a stream of bytes.

use crate::frame::{I420Frame, VideoFormat};
use std::io::{self, ErrorKind, Read};

/// Collects the bytes of one frame.
#[derive(Debug)]
pub(super) struct Assembler {
    frame: I420Frame,
    filled: usize,
}

/// The result of one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The frame is whole: [`Assembler::swap`] it out.
    Complete,
    /// More bytes are needed.
    Partial,
    /// The writer has closed the pipe; this many bytes of a frame are lost.
    Ended(usize),
}

impl Assembler {
    pub(super) fn new(format: VideoFormat) -> Self {
        Self { frame: I420Frame::new(format), filled: 0 }
    }

    /// Reads once, at most to the end of the frame.
    pub(super) fn read(&mut self, source: &mut impl Read) -> io::Result<Progress> {
        match source.read(&mut self.frame.bytes_mut()[self.filled..]) {
            Ok(0) => Ok(Progress::Ended(std::mem::take(&mut self.filled))),
            Ok(count) => {
                self.filled += count;
                let complete = self.filled == self.frame.bytes().len();
                Ok(if complete { Progress::Complete } else { Progress::Partial })
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(Progress::Partial)
            }
            Err(error) => Err(error),
        }
    }

    /// Exchanges the frame for `other` (of the same size) and begins a new one.
    pub(super) fn swap(&mut self, other: &mut I420Frame) {
        std::mem::swap(&mut self.frame, other);
        self.filled = 0;
    }

    /// Discards the bytes that have come of the frame.
    pub(super) fn reset(&mut self) {
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn however_a_stream_is_cut_the_same_frames_come_out(
            count in 0u8..5,
            cuts in prop::collection::vec(
                prop_oneof![Just(None), (1usize..6_000).prop_map(Some)],
                1..200,
            ),
        ) {
            let format = VideoFormat::new(64, 48, 30).unwrap();
            let sent: Vec<u8> =
                (1..=count).flat_map(|value| vec![value; 64 * 48 * 3 / 2]).collect();
            let (frames, lost) = assemble(format, &mut Cut { left: &sent, cuts: cuts.into() });
            prop_assert_eq!(frames, (1..=count).collect::<Vec<_>>());
            prop_assert_eq!(lost, 0);
        }

        #[test]
        fn a_partial_frame_at_the_end_is_lost_and_counted(whole in 0u8..3, rest in 1usize..4_608) {
            let format = VideoFormat::new(64, 48, 30).unwrap();
            let mut sent: Vec<u8> =
                (1..=whole).flat_map(|value| vec![value; 64 * 48 * 3 / 2]).collect();
            sent.resize(sent.len() + rest, 99);
            let (frames, lost) = assemble(format, &mut sent.as_slice());
            prop_assert_eq!(frames.len(), usize::from(whole));
            prop_assert_eq!(lost, rest);
        }
    }

    /// The first byte of every frame (all of whose bytes must be equal), and the bytes lost at the
    /// end.
    fn assemble(format: VideoFormat, source: &mut impl Read) -> (Vec<u8>, usize) {
        let mut assembler = Assembler::new(format);
        let mut frames = Vec::new();
        let mut spare = I420Frame::new(format);
        loop {
            match assembler.read(source).unwrap() {
                Progress::Partial => {}
                Progress::Ended(lost) => return (frames, lost),
                Progress::Complete => {
                    assembler.swap(&mut spare);
                    let first = spare.bytes()[0];
                    assert!(spare.bytes().iter().all(|&byte| byte == first), "frames are mixed");
                    frames.push(first);
                }
            }
        }
    }

    /// Gives a stream in pieces; `None` is a call that would block.
    struct Cut<'a> {
        left: &'a [u8],
        cuts: VecDeque<Option<usize>>,
    }

    impl Read for Cut<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = match self.cuts.pop_front() {
                Some(None) => return Err(ErrorKind::WouldBlock.into()),
                Some(Some(most)) => most.min(buffer.len()),
                None => buffer.len(),
            };
            self.left.read(&mut buffer[..most])
        }
    }
}
