//! Strings that name somebody or something.

use rccar_protocol::claim::ClaimCode;
use rccar_protocol::identity::{CarKey, Nonce, Signature, registration_message};
use rccar_protocol::release::{AccessToken, BundlePath, Channel, Version};
use rccar_protocol::text::{CarId, Name, Note, Sdp, SessionId, Software, TextError};
use std::fmt::Debug;

/// Reads `data` as every kind of string.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    written_unchanged::<CarId>(text);
    written_unchanged::<Name>(text);
    written_unchanged::<Note>(text);
    written_unchanged::<Sdp>(text);
    written_unchanged::<Software>(text);
    written_unchanged::<ClaimCode>(text);
    written_unchanged::<Version>(text);
    written_unchanged::<Channel>(text);
    written_unchanged::<AccessToken>(text);
    written_unchanged::<BundlePath>(text);
    // Base64 must have one form for each value. Otherwise one could change a signature's text and
    // it would still be valid.
    written_unchanged::<CarKey>(text);
    written_unchanged::<Signature>(text);
    written_unchanged::<Nonce>(text);

    if let Ok(session) = SessionId::try_from(text.to_owned()) {
        assert_eq!(String::from(session), text.to_ascii_lowercase());
    }
    let note = Note::lossy(text);
    assert_eq!(Note::new(note.as_str()), Ok(note), "a note made of any text is legal");
    if let Ok(key) = CarKey::try_from(text.to_owned()) {
        assert_eq!(key.id().as_str().len(), CarId::MAX_BYTES);
    }
    different_hosts_are_signed_differently(text);
}

fn written_unchanged<T: TryFrom<String, Error = TextError> + Into<String> + Debug>(text: &str) {
    if let Ok(value) = T::try_from(text.to_owned()) {
        assert_eq!(value.into(), text);
    }
}

/// Takes the two halves of the text as host names: only equal ones may be signed equally.
fn different_hosts_are_signed_differently(text: &str) {
    let Some((one, other)) = text.split_once('|') else { return };
    let same =
        registration_message(one, &Nonce([0; 32])) == registration_message(other, &Nonce([0; 32]));
    assert_eq!(same, one.eq_ignore_ascii_case(other), "{one:?} and {other:?}");
}
