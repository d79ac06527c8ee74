//! What a controller was told and what it answered, to be written down on a car and played again
//! elsewhere.

use crate::{Controller, FarMicros, Limits, Packet, Verdict};
use rccar_protocol::units::MonotonicMicros;
use serde::{Deserialize, Serialize};

/// One line of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// In µs of the car's monotonic clock.
    pub at: u64,
    /// Counts the sessions of a run of the program.
    pub session: u32,
    #[serde(flatten)]
    pub entry: Entry,
}

/// A call of the controller's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// [`Controller::new`], in bit/s and frames per second.
    Begin { least: u32, start: u32, most: u32, fps: u32 },
    /// [`Controller::handle_sent`].
    Sent { number: u64, bytes: u32, frame: Option<u32> },
    /// [`Controller::handle_waiting`], in bytes.
    Waiting { bytes: usize },
    /// [`Controller::handle_feedback`]: numbers, and the arrival of each by the browser's clock.
    Report { verdicts: Vec<(u64, Option<i64>)> },
    /// [`Controller::admit`] with its answer, and [`Controller::poll_rate`] after it.
    Admit { keyframe: bool, admitted: bool, rate: u32 },
    /// [`Controller::let_one_through`].
    LetOneThrough {},
    /// [`Controller::handle_new_path`].
    NewPath {},
    /// So many lines before this one are missing, because the disk was too slow.
    Missing { lines: u64 },
}

impl Entry {
    #[must_use]
    pub fn begin(limits: Limits) -> Self {
        let Limits { least_bps: least, start_bps: start, most_bps: most, fps } = limits;
        Self::Begin { least, start, most, fps }
    }

    #[must_use]
    pub fn sent(number: u64, packet: Packet) -> Self {
        Self::Sent { number, bytes: packet.bytes, frame: packet.frame }
    }

    #[must_use]
    pub fn report(verdicts: &[Verdict]) -> Self {
        let verdicts =
            verdicts.iter().map(|verdict| (verdict.number, verdict.arrival.map(|at| at.0)));
        Self::Report { verdicts: verdicts.collect() }
    }

    /// Number of its verdicts.
    #[must_use]
    pub fn verdicts(&self) -> usize {
        if let Self::Report { verdicts } = self { verdicts.len() } else { 0 }
    }

    /// Tells the controller the same again. Returns what it answers to [`Entry::Admit`].
    /// [`Entry::Begin`] begins with another one.
    pub fn play(&self, at: u64, control: &mut Controller) -> Option<bool> {
        let now = MonotonicMicros(at);
        match self {
            Self::Begin { least, start, most, fps } => {
                *control = Controller::new(Limits {
                    least_bps: *least,
                    start_bps: *start,
                    most_bps: *most,
                    fps: *fps,
                });
            }
            Self::Sent { bytes, frame, .. } => {
                control.handle_sent(now, Packet { bytes: *bytes, frame: *frame });
            }
            Self::Waiting { bytes } => control.handle_waiting(*bytes),
            Self::Report { verdicts } => {
                let verdicts = verdicts
                    .iter()
                    .map(|(number, at)| Verdict { number: *number, arrival: at.map(FarMicros) });
                control.handle_feedback(now, &verdicts.collect::<Vec<_>>());
            }
            Self::Admit { keyframe, .. } => return Some(control.admit(now, *keyframe)),
            Self::LetOneThrough {} => control.let_one_through(),
            Self::NewPath {} => control.handle_new_path(now),
            Self::Missing { .. } => {}
        }
        None
    }
}
