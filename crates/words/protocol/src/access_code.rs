//! The code that opens a car's own page: which codes are too easy to guess.

use crate::guessable::is_guessable;

/// Characters of the shortest code.
pub const MIN_CHARACTERS: usize = 10;
/// Different letters and digits in it. Ten random ones out of 31 have fewer once in a million.
const MIN_DIFFERENT: usize = 5;
/// Digits of a code that has nothing else: 43 bits.
const MIN_DIGITS: usize = 13;
/// Why a code is too easy to guess, in words; `None`: it will do. Whoever is in the car's network
/// may try some 40,000 of them a day.
#[must_use]
pub fn weakness(code: &str) -> Option<&'static str> {
    let plain: Vec<char> =
        code.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    if code.chars().count() < MIN_CHARACTERS || plain.len() < MIN_CHARACTERS - 1 {
        return Some("it needs at least 10 characters, 9 of them letters or digits");
    }
    let mut different = plain.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < MIN_DIFFERENT {
        return Some("it needs more different letters and digits");
    }
    if plain.iter().all(char::is_ascii_digit) && plain.len() < MIN_DIGITS {
        return Some("a code of digits alone needs 13 of them");
    }
    is_guessable(code, &[])
        .then_some("it stands in a row, as 12345, or is what everybody tries first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_12_codes_that_people_think_of_first_are_weak() {
        for code in [
            "",
            "1234",
            "open sesame",
            "12345678",
            "1234567890",
            "abcdefghij",
            "abcdefgh23",
            "password123",
            "Passw0rd",
            "aaaaaaaaaaaa",
            "abababababab",
            "271828182845",
            "rccar-rccar-1",
            "----------abc",
        ] {
            assert!(weakness(code).is_some(), "{code}");
        }
    }

    #[test]
    fn random_codes_and_several_words_will_do() {
        for code in ["k7mpq-2xvht", "seven plum tractors", "2718281828459", "Zoë fährt Rad!"] {
            assert_eq!(weakness(code), None, "{code}");
        }
    }
}
