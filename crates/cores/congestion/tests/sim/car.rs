//! A car that sends its picture as the controller says.

use super::browser::Message;
use super::dice::Dice;
use super::encoder::{Encoded, Encoder, Picture};
use super::pacer::{Pacer, Waiting};
use super::{Frame, Load, MILLI, Micros, Packet, SECOND};
use rccar_congestion::{Controller, Ladder, Limits};
use rccar_protocol::units::MonotonicMicros;
use std::collections::{BTreeMap, VecDeque};

/// Bytes of picture in a packet, and its headers: IP, UDP, RTP with extensions, SRTP's tag.
const PAYLOAD: f64 = 1_120.0;
const HEADERS: f64 = 66.0;
/// A copy has the original number in front (RFC 4588).
const COPY: f64 = 2.0;
/// Copies of frames older than this come too late.
const TOO_OLD: Micros = 400 * MILLI;
/// The last resort, 320×180: its bytes beside those at 640×360 (measured), and what it is worth.
const LAST_RESORT: (f64, u32) = (0.42, 37_500);
const KEYFRAMES_APART: Micros = 500 * MILLI;
/// A copy is not sent again before a round trip and this have passed.
const GRACE: Micros = 20 * MILLI;

pub struct Car {
    pub control: Controller,
    index: usize,
    interval: Micros,
    round_trip: Micros,
    next_picture: Micros,
    encoder: Encoder,
    fps: u32,
    ladder: Ladder<f64>,
    share: f64,
    encoding: VecDeque<(Micros, Frame, f64)>,
    pacer: Pacer,
    /// What was sent, until nobody may ask for it.
    memory: BTreeMap<u64, Kept>,
    copies_sent: VecDeque<(Micros, f64)>,
    frames: u64,
    seq: u64,
    wants_keyframe: bool,
    keyframe: Option<Frame>,
    pub counts: Counts,
}

struct Kept {
    frame: Frame,
    bytes: f64,
    copied_at: Option<Micros>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub encoded: u64,
    pub keyframes: u64,
    pub copies: u64,
}

impl Car {
    pub fn new(
        index: usize,
        limits: Limits,
        picture: Picture,
        from: Micros,
        round_trip: Micros,
    ) -> Self {
        Self {
            control: Controller::new(limits),
            index,
            interval: SECOND / Micros::from(limits.fps),
            round_trip,
            next_picture: from,
            encoder: Encoder::new(limits.fps, picture),
            fps: limits.fps,
            ladder: Ladder::new((1.0, limits.least_bps), vec![]).with_last_resort(LAST_RESORT),
            share: 1.0,
            encoding: VecDeque::new(),
            pacer: Pacer::default(),
            memory: BTreeMap::new(),
            copies_sent: VecDeque::new(),
            frames: 0,
            seq: 0,
            wants_keyframe: true,
            keyframe: None,
            counts: Counts::default(),
        }
    }

    pub fn handle_new_path(&mut self, now: Micros, round_trip: Micros) {
        self.round_trip = round_trip;
        self.control.handle_new_path(moment(now));
        self.wants_keyframe = true;
    }

    pub fn handle(&mut self, now: Micros, message: Message) {
        match message {
            Message::Report(verdicts) => self.control.handle_feedback(moment(now), &verdicts),
            Message::Keyframe => self.wants_keyframe = true,
            Message::Again(seqs) => seqs.into_iter().for_each(|seq| self.copy(now, seq)),
        }
        self.tell_waiting();
    }

    /// Time has passed; which packets leave?
    pub fn step(&mut self, now: Micros, dice: &mut Dice) -> Vec<Packet> {
        if now >= self.next_picture {
            self.next_picture += self.interval;
            self.picture(now, dice);
        }
        while let Some((_, frame, bytes)) = self.encoding.pop_front_if(|(at, ..)| *at <= now) {
            self.packetize(frame, bytes);
        }
        let burst = self.pacer.poll(now, self.control.poll_pacing().into());
        if burst.is_empty() {
            return Vec::new();
        }
        let packets = burst.into_iter().map(|waiting| self.send(now, waiting)).collect();
        self.tell_waiting();
        packets
    }

