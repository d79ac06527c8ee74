//! The words of rccar: every message that crosses a process or a network border, and the units
//! inside.
//!
//! **Everything that a parser of this crate returns is legal: a value that breaks a rule of
//! `PROTOCOL.md` cannot be built.**
//!
//! | module | travels | encoding |
//! |---|---|---|
//! | [`control`] | browser → car, data channel `control` | binary, fixed size |
//! | [`telemetry`] | car → browser, data channel `control` | binary, fixed size |
//! | [`events`] | both ways, data channel `events` | JSON |
//! | [`signaling`] | browser ↔ host ↔ car, WebSocket | JSON |
//! | [`close`] | host → browser or car, close of the WebSocket | a number |
//! | [`release`] | host → car, HTTP, and within [`signaling`] | JSON |
//! | [`setpoint`] | `rccar-car` → `rccar-drive`, Unix datagram | binary, fixed size |
//! | [`status`] | `rccar-drive` → `rccar-car`, Unix datagram | binary, fixed size |
//! | [`calibration`] | `rccar-car` ↔ `rccar-drive`, Unix datagram, and within [`events`] | JSON |
//!
//! ```
//! use rccar_protocol::Layout;
//! use rccar_protocol::control::{ControlFrame, InputSource};
//! use rccar_protocol::units::{Steering, Throttle};
//!
//! let frame = ControlFrame {
//!     visible: true,
//!     focused: true,
//!     source: InputSource::Keyboard,
//!     steering: Steering::from_permyriad(-2_500)?,
//!     throttle: Throttle::from_permyriad(1_000)?,
//!     ..ControlFrame::default()
//! };
//! assert_eq!(ControlFrame::decode(&frame.encode(Layout::V1))?, frame);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Design decisions
//!
//! * A binary frame of version 1 has one size and no optional tail. A frame that is cut short is an
//!   error in every version, never a shorter message.
//! * All integers are big-endian (network byte order), as `DataView` reads them by default.
//! * Readers of JSON ignore fields that they do not know, so that a field can be added without a
//!   new version. An unknown `type` is an error that is answered.

pub mod access_code;
pub mod calibration;
pub mod claim;
pub mod close;
pub mod control;
pub mod drive_hello;
pub mod events;
mod frame;
pub mod grease;
pub mod guessable;
pub mod ice_url;
pub mod identity;
pub mod loopback;
pub mod release;
pub mod sensors;
pub mod setpoint;
pub mod signaling;
pub mod state;
pub mod status;
mod strict;
pub mod telemetry;
pub mod text;
pub mod units;
pub mod video;
pub mod word;

pub use frame::{FrameBytes, FrameError, Layout, MAX_FRAME_BYTES};

/// Version of the signaling messages and of the JSON on the data channel `events`.
pub const PROTOCOL_VERSION: u8 = 1;
/// WebSocket subprotocol (RFC 6455 section 1.9) that client and server must agree on.
pub const SUBPROTOCOL: &str = "rccar.v1";
/// Largest JSON message in bytes, on any channel. A browser's full-gather SDP with both address
/// families takes 6–9 kB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Rate at which a browser sends control frames, in hertz. At 50 Hz three frames in a row may be
/// lost before the hold (80 ms) ends.
pub const CONTROL_HZ: u32 = 50;
/// Clock rate of the video's RTP time stamps (RFC 6184 section 8.2.1).
pub const VIDEO_CLOCK_HZ: u32 = 90_000;
