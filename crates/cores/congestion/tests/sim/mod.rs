//! Cars, a link and browsers in virtual time, to see what the controller makes of them.
//!
//! ```text
//!  camera ─► encoder ─► pacer ─┐                                       ┌─► reports, each 50 ms
//!     30 fps, admit()          ├─► bottleneck ─► loss ─► delay ─► browser ─► asks for what it misses
//!  another car, an upload ─────┘   drop-tail                           └─► decodes, paints: age
//! ```
//!
//! Nothing in it knows a clock, and all that is random comes from a seed, which every failure
//! prints. The controller is the real one. Everything else is a model, and its figures are
//! constants at the top of each file.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests; not each needs all of it"
)]

pub mod browser;
pub mod car;
pub mod dice;
pub mod encoder;
pub mod judge;
pub mod link;
pub mod pacer;
pub mod scenes;
pub mod sheet;
pub mod trace;
pub mod upload;
pub mod world;

/// Microseconds of virtual time.
pub type Micros = i64;

pub const MILLI: Micros = 1_000;
pub const SECOND: Micros = 1_000_000;

/// One encoded frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Counts what was encoded: a frame that was left out has none.
    pub id: u64,
    pub captured: Micros,
    pub keyframe: bool,
    /// RTP sequence numbers of its packets.
    pub first: u64,
    pub last: u64,
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    Media {
        frame: Frame,
        seq: u64,
        copy: bool,
    },
    /// Of somebody else's upload.
    Upload,
}

/// A packet on the link.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packet {
    /// The car that sent it.
    pub car: usize,
    /// The transport-wide number.
    pub number: u64,
    /// With all headers.
    pub bytes: f64,
    pub load: Load,
}
