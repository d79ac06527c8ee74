//! Parsing at the edge: size, JSON, known type, legal fields, in this order.

use super::common::ErrorCode;
use crate::MAX_MESSAGE_BYTES;
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
}

/// Reads one message of the type that this channel and direction carry.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, MessageError> {
    if text.len() > MAX_MESSAGE_BYTES {
        let why = format!("message has {} bytes, at most {MAX_MESSAGE_BYTES} are allowed", text.len());
        return Err(MessageError::new(ErrorCode::TooLarge, &why));
    }
    serde_json::from_str(text).map_err(|error| {
        let why = error.to_string();
        let code = if why.starts_with("unknown variant") && serde_json::from_str::<KnownShape>(text).is_ok() {
            // Illegal values of enumerated fields read the same; only the tag makes the type unknown.
            if is_tag_error::<T>(text) { ErrorCode::UnknownType } else { ErrorCode::Malformed }
        } else {
            ErrorCode::Malformed
        };
        MessageError::new(code, &why)
    })
}

#[derive(serde::Deserialize)]
struct KnownShape {
    #[serde(rename = "type")]
    kind: String,
}

/// Whether a message that holds the tag alone is refused for the tag, too.
fn is_tag_error<T: DeserializeOwned>(text: &str) -> bool {
    serde_json::from_str::<KnownShape>(text).is_ok_and(|shape| {
        let tag_only = serde_json::json!({ "type": shape.kind });
        serde_json::from_value::<T>(tag_only).is_err_and(|error| error.to_string().starts_with("unknown variant"))
    })
}

/// A message as JSON text.
pub trait Json: Serialize {
    /// The text. Serialising a message of this crate cannot fail: keys are strings and no value refuses.
    fn to_json(&self) -> String {
        #[expect(clippy::expect_used, reason = "see above; the vectors cover every message")]
        serde_json::to_string(self).expect("messages serialise")
    }
}

impl<T: Serialize> Json for T {}
