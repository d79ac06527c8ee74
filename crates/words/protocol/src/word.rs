//! Words: names of states, reasons and kinds that both ends know, and that later versions add to.
//!
//! **A word that this version does not know is kept, never refused** (`PROTOCOL.md`, "Words and
//! versions"). Every enumeration of words has a variant `Other` for unknown words, and so the
//! compiler makes each program say what it does with them.

use crate::text::TextError;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A word that has no meaning in this version: 1 to 32 of `a`–`z`, `0`–`9` and `-`, beginning with
/// a letter.
///
/// ```
/// use rccar_protocol::word::Word;
/// assert_eq!(Word::new("cycle-moon")?.as_str(), "cycle-moon");
/// assert!(Word::new("Two words").is_err());
/// # Ok::<(), rccar_protocol::text::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word {
    // Kept in place, not on the heap: everything that holds a word stays `Copy`. Unused bytes are
    // zero, so that equal words are equal.
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

impl Word {
    /// Largest size in bytes.
    pub const MAX_BYTES: usize = 32;
    const RULE: TextError = TextError::Form {
        what: "word",
        rule: "1 to 32 lower-case letters, digits and hyphens, beginning with a letter",
    };

    pub fn new(text: &str) -> Result<Self, TextError> {
        let legal = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        if !legal || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(Self::RULE);
        }
        let mut bytes = [0; Self::MAX_BYTES];
        bytes.get_mut(..text.len()).ok_or(Self::RULE)?.copy_from_slice(text.as_bytes());
        Ok(Self { bytes, length: u8::try_from(text.len()).map_err(|_| Self::RULE)? })
    }

    /// The word that stands for a number of a binary frame without a word, such as `other-12`.
    pub(crate) fn numbered(number: u8) -> Self {
        let mut word = Self { bytes: [0; Self::MAX_BYTES], length: 0 };
        let digits = [number / 100, number / 10 % 10, number % 10];
        // Leading zeros are left out, but not the last digit: zero is `other-0`.
        let zeros = digits.iter().take(2).take_while(|digit| **digit == 0).count();
        let text =
            b"other-".iter().copied().chain(digits.iter().skip(zeros).map(|digit| b'0' + digit));
        for (slot, letter) in word.bytes.iter_mut().zip(text) {
            *slot = letter;
            word.length += 1;
        }
        word
    }

    /// The inverse of [`Self::numbered`]; `None` for any other word.
    pub(crate) fn number(self) -> Option<u8> {
        let digits = self.as_str().strip_prefix("other-")?;
        // `parse` also takes `+1` and `01`, which `numbered` never writes.
        digits.parse().ok().filter(|number| Self::numbered(*number) == self)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length.into())
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Makes an enumeration of words. A word that is not listed becomes `Other`.
macro_rules! words {
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that a later version has added.
            Other($crate::word::Word),
        }

        impl $name {
            /// Every word but `Other`, in the order of `PROTOCOL.md`.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word.as_str(),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::TextError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => $crate::word::Word::new(text).map(Self::Other),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use words;

/// The same with a number for each word, by which binary frames name it. The first word is the
/// default. `v1` lists the numbers that frames of version 1 have, for ever; `else` is the word that
/// stands there for all others.
macro_rules! numbered_words {
    (
        $(#[$doc:meta])* $name:ident, v1: 0..=$last:literal else $instead:ident, {
            $(#[$fdoc:meta])* $first:ident = $fnumber:literal $fword:literal,
            $($(#[$vdoc:meta])* $variant:ident = $number:literal $word:literal),+ $(,)?
        }
    ) => {
        $crate::word::words! {
            $(#[$doc])*
            $name { $(#[$fdoc])* $first = $fword, $($(#[$vdoc])* $variant = $word),+ }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$first
            }
        }

        impl $name {
            /// The number on the wire; 255 for a word without a number.
            #[must_use]
            pub fn to_byte(self) -> u8 {
                match self {
                    Self::$first => $fnumber,
                    $(Self::$variant => $number,)+
                    // `other-1` must not turn into the known word that has number 1.
                    Self::Other(word) => word
                        .number()
                        .filter(|number| matches!(Self::from_byte(*number), Self::Other(_)))
                        .unwrap_or(u8::MAX),
                }
            }

            /// Reads the number from the wire. A number without a word here becomes `other-` and
            /// the number.
            #[must_use]
            pub fn from_byte(number: u8) -> Self {
                match number {
                    $fnumber => Self::$first,
                    $($number => Self::$variant,)+
                    _ => Self::Other($crate::word::Word::numbered(number)),
                }
            }

            /// Whether frames of version 1 have this word.
            pub(crate) fn is_in_v1(self) -> bool {
                self.to_byte() <= $last
            }

            pub(crate) fn to_byte_in(self, layout: $crate::Layout) -> u8 {
                let stays = layout != $crate::Layout::V1 || self.is_in_v1();
                if stays { self } else { Self::$instead }.to_byte()
            }

            pub(crate) fn from_byte_in(
                layout: $crate::Layout,
                number: u8,
                field: &'static str,
            ) -> Result<Self, $crate::FrameError> {
                let word = Self::from_byte(number);
                let legal = layout != $crate::Layout::V1 || word.is_in_v1();
                legal
                    .then_some(word)
                    .ok_or($crate::FrameError::Range { field, value: number.into() })
            }
        }
    };
}
pub(crate) use numbered_words;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_word_that_leads_back_to_it() {
        for number in 0..=u8::MAX {
            let word = Word::numbered(number);
            assert_eq!(word.as_str(), format!("other-{number}"));
            assert_eq!(word.number(), Some(number));
        }
        for text in ["other-", "other-01", "other-256", "other-+1", "others-1"] {
            assert_eq!(Word::new(text).ok().and_then(Word::number), None, "{text}");
        }
    }

    #[test]
    fn words_have_at_most_their_size() {
        let longest = "a".repeat(Word::MAX_BYTES);
        assert_eq!(Word::new(&longest).map(|word| word.to_string()), Ok(longest.clone()));
        for text in ["", "-a", "1a", "A", "a b", "ä", "a\0", &format!("{longest}a")] {
            assert_eq!(Word::new(text), Err(Word::RULE), "{text:?}");
        }
    }
}
