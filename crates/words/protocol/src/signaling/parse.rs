//! Parsing at the edge: size, JSON object, known type, legal fields, in this order.

use super::common::ErrorCode;
use crate::MAX_MESSAGE_BYTES;
use crate::grease;
use crate::text::Note;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a JSON message was refused: what to answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{text}")]
pub struct MessageError {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub text: Note,
}

impl MessageError {
    fn new(code: ErrorCode, text: &str) -> Self {
        Self { code, text: Note::lossy(text) }
    }

    pub(crate) fn too_large(bytes: usize) -> Self {
        Self::new(
            ErrorCode::TooLarge,
            &format!("message has {bytes} bytes, at most {MAX_MESSAGE_BYTES} are allowed"),
        )
    }

    pub(crate) fn malformed(why: &str) -> Self {
        Self::new(ErrorCode::Malformed, why)
    }
}

/// Reads one message of the type that this channel and direction carry.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, MessageError> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(MessageError::too_large(text.len()));
    }
    let malformed = |error: serde_json::Error| MessageError::malformed(&error.to_string());
    // A derived enum would also read an array: type and fields by position.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(MessageError::malformed("a message is a JSON object"));
    }
    let Tag { kind } = serde_json::from_str(text).map_err(malformed)?;
    serde_json::from_str(text)
        .map_err(|error| if is_known::<T>(&kind) { malformed(error) } else { unknown(&kind) })
}

fn unknown(kind: &str) -> MessageError {
    MessageError::new(ErrorCode::UnknownType, &format!("unknown message type {kind:?}"))
}

#[derive(serde::Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: String,
}

/// Whether `T` has a message of this type: one that holds nothing but the type is then refused for
/// what it lacks.
fn is_known<T: DeserializeOwned>(kind: &str) -> bool {
    let tag_only = serde_json::json!({ "type": kind });
    !serde_json::from_value::<T>(tag_only)
        .is_err_and(|error| error.to_string().starts_with("unknown variant"))
}

/// A message as JSON text.
pub trait Json: Serialize {
    /// The text. Serialising a message of this crate cannot fail: keys are strings and no value
    /// refuses.
    fn to_json(&self) -> String {
        #[expect(clippy::expect_used, reason = "see above; the vectors cover every message")]
        let mut text = serde_json::to_string(self).expect("messages serialise");
        grease::json(&mut text);
        text
    }
}

impl<T: Serialize> Json for T {}
