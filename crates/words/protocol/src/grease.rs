//! Grease: what only a later version will say, said today, so that receivers stay able to skip it
//! (RFC 8701 names the idea).
//!
//! Off, unless a program of a test build [turns it on](enable). Release builds have no switch. Then
//!
//! * every JSON message has a field more that nobody knows,
//! * every binary frame of version 2 has a group and a flag more,
//! * the hello of car and drive names a version more, and is longer,
//! * programs send [messages] that nobody can use beside their own.

use crate::frame::FrameBytes;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU32 = AtomicU32::new(0);

/// First kind of group that no version will give a meaning to.
pub const FIRST_KIND: u8 = 224;
/// A session that nobody has.
const NOBODY: &str = "fffffffffffffff1";

/// From now on this program talks like a later version. Nothing happens in release builds.
pub fn enable() {
    ON.store(cfg!(debug_assertions), Ordering::Relaxed);
}

/// Whether this program talks like a later version.
#[must_use]
pub fn is_on() -> bool {
    cfg!(debug_assertions) && ON.load(Ordering::Relaxed)
}

/// Another number each time, spread over the whole range (Knuth's multiplicative hash).
fn dice() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(2_654_435_761).rotate_left(16)
}

/// Adds a field to a message.
pub(crate) fn json(text: &mut String) {
    if is_on() && text.pop() == Some('}') {
        let dice = dice();
        let values = ["null", "true", "-1.5", "\"x\"", "[{\"type\":\"bye\"}]", "{\"grease\":{}}"];
        let value = values.get(dice as usize % values.len()).unwrap_or(&"null");
        text.push_str(&format!(",\"grease-{:x}\":{value}}}", dice % 16));
    }
}

/// Adds a group and a flag to a frame of version 2.
pub(crate) fn frame(bytes: &mut FrameBytes) {
    if is_on() {
        let dice = dice().to_be_bytes();
        let kind = FIRST_KIND | (dice[0] & 0x1f);
        let contents = [dice[1]; 20];
        bytes.push_group(
            kind,
            contents.get(..usize::from(dice[2]) % contents.len()).unwrap_or_default(),
        );
        bytes.set_bit(GREASED_BYTE, 0x80);
    }
}

/// Every frame has flags, or bits set aside for them, in its fourth byte.
const GREASED_BYTE: usize = 3;

/// Messages of a later version, to be sent now and then beside the true ones: an unknown type, and
/// known types with words that are unknown. Empty unless grease is on. They are about no session
/// that there is, so that nothing follows from them.
#[must_use]
pub fn messages() -> Vec<String> {
    if !is_on() {
        return Vec::new();
    }
    let dice = dice() % 4096;
    vec![
        format!(
            "{{\"type\":\"grease-{dice}\",\"session\":\"{NOBODY}\",\"words\":[\"grease\",{dice}]}}"
        ),
        format!("{{\"type\":\"bye\",\"session\":\"{NOBODY}\",\"reason\":\"grease-{dice}\"}}"),
        format!(
            "{{\"type\":\"error\",\"code\":\"grease-{dice}\",\"text\":\"grease\",\"session\":\"{NOBODY}\"}}"
        ),
    ]
}
