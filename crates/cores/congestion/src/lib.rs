//! How much of its picture the car sends, and when: congestion control for one driver.
//!
//! **A frame is encoded only if it can reach the driver soon. Nothing is encoded that would wait in
//! a queue.**
//!
//! ```text
//!            camera: a frame is there
//!                      │
//!                      ▼                   no: the frame is left out, the next one is newer
//!     ┌────────── admit(now)? ──────────►  
//!     │                │ yes
//!     │                ▼
//!     │   encoder, at poll_rate() ──► pacer, at poll_pacing() ──► link ──► browser
//!     │                                      │                               │
//!     │                                 handle_sent                    handle_feedback
//!     │                                      ▼                               ▼
//!     │                                 what is under way ◄──── what arrived, and when
//!     │                                      │                               │
//!     │                                      ▼                               ▼
//!     └───── backlog at the bottleneck ◄─────┴── capacity ◄── gaps between arrivals
//!                                                    │        while it was busy
//!                                                    ▼
//!                                     rate: below the capacity, lower while a queue stands
//! ```
//!
//! The machine has no clock and no I/O. The shell passes times of one monotonic clock, and arrival
//! times of the browser's clock as they are: only differences count, so the two need not agree.
//!
//! ```
//! use rccar_congestion::{Controller, FarMicros, Limits, Packet, Verdict};
//! use rccar_protocol::units::MonotonicMicros;
//!
//! let limits = Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 2_500_000, fps: 30 };
//! let mut control = Controller::new(limits);
//! let now = MonotonicMicros(1_000_000);
//! assert!(control.admit(now, false));
//! let number = control.handle_sent(now, Packet { bytes: 1_200, frame: Some(1) });
//! // The browser tells when it came in.
//! let later = MonotonicMicros(1_080_000);
//! control.handle_feedback(later, &[Verdict { number, arrival: Some(FarMicros(77_000)) }]);
//! assert!(control.poll_rate() >= 500_000);
//! ```
//!
//! # Design decisions
//!
//! * *Admission*, the choice frame by frame whether the link has room, is the idea of Salsify
//!   (Fouladi and others, NSDI 2018). It is what keeps the picture young on a link whose capacity
//!   falls to a tenth within a second: no rate control is quick enough for that.
//! * *Frames as probes*: packets of one frame leave at twice the rate, and the gaps between their
//!   arrivals tell the capacity without sending anything else. This is the idea of Pudica (Wang and
//!   others, NSDI 2024).
//! * *Bytes under way* stand for the queue, as in SCReAM (RFC 8298). When reports stay away,
//!   nothing counts as drained, and so silence stops the sending without any timer.
//! * A delay of the queue, not its gradient, as Google's congestion control has it
//!   (draft-ietf-rmcat-gcc): a gradient does not see a queue that stands.
//! * *A queue that stays where it is* while the car sends less is not the car's: the path has
//!   become longer, or a long upload keeps the queue full. It is taken for a part of the path. If
//!   it comes back, the car shares as TCP does, growing slowly and giving way where something is
//!   lost. It is an idea of Copa (Arun and Balakrishnan, NSDI 2018), which also notices by the
//!   queue that others do not give way. The picture is then as old as their queue makes it.
//! * All that the machine is told can be written down ([`trace`]) and played to it again: what it
//!   decided on a real link is looked into at a desk.
//! * A report that is lost makes no packet lost: what no report mentions stays unknown.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod backlog;
mod capacity;
mod company;
mod controller;
mod history;
mod ladder;
mod least;
pub mod trace;

pub use controller::{Controller, Insight, Limits};
pub use ladder::Ladder;

/// A moment on the browser's clock, in microseconds from any origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FarMicros(pub i64);

/// A packet that leaves: of the picture, or a copy, or for repair. All take room on the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// With all headers down to IP.
    pub bytes: u32,
    /// RTP time stamp of the frame that it belongs to, if it is sent for the first time.
    pub frame: Option<u32>,
}

/// What the browser reports about one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// As [`Controller::handle_sent`] has numbered it.
    pub number: u64,
    /// `None`: it has not arrived yet.
    pub arrival: Option<FarMicros>,
}