    fn picture(&mut self, now: Micros, dice: &mut Dice) {
        let picture = self.rate(now);
        let share = self.ladder.handle_rate(moment(now), picture as u32, self.fps);
        let apart = self.keyframe.is_none_or(|last| now - last.captured >= KEYFRAMES_APART);
        let keyframe = self.wants_keyframe && apart || share != self.share;
        if !self.control.admit(moment(now), keyframe) {
            return;
        }
        if share != self.share {
            self.share = share;
            self.encoder.set_share(share);
        }
        let Encoded { bytes, takes } = self.encoder.encode(now, picture, keyframe, dice);
        if !keyframe {
            self.ladder.handle_frame(bytes as u32, (picture / 8.0 / f64::from(self.fps)) as u32);
        }
        let packets = (bytes / PAYLOAD).ceil() as u64;
        let last = self.seq + packets - 1;
        let frame = Frame { id: self.frames, captured: now, keyframe, first: self.seq, last };
        self.frames += 1;
        self.seq += packets;
        self.counts.encoded += 1;
        if keyframe {
            self.counts.keyframes += 1;
            self.keyframe = Some(frame);
            self.wants_keyframe = false;
        }
        self.encoding.push_back((now + takes, frame, bytes));
    }

    /// What is left for the picture.
    fn rate(&mut self, now: Micros) -> f64 {
        while self.copies_sent.pop_front_if(|(at, _)| now - *at > SECOND).is_some() {}
        let copies: f64 = self.copies_sent.iter().map(|(_, bytes)| bytes * 8.0).sum();
        let rate = f64::from(self.control.poll_rate());
        self.without_headers((rate - copies).max(rate / 2.0))
    }

    /// What a rate on the wire leaves for the picture.
    fn without_headers(&self, rate: f64) -> f64 {
        let frames = SECOND as f64 / self.interval as f64;
        let packets = (rate / 8.0 / frames / (PAYLOAD + HEADERS)).ceil().max(1.0);
        (rate - packets * HEADERS * 8.0 * frames).max(rate / 2.0)
    }

    fn packetize(&mut self, frame: Frame, bytes: f64) {
        let mut left = bytes;
        for seq in frame.first..=frame.last {
            let bytes = left.min(PAYLOAD) + HEADERS;
            left -= PAYLOAD;
            self.memory.insert(seq, Kept { frame, bytes, copied_at: None });
            self.pacer.push(Waiting { bytes, load: Load::Media { frame, seq, copy: false } });
        }
        // Two seconds and more at any rate.
        while self.memory.len() > 2_048 {
            self.memory.pop_first();
        }
        self.tell_waiting();
    }

    fn copy(&mut self, now: Micros, seq: u64) {
        let Some(kept) = self.memory.get_mut(&seq) else { return };
        let again = self.round_trip + GRACE;
        if kept.copied_at.is_some_and(|at| now - at < again) || self.pacer.has_copy_of(seq) {
            return;
        }
        let frame = kept.frame;
        if now - frame.captured > TOO_OLD {
            // A keyframe that was sent since then repairs it.
            self.wants_keyframe |= self.keyframe.is_none_or(|last| last.id <= frame.id);
            return;
        }
        kept.copied_at = Some(now);
        let bytes = kept.bytes + COPY;
        for _ in 0..self.control.poll_copies() {
            self.pacer.push(Waiting { bytes, load: Load::Media { frame, seq, copy: true } });
        }
    }

    fn send(&mut self, now: Micros, waiting: Waiting) -> Packet {
        let frame = match waiting.load {
            Load::Media { frame, copy: false, .. } => Some(frame.id as u32 * 3_000),
            _ => {
                self.counts.copies += 1;
                self.copies_sent.push_back((now, waiting.bytes));
                None
            }
        };
        let bytes = waiting.bytes.round() as u32;
        let number =
            self.control.handle_sent(moment(now), rccar_congestion::Packet { bytes, frame });
        Packet { car: self.index, number, bytes: waiting.bytes, load: waiting.load }
    }

    fn tell_waiting(&mut self) {
        self.control.handle_waiting(self.pacer.waiting() as usize);
    }
}

/// The car's clock did not begin with the drive.
pub fn moment(now: Micros) -> MonotonicMicros {
    MonotonicMicros(u64::try_from(now).unwrap() + 5_000_000_000)
}
