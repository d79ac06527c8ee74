//! Grease: a program says today what only a later version will say, so that receivers stay able to
//! skip it (RFC 8701 names the idea).
//!
//! It is off unless a program of a test build [turns it on](enable); release builds cannot. When it
//! is on,
//!
//! * every JSON message has one more field, which nobody knows,
//! * every binary frame of version 2 has one more group and one more flag,
//! * the hello of car and drive names one more version, and is longer,
//! * programs send [messages] beside their own that nobody can use.

use crate::frame::FrameBytes;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU32 = AtomicU32::new(0);

/// First kind of group that no version will give a meaning to.
pub const FIRST_KIND: u8 = 224;
/// A session that nobody has.
const NOBODY: &str = "fffffffffffffff1";

/// Makes this program talk like a later version from now on. In release builds nothing happens.
pub fn enable() {
    ON.store(cfg!(debug_assertions), Ordering::Relaxed);
}

#[must_use]
pub fn is_on() -> bool {
    cfg!(debug_assertions) && ON.load(Ordering::Relaxed)
}

/// Another number each time, spread over the whole range (Knuth's multiplicative hash).
fn dice() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed).wrapping_mul(2_654_435_761).rotate_left(16)
}

/// Adds a field to the text of a JSON object.
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

/// Messages of a later version, to be sent now and then beside the true ones: one of an unknown
/// type, and some of known types with unknown words. Empty unless grease is on. They name a session
/// that does not exist, so that they have no effect.
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
            "{{\"type\":\"error\",\"code\":\"grease-{dice}\",\"text\":\"grease\",\
             \"session\":\"{NOBODY}\"}}"
        ),
    ]
}
