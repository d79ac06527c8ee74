//! A browser that receives: reports, asks again, decodes in order, paints.

use super::{Frame, Load, MILLI, Micros, Packet, SECOND};
use rccar_congestion::{FarMicros, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Chromium's least interval between two transport-wide reports; a page that only receives has it.
const REPORTS: Micros = 50 * MILLI;
/// Chromium looks this often for what it must ask for again.
const ASKS: Micros = 20 * MILLI;
/// It asks again after so long, and not after a round trip: as one who only receives it does not
/// know that (Chromium's default).
const ASKS_AGAIN: Micros = 100 * MILLI;
/// Decode, compose, paint.
pub const PAINTS: Micros = 10 * MILLI;
/// Without a picture for so long it asks for a keyframe (Chromium); sooner for the first.
const PATIENCE: Micros = 3 * SECOND;
const FIRST_PATIENCE: Micros = 200 * MILLI;

/// To the car.
#[derive(Debug, Clone)]
pub enum Message {
    Report(Vec<Verdict>),
    /// These sequence numbers are missing.
    Again(Vec<u64>),
    Keyframe,
}

/// A frame on the screen.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    pub at: Micros,
    pub captured: Micros,
}

struct Partial {
    frame: Frame,
    left: u64,
}

pub struct Browser {
    /// Its clock runs faster by this.
    drift_ppm: i64,
    received: BTreeMap<u64, FarMicros>,
    reported: u64,
    report_at: Micros,
    /// All before it is decoded or given up.
    floor: u64,
    highest: Option<u64>,
    got: BTreeSet<u64>,
    /// When each was last asked for.
    missing: BTreeMap<u64, Option<Micros>>,
    ask_at: Micros,
    frames: BTreeMap<u64, Partial>,
    next: u64,
    progress_at: Micros,
    /// Bytes of packets that were not there yet.
    pub useful: f64,
}

impl Browser {
    pub fn new(drift_ppm: i64, phase: Micros) -> Self {
        Self {
            drift_ppm,
            received: BTreeMap::new(),
            reported: 0,
            report_at: phase,
            floor: 0,
            highest: None,
            got: BTreeSet::new(),
            missing: BTreeMap::new(),
            ask_at: 0,
            frames: BTreeMap::new(),
            next: 0,
            progress_at: 0,
            useful: 0.0,
        }
    }

    /// Its origin is another one, too.
    fn clock(&self, now: Micros) -> FarMicros {
        FarMicros(-77_777_777_777 + now + now * self.drift_ppm / SECOND)
    }

    pub fn handle_packet(&mut self, now: Micros, packet: &Packet) {
        let Load::Media { frame, seq, .. } = packet.load else { return };
        self.received.insert(packet.number, self.clock(now));
        if seq < self.floor || !self.got.insert(seq) {
            return;
        }
        self.useful += packet.bytes;
        self.missing.remove(&seq);
        let from = self.highest.map_or(0, |highest| highest + 1);
        self.missing.extend((from..seq).map(|missing| (missing, None)));
        self.highest = self.highest.max(Some(seq));
        let partial = self
            .frames
            .entry(frame.id)
            .or_insert(Partial { frame, left: frame.last - frame.first + 1 });
        partial.left -= 1;
    }

    /// Paints what can be decoded. A keyframe begins again, whatever is missing before it.
    pub fn decode(&mut self, now: Micros) -> Vec<Paint> {
        let mut paints = Vec::new();
        loop {
            let ready = |(_, partial): &(&u64, &Partial)| {
                partial.left == 0 && (partial.frame.id == self.next || partial.frame.keyframe)
            };
            let Some(frame) = self.frames.iter().find(ready).map(|(_, partial)| partial.frame)
            else {
                return paints;
            };
            self.next = frame.id + 1;
            self.floor = frame.last + 1;
            self.frames = self.frames.split_off(&self.next);
            self.got = self.got.split_off(&self.floor);
            self.missing = self.missing.split_off(&self.floor);
            self.progress_at = now;
            paints.push(Paint { at: now + PAINTS, captured: frame.captured });
        }
    }

    pub fn poll(&mut self, now: Micros) -> Vec<Message> {
        let mut messages = Vec::new();
        if now >= self.report_at {
            self.report_at += REPORTS;
            messages.extend(self.report());
        }
        let first = self.missing.values().any(Option::is_none);
        if first || now >= self.ask_at {
            self.ask_at = now + ASKS;
            messages.extend(self.ask(now));
        }
        let patience = if self.next == 0 { FIRST_PATIENCE } else { PATIENCE };
        if !self.got.is_empty() && now - self.progress_at > patience {
            self.progress_at = now;
            messages.push(Message::Keyframe);
        }
        messages
    }

    fn report(&mut self) -> Option<Message> {
        let (&newest, _) = self.received.last_key_value()?;
        let verdicts = (self.reported..=newest)
            .map(|number| Verdict { number, arrival: self.received.get(&number).copied() })
            .collect();
        self.reported = newest + 1;
        self.received.clear();
        Some(Message::Report(verdicts))
    }

    fn ask(&mut self, now: Micros) -> Option<Message> {
        let mut again = Vec::new();
        for (seq, asked) in &mut self.missing {
            if asked.is_none_or(|asked| now - asked >= ASKS_AGAIN) {
                *asked = Some(now);
                again.push(*seq);
            }
        }
        (!again.is_empty()).then_some(Message::Again(again))
    }
}
