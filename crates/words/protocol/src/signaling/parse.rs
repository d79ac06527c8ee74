//! Parsing at the edge checks the size, the JSON object, the type and the fields, in this order.

use super::common::ErrorCode;
use crate::MAX_MESSAGE_BYTES;
use crate::grease;
use crate::text::Note;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a JSON message was refused. The receiver answers with both parts.
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

/// Reads one message. `T` is the enumeration of messages of this channel and direction.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, MessageError> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(MessageError::too_large(text.len()));
    }
    let malformed = |error: serde_json::Error| MessageError::malformed(&error.to_string());
    // A derived enum would also read an array: type and fields by position.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(MessageError::malformed("a message is a JSON object"));
    }
    // serde reports an unknown type like any other fault. We tell the two apart, because the other
    // end may only be newer.
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

/// Whether `T` has a message of this type. We try to read one that has nothing but the type: if the
/// type is known, serde refuses the missing fields and not the type.
fn is_known<T: DeserializeOwned>(kind: &str) -> bool {
    let tag_only = serde_json::json!({ "type": kind });
    !serde_json::from_value::<T>(tag_only)
        .is_err_and(|error| error.to_string().starts_with("unknown variant"))
}

pub trait Json: Serialize {
    /// Cannot fail for a message of this crate: its keys are strings, and all of its values can be
    /// written.
    fn to_json(&self) -> String {
        #[expect(clippy::expect_used, reason = "see above; the vectors cover every message")]
        let mut text = serde_json::to_string(self).expect("messages serialise");
        grease::json(&mut text);
        text
    }
}

impl<T: Serialize> Json for T {}
