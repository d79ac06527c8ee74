//! The car's end of a WebRTC session: one video track, two data channels, and the order of calls
//! that keeps them alive.
//!
//! **The car is always the offerer, and candidates never overtake the description that they belong
//! to.**
//!
//! A session runs like this:
//!
//! 1. [`Peer::open`] makes the connection; [`Peer::prepare_offer`] writes an [`Offer`] with a new
//!    generation.
//! 2. The caller sends the offer, *then* calls [`Peer::start_gathering`]: candidates of that
//!    generation come as [`PeerEvent`]s. A peer that cannot trickle gets [`Peer::gathered_offer`]
//!    instead, which waits for all candidates.
//! 3. [`Peer::accept_answer`] and [`Peer::add_candidate`] take what the driver sends.
//! 4. [`Peer::video`] sends access units, [`Peer::send_telemetry`] and [`Peer::send_event`] fill
//!    the data channels.
//! 5. For another path, steps 1 and 2 again with `restart`: the data channels and the track stay.
//!    The old path ends when gathering starts; an offer that is [held](Peer::hold) starts to gather
//!    only when its answer arrives.
//!
//! # Design decisions
//!
//! * The crate `webrtc` is confined to this crate. Its traps, and the settings that avoid them, are
//!   in [`mod@settings`].
//! * Of the control frames only the newest is kept ([`tokio::sync::watch`]): an older one has no
//!   value once a newer one is here.
//! * [`Flow`] tells the encoder which frames the link has room for, and at which rate; the machine
//!   behind it is [`rccar_congestion`]. Packets that are lost all the same are sent once more
//!   within the limits of `retransmission`. Socket buffers are small: a packet that the link cannot
//!   carry is lost rather than late.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod candidates;
mod channels;
mod error;
mod fingerprint;
#[doc(hidden)]
pub mod fuzz;
mod keyframe;
mod observer;
mod peer;
mod rate;
mod retransmission;
mod send_path;
pub mod settings;
mod sockets;
mod video;

pub use channels::ReceivedControl;
pub use error::PeerError;
pub use fingerprint::FingerprintError;
pub use peer::{Message, Offer, Opened, Peer, PeerEvent, PeerState};
pub use retransmission::Traffic;
pub use send_path::{Flow, Recorder};
pub use settings::PeerOptions;
pub use sockets::{Binding, Heard};
pub use video::VideoSender;
