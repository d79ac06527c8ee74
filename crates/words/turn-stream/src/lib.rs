//! TURN over byte streams (TCP and TLS), as both ends of such a connection need it: the host's
//! relay and the car's tunnel.
//!
//! **A message is what would be one datagram over UDP.** [`Messages`] finds them in a stream,
//! [`padding`] says what follows one in it, and [`FreshQueue`] holds those back that wait for a
//! stream, until it is too late for them.
//!
//! ```
//! use rccar_turn_stream::{Messages, padding};
//!
//! let channel_data = b"\x40\x01\x00\x02hi";
//! let mut stream = channel_data.to_vec();
//! stream.extend(padding(channel_data));
//! assert_eq!(stream.len(), 8);
//!
//! let mut messages = Messages::default();
//! messages.extend(&stream);
//! assert_eq!(messages.next_message(), Ok(Some(channel_data.to_vec())));
//! ```
//!
//! # Design decisions
//!
//! * No I/O and no clock: this layer is shared by adapters that must not know each other.
//! * A stream that is not TURN is an error and not skipped: nothing tells where the next message
//!   would begin.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod messages;
mod queue;

pub use messages::{MAX_MESSAGE, Messages, StreamError, is_stun, padding};
pub use queue::FreshQueue;
