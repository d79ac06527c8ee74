//! What the media loop and the encoder's thread share of a session: how much may be sent.

use super::recorder::{Recorder, Tape};
use crate::retransmission::Window;
use rccar_congestion::trace::Entry;
use rccar_congestion::{Controller, Insight, Limits, Packet, Verdict};
use rccar_protocol::units::MonotonicMicros;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A browser that has agreed to report arrivals and does not within this time never will.
const MUTE_AFTER: Duration = Duration::from_secs(3);
/// From the first rate to the highest within this time, where the link carries it.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// The rate for a browser that reports nothing, in bit/s: little enough for a bad link.
const BLIND: u32 = 500_000;
/// Bytes that a packet of the picture has beside its part of the picture: headers of RTP, its
/// extensions, the payload's format, and what [`super::AROUND`] counts.
const HEADERS: f64 = 12.0 + 16.0 + 2.0 + super::AROUND as f64;

/// Decides which frames are sent and at which rate. Locked for microseconds.
#[derive(Debug)]
pub struct Flow {
    state: Mutex<State>,
    clock: fn() -> MonotonicMicros,
}

#[derive(Debug)]
struct State {
    control: Controller,
    limits: Limits,
    /// Copies of the last second.
    copies: Window,
    /// The browser has agreed to report arrivals.
    agreed: bool,
    sending_since: Option<Instant>,
    path_since: Instant,
    reported: bool,
    /// What one instant of the media loop is on the car's clock.
    epoch: (Instant, MonotonicMicros),
    /// Bytes that wait for their time, as the controller knows it.
    waiting: usize,
    tape: Option<Tape>,
}

impl State {
    /// For the trace, if there is one.
    fn note(&self, at: MonotonicMicros, entry: impl FnOnce() -> Entry) {
        if let Some(tape) = &self.tape {
            tape.note(at, entry);
        }
    }

    fn micros(&self, at: Instant) -> MonotonicMicros {
        let (instant, micros) = self.epoch;
        match at.checked_duration_since(instant) {
            Some(since) => micros.plus(since),
            None => micros.minus(instant - at),
        }
    }

    /// Nothing tells what the link carries.
    fn is_blind(&self, now: Instant) -> bool {
        let mute = || {
            self.sending_since
                .is_some_and(|since| now.saturating_duration_since(since) > MUTE_AFTER)
        };
        !self.agreed || (!self.reported && mute())
    }
}

impl Flow {
    pub(crate) fn new(
        limits: Limits,
        clock: fn() -> MonotonicMicros,
        recorder: Option<&Recorder>,
    ) -> Self {
        let state = State {
            control: Controller::new(limits),
            limits,
            copies: Window::default(),
            agreed: false,
            sending_since: None,
            path_since: Instant::now(),
            reported: false,
            epoch: (Instant::now(), clock()),
            waiting: 0,
            tape: recorder.map(|recorder| recorder.begin(clock(), limits)),
        };
        Self { state: Mutex::new(state), clock }
    }

    /// Whether the next frame may be encoded; it will then be sent.
    pub fn admit(&self, keyframe: bool) -> bool {
        let mut state = self.lock();
        if state.is_blind(Instant::now()) {
            return true;
        }
        let now = (self.clock)();
        let admitted = state.control.admit(now, keyframe);
        let rate = state.control.poll_rate();
        state.note(now, || Entry::Admit { keyframe, admitted, rate });
        admitted
    }

    /// The rate at which the encoder aims, in bit/s: headers and copies are taken off.
    #[must_use]
    pub fn encoder_rate(&self) -> u32 {
        let now = Instant::now();
        let mut state = self.lock();
        let Limits { fps, most_bps, .. } = state.limits;
        let rate = match state.is_blind(now) {
            true => f64::from(BLIND.min(most_bps)),
            false => f64::from(state.control.poll_rate()),
        };
        #[expect(clippy::cast_precision_loss, reason = "bytes of a second")]
        let copies = state.copies.bytes(now) as f64 * 8.0;
        picture_rate((rate - copies).max(rate / 2.0), fps.into())
    }

    /// Admits the next frame: the driver may have missed those before it.
    pub fn let_one_through(&self) {
        let mut state = self.lock();
        state.control.let_one_through();
        state.note((self.clock)(), || Entry::LetOneThrough {});
    }

    /// The packets take another path from now on.
    pub fn handle_new_path(&self) {
        let mut state = self.lock();
        let now = (self.clock)();
        state.control.handle_new_path(now);
        state.note(now, || Entry::NewPath {});
        state.path_since = Instant::now();
        if !state.reported {
            state.sending_since = None;
        }
    }

    /// The rate has had the time to find what the path carries.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let state = self.lock();
        state.reported && state.path_since.elapsed() > SETTLED_AFTER
    }

    #[must_use]
    pub fn insight(&self) -> Insight {
        self.lock().control.insight()
    }

    /// How often a lost packet is sent once more at a time.
    pub(crate) fn copies(&self) -> usize {
        self.lock().control.poll_copies()
    }

    pub(super) fn handle_agreed(&self, agreed: bool) {
        self.lock().agreed = agreed;
    }

    pub(super) fn handle_sent(&self, now: Instant, packet: Packet) -> u64 {
        let mut state = self.lock();
        state.sending_since.get_or_insert(now);
        if packet.frame.is_none() {
            state.copies.add(now, usize::try_from(packet.bytes).unwrap_or(usize::MAX));
        }
        let at = state.micros(now);
        let number = state.control.handle_sent(at, packet);
        state.note(at, || Entry::sent(number, packet));
        number
    }

    pub(super) fn handle_waiting(&self, bytes: usize) {
        let mut state = self.lock();
        if bytes != state.waiting {
            state.waiting = bytes;
            state.control.handle_waiting(bytes);
            state.note((self.clock)(), || Entry::Waiting { bytes });
        }
    }

    pub(super) fn handle_feedback(&self, now: Instant, verdicts: &[Verdict]) {
        let mut state = self.lock();
        state.reported = true;
        let at = state.micros(now);
        state.control.handle_feedback(at, verdicts);
        state.note(at, || Entry::report(verdicts));
    }

    pub(super) fn next_number(&self) -> u64 {
        self.lock().control.next_number()
    }

    pub(super) fn pacing(&self) -> u32 {
        self.lock().control.poll_pacing()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before a panic could come.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left for the picture of a rate on the wire, at so many frames per second.
fn picture_rate(wire: f64, fps: f64) -> u32 {
    let payload = crate::video::MAX_PAYLOAD as f64;
    let frame = wire / 8.0 / fps.max(1.0);
    let packets = (frame / (payload + HEADERS)).ceil().max(1.0);
    let picture = (frame - packets * HEADERS).max(frame / 2.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let rate = (picture * 8.0 * fps.max(1.0)) as u32;
    rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_take_their_part_of_the_rate() {
        // 4167 bytes a frame in four packets.
        assert_eq!(picture_rate(1e6, 30.0), 1_000_000 - 4 * 8 * 30 * 68);
        // 625 bytes in one.
        assert_eq!(picture_rate(150e3, 30.0), 150_000 - 8 * 30 * 68);
        assert_eq!(picture_rate(10e3, 30.0), 5_000, "never less than a half");
    }
}
