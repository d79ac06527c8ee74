//! The record of what the driver has seen.

use super::peer::Peer;
use rccar_protocol::signaling::ByeReason;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::telemetry::TelemetryFrame;
use rtc::peer_connection::transport::RTCIceCandidateType;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pair of candidates that carries a session, from the driver's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The driver's.
    pub local: RTCIceCandidateType,
    /// The car's.
    pub remote: RTCIceCandidateType,
}

impl Pair {
    /// Whether packets pass through a TURN server.
    #[must_use]
    pub fn is_relayed(self) -> bool {
        [self.local, self.remote].contains(&RTCIceCandidateType::Relay)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "car {} ↔ driver {}", self.remote, self.local)
    }
}

/// The times at which frames were complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames(Vec<Instant>);

impl Frames {
    pub(crate) fn note(&mut self, at: Instant) {
        self.0.push(at);
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Oldest first.
    #[must_use]
    pub fn times(&self) -> &[Instant] {
        &self.0
    }

    /// The longest time without a frame between `since` and now. It may begin with the last frame
    /// before `since`, and may end now.
    #[must_use]
    pub fn longest_gap(&self, since: Instant) -> Duration {
        let first = self.0.partition_point(|at| *at <= since).saturating_sub(1);
        let ends = self.0[first.min(self.0.len())..].iter().copied().chain([Instant::now()]);
        let times: Vec<_> = ends.collect();
        times.windows(2).map(|pair| pair[1].duration_since(pair[0])).max().unwrap_or_default()
    }
}

/// Everything that the driver has seen up to a moment.
#[derive(Debug, Clone)]
pub struct Seen {
    pub frames: Frames,
    /// Changes of the drive's state in telemetry, with the time of arrival.
    pub states: Vec<(Instant, DriveState, StopReason)>,
    /// Times of the car's offers in all sessions: the first one and one for each ICE restart.
    pub offers: Vec<Instant>,
    /// When sessions began.
    pub sessions: Vec<Instant>,
    /// Ends of sessions that the driver did not want.
    pub ends: Vec<(Instant, ByeReason)>,
}

/// The record while it grows.
#[derive(Default)]
pub(super) struct Record {
    pub(super) frames: Frames,
    pub(super) states: Vec<(Instant, DriveState, StopReason)>,
    pub(super) offers: Vec<Instant>,
    pub(super) sessions: Vec<Instant>,
    pub(super) ends: Vec<(Instant, ByeReason)>,
    pub(super) telemetry: Option<TelemetryFrame>,
    /// Number of the newest control frame that the car has answered.
    pub(super) echoed: u32,
    pub(super) peer: Option<Arc<Peer>>,
}

impl Record {
    pub(super) fn seen(&self) -> Seen {
        Seen {
            frames: self.frames.clone(),
            states: self.states.clone(),
            offers: self.offers.clone(),
            sessions: self.sessions.clone(),
            ends: self.ends.clone(),
        }
    }

    pub(super) fn begin_session(&mut self, peer: Arc<Peer>) {
        self.sessions.push(Instant::now());
        self.telemetry = None;
        self.peer = Some(peer);
    }

    pub(super) fn end_session(&mut self, reason: ByeReason) {
        self.ends.push((Instant::now(), reason));
        self.peer = None;
    }

    pub(super) fn note_telemetry(&mut self, frame: TelemetryFrame) {
        let now = (frame.state, frame.reason);
        if self.states.last().is_none_or(|(_, state, reason)| (*state, *reason) != now) {
            self.states.push((Instant::now(), now.0, now.1));
        }
        if let Some(echo) = frame.echo {
            self.echoed = echo.seq;
        }
        self.telemetry = Some(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_counts_from_the_last_frame_before() {
        let start = Instant::now() - Duration::from_secs(10);
        let mut frames = Frames::default();
        for ms in [0, 100, 900, 1000, 9_990] {
            frames.note(start + Duration::from_millis(ms));
        }
        let gap = |since| frames.longest_gap(start + Duration::from_millis(since)).as_millis();
        assert_eq!(gap(0), 8_990);
        assert_eq!(gap(5_000), 8_990);
        assert!(gap(9_995) < 5_000);
    }
}
