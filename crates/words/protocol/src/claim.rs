//! The code with which a person claims a car that nobody owns yet.

use crate::text::TextError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Crockford's base32: no letter that looks like a digit, and no U, so that a code is rarely an
/// ordinary word by chance.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Eight letters of five bits make 2⁴⁰ codes. A host knows a few hundred of them at most, and lets
/// a person try a few an hour.
const LETTERS: usize = 8;

/// A claim code, written `K7QP-2VXH`. Anybody who knows it can take the car, so its `Debug` form
/// hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClaimCode([u8; LETTERS]);

impl ClaimCode {
    const RULE: TextError = TextError::Characters {
        what: "claim code",
        rule: "two groups of four digits or letters, such as K7QP-2VXH",
    };

    /// Only the lowest 40 bits count.
    #[must_use]
    pub fn from_random(bits: u64) -> Self {
        let letter =
            |at: usize| ALPHABET[usize::try_from(bits >> (5 * at) & 31).unwrap_or_default()];
        Self(std::array::from_fn(letter))
    }

    /// Reads what a person typed. Small letters, missing separators, O for 0, and I or L for 1 are
    /// all taken.
    pub fn from_typed(text: &str) -> Result<Self, TextError> {
        let letters = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_'))
            // One more than a code has, so that a longer text is refused and not cut.
            .take(LETTERS + 1);
        let letter = |c: char| {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            u8::try_from(c).ok().filter(|byte| ALPHABET.contains(byte))
        };
        let letters: Option<Vec<u8>> = letters.map(letter).collect();
        letters.and_then(|letters| letters.try_into().ok()).map(Self).ok_or(Self::RULE)
    }
}

impl TryFrom<String> for ClaimCode {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        // On the wire a code has one form only: what `from_typed` forgives is refused here.
        Self::from_typed(&text).ok().filter(|code| code.to_string() == text).ok_or(Self::RULE)
    }
}

impl From<ClaimCode> for String {
    fn from(code: ClaimCode) -> String {
        code.to_string()
    }
}

impl fmt::Display for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, &letter) in self.0.iter().enumerate() {
            let separator = if at == LETTERS / 2 { "-" } else { "" };
            write!(f, "{separator}{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ClaimCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimCode(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_may_type_it_as_they_like() {
        for typed in ["K70P-21XH", "k7op2lxh", " k70p 2ixh ", "K70P–21XH"] {
            assert_eq!(
                ClaimCode::from_typed(typed).map(String::from).as_deref(),
                Ok("K70P-21XH"),
                "{typed}"
            );
        }
        for wrong in ["", "K70P-21X", "K70P-21XHH", "K70P-21XU", "K70P-21X€"] {
            assert!(ClaimCode::from_typed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn there_is_one_form_on_the_wire() {
        for wrong in ["k70p-21xh", "K70P21XH", "KO0P-21XH", "K70P-21XH "] {
            assert!(ClaimCode::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_does_not_show_itself_in_logs() {
        assert_eq!(format!("{:?}", ClaimCode::from_random(7)), "ClaimCode(hidden)");
    }

    proptest::proptest! {
        #[test]
        fn every_random_code_reads_back(bits: u64) {
            let code = ClaimCode::from_random(bits);
            proptest::prop_assert_eq!(ClaimCode::try_from(code.to_string()), Ok(code));
        }
    }
}
