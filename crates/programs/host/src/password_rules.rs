//! Which passwords people may choose.

use rccar_protocol::guessable::is_guessable;
use rccar_protocol::text::Name;
use rccar_site::{AccountError, Password};

/// Shortest password, in characters (NIST SP 800-63B section 5.1.1.2).
const MIN_CHARACTERS: usize = 8;

/// Refuses passwords that are guessed first (NIST SP 800-63B section 5.1.1.2: those that are
/// common, repeated, in a row, or made of the user's name).
///
/// By a short list of words and what people do with them, and not by a library such as `zxcvbn`:
/// online guesses are throttled, so that the first ten thousand count and not the strength beyond,
/// and its dictionaries would be larger than the rest of the program.
pub(crate) fn check_password(password: &Password, user: &Name) -> Result<(), AccountError> {
    if password.0.chars().count() < MIN_CHARACTERS {
        return Err(AccountError::WeakPassword("the password needs 8 characters at least"));
    }
    if is_guessable(&password.0, &[user.as_str()]) {
        return Err(AccountError::WeakPassword(
            "this password is among the first that others try; take several words, or random \
             letters",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_name;

    #[test]
    fn row_10_common_passwords_are_refused_and_passphrases_are_not() {
        let refused = |text: &str| {
            check_password(&Password(text.to_owned()), &test_name("Ada Lovelace")).is_err()
        };
        for text in [
            "short",
            "12345678",
            "87654321",
            "password",
            "Password1!",
            "P@ssw0rd",
            "passw0rd2024",
            "qwertyuiop",
            "qwerty123",
            "1q2w3e4r",
            "iloveyou",
            "aaaaaaaa",
            "abcabcabc",
            "11112222",
            "letmein!",
            "sunshine1",
            "football99",
            "Summer2024",
            "trustno1",
            "adalovelace",
            "AdaLovelace1",
            "rccar123",
            "changeme",
            "        ",
            "19841984",
            "0000000000",
        ] {
            assert!(refused(text), "{text}");
        }
        for text in [
            "correct horse",
            "battery staple",
            "a long enough passphrase",
            "k7mpq2xvht",
            "Zoë fährt Rad",
            "gQ7#pl0w",
            "winter gloves and a kettle",
            "seven plum tractors",
        ] {
            assert!(!refused(text), "{text}");
        }
    }
}
