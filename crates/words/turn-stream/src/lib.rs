//! TURN over byte streams (TCP and TLS), for both ends of such a connection: the host's relay and
//! the car's tunnel.
//!
//! **A message is what would be one datagram over UDP.** [`Messages`] finds the messages in a
//! stream, and [`padding`] gives the bytes that follow a message in it. [`FreshQueue`] holds
//! messages that wait for a stream, and drops those that are too late.
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
//! * No I/O and no clock: adapters share this layer that must not know each other.
//! * Bytes that are not TURN are an error and are not skipped: nobody can say where the next
//!   message would begin.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod messages;
mod queue;

pub use messages::{MAX_MESSAGE, Messages, StreamError, is_stun, padding};
pub use queue::FreshQueue;
