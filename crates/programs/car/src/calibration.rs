//! Calibration of one session: between its page and the drive.

use crate::drive::{Answer, DriveLink};
use rccar_protocol::calibration::{CALIBRATION_VERSION, CalibrationAction, CalibrationRequest};
use rccar_protocol::events::CarEvent;
use rccar_protocol::signaling::ErrorCode;
use rccar_protocol::text::{Note, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// Id of the request that this program makes itself. A page begins with 1.
const OWN: u32 = 0;
/// Until that request is made again: a datagram may get lost.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Calibration {
    session: SessionId,
    drive: DriveLink,
    /// The page understands it.
    wanted: bool,
    /// The page knows that it may ask.
    offered: bool,
    asked_at: Option<MonotonicMicros>,
}

impl Calibration {
    pub(crate) fn new(session: SessionId, drive: DriveLink) -> Self {
        Self { session, drive, wanted: false, offered: false, asked_at: None }
    }

    /// The page says which versions it speaks.
    pub(crate) fn handle_hello(&mut self, versions: &[u8]) {
        self.wanted = versions.contains(&CALIBRATION_VERSION);
    }

    /// Passes a request of the page on. Returns what the page is told instead, if that fails.
    pub(crate) fn handle_request(&self, request: CalibrationRequest) -> Option<CarEvent> {
        let text = if !self.drive.calibrates() {
            "this car cannot be calibrated"
        } else if !self.drive.calibrate(self.session, request) {
            "the drive service does not take the request"
        } else {
            return None;
        };
        Some(CarEvent::Error { code: ErrorCode::OutOfOrder, text: Note::lossy(text) })
    }

    /// An answer of the drive; returns what the page is told.
    pub(crate) fn handle_answer(&mut self, (session, state): Answer) -> Option<CarEvent> {
        if session != self.session {
            return None;
        }
        self.offered = true;
        Some(CarEvent::Calibration(state))
    }

    /// Asks the drive, until the page knows how the car is calibrated.
    pub(crate) fn handle_tick(&mut self, now: MonotonicMicros) {
        let waits = self.asked_at.is_some_and(|at| now.since(at) < AGAIN);
        if !self.wanted || self.offered || waits || !self.drive.calibrates() {
            return;
        }
        self.asked_at = Some(now);
        let action = CalibrationAction::Show;
        // If it is not reachable, the next tick tries again.
        self.drive.calibrate(self.session, CalibrationRequest { id: OWN, action, values: None });
    }
}
