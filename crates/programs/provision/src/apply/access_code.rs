//! The code that opens the car's own page, where the card sets none.

use super::files::{Readers, put, text};
use super::places::Places;
use crate::settings::Lan;
use crate::values;
use rccar_daemon::files::FileError;

/// Without look-alikes (no i, l, o, 0, 1), for people who type it on a phone.
const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

#[derive(Debug, thiserror::Error)]
pub(super) enum CodeError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
}

/// The card's code, or the one that this program made at the first start. The report shows it: a
/// person who holds the card can read everything on it anyway.
pub(super) fn code(places: &Places, lan: &Lan) -> Result<String, CodeError> {
    // An earlier version took codes that are too easy to guess, and the car keeps them while the
    // card has a mistake.
    if let Some(code) = lan.access_code.as_ref().filter(|code| values::access_code(code).is_ok()) {
        return Ok(code.clone());
    }
    let path = places.kept().join("access-code");
    if let Some(kept) = text(&path)?.and_then(|text| values::access_code(text.trim()).ok()) {
        return Ok(kept);
    }
    let mut code = random()?;
    while values::access_code(&code).is_err() {
        code = random()?;
    }
    put(&path, &format!("{code}\n"), Readers::Nobody)?;
    Ok(code)
}

/// Ten random letters (49 bits) in two groups. Wrong codes are throttled, however many addresses
/// they come from, which leaves strangers some 10⁷ tries in a year.
fn random() -> Result<String, getrandom::Error> {
    let mut code = String::new();
    while code.len() < 11 {
        let mut byte = [0];
        getrandom::fill(&mut byte)?;
        // 32 numbers are equally likely, for 31 letters: the last number is drawn again.
        let Some(&letter) = LETTERS.get(usize::from(byte[0] & 31)) else { continue };
        code.push(char::from(letter));
        if code.len() == 5 {
            code.push('-');
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_made_once_and_is_legal() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        let made = code(&places, &Lan::default()).unwrap();
        assert!(
            values::access_code(&made).is_ok() && made.len() == 11 && made.as_bytes()[5] == b'-',
            "{made}"
        );
        assert_eq!(code(&places, &Lan::default()).unwrap(), made);
        let own = |code: &str| Lan { access_code: Some(code.into()) };
        assert_eq!(code(&places, &own("seven plum tractors")).unwrap(), "seven plum tractors");
        assert_eq!(code(&places, &own("open sesame")).unwrap(), made, "too easy to guess");
    }

    #[test]
    fn a_damaged_code_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        put(&places.kept().join("access-code"), "x", Readers::Nobody).unwrap();
        assert!(code(&places, &Lan::default()).unwrap().len() > 8);
    }
}
