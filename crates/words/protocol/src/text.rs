//! Bounded strings and identifiers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a string was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("{what} has {got} bytes, at most {max} are allowed")]
    TooLong {
        /// What the string stands for, such as `car`.
        what: &'static str,
        /// Size in bytes.
        got: usize,
        /// Largest size in bytes.
        max: usize,
    },
    /// The string is empty, or holds nothing but white space.
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} holds a character that is not allowed: {rule}")]
    Characters {
        what: &'static str,
        /// Which characters are allowed.
        rule: &'static str,
    },
    #[error("{what} is not {rule}")]
    Form {
        what: &'static str,
        /// What the string should be.
        rule: &'static str,
    },
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $rule:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Largest size in bytes.
            pub const MAX_BYTES: usize = $max;

            pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                let allowed: fn(char) -> bool = $allowed;
                if text.trim().is_empty() {
                    Err(TextError::Empty { what: $what })
                } else if text.len() > $max {
                    Err(TextError::TooLong { what: $what, got: text.len(), max: $max })
                } else if !text.chars().all(allowed) {
                    Err(TextError::Characters { what: $what, rule: $rule })
                } else {
                    Ok(Self(text))
                }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use bounded_text;

bounded_text!(
    /// The name that people give to a car or to themselves.
    Name, "name", 64, "no control characters", |c| !c.is_control()
);
bounded_text!(
    /// A car's identifier: the fingerprint of its key ([`crate::identity::CarKey::id`]).
    CarId, "car", 26, "lower-case letters and digits 2–7 (base32)",
    |c| matches!(c, 'a'..='z' | '2'..='7')
);
bounded_text!(
    /// A session description (RFC 8866).
    Sdp, "sdp", 49152, "no control characters but CR and LF",
    |c| matches!(c, '\r' | '\n') || !c.is_control()
);
bounded_text!(
    /// A short text for people, such as an explanation.
    Note, "text", 256, "no control characters", |c| !c.is_control()
);
bounded_text!(
    /// A program and its version, such as `rccar-car/0.1.0`.
    Software, "software", 64, "printable ASCII", |c| c.is_ascii_graphic() || c == ' '
);

impl Note {
    /// Makes a note of any text. Control characters become spaces, the end of a long text is cut
    /// off, and an empty text becomes `-`.
    #[must_use]
    pub fn lossy(text: &str) -> Self {
        let mut clean: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let cut = (0..=Self::MAX_BYTES.min(clean.len()))
            .rev()
            .find(|&at| clean.is_char_boundary(at))
            .unwrap_or(0);
        clean.truncate(cut);
        if clean.trim().is_empty() { Self("-".into()) } else { Self(clean) }
    }
}

/// A session between one driver and one car. Unique on its signaling host. In JSON it has 16
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(pub std::num::NonZeroU64);

impl SessionId {
    /// Zero is not a session: it becomes one.
    #[must_use]
    pub fn from_random(bits: u64) -> Self {
        Self(std::num::NonZeroU64::new(bits).unwrap_or(std::num::NonZeroU64::MIN))
    }
}

impl TryFrom<String> for SessionId {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        const RULE: TextError =
            TextError::Characters { what: "session", rule: "16 hexadecimal digits, not all zero" };
        if text.len() != 16 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(RULE);
        }
        u64::from_str_radix(&text, 16)
            .ok()
            .and_then(std::num::NonZeroU64::new)
            .map(Self)
            .ok_or(RULE)
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> String {
        id.to_string()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}
