//! Limits that are too long for the vectors, and secrets that must not be shown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_protocol::signaling::{FromDriver, IceServer, parse};
use rccar_protocol::text::{Note, Sdp, SessionId, TextError};

#[test]
fn an_sdp_may_have_49152_bytes_and_not_one_more() {
    let longest = "v=0\r\n".to_owned() + &"a".repeat(Sdp::MAX_BYTES - 5);
    let answer = |sdp: &str| {
        let message = serde_json::json!({
            "type": "answer", "session": "00c0ffee00c0ffee", "generation": 1, "sdp": sdp,
        });
        parse::<FromDriver>(&message.to_string())
    };
    assert!(answer(&longest).is_ok());
    let error = answer(&(longest + "a")).unwrap_err();
    assert!(
        error.to_string().contains("sdp has 49153 bytes, at most 49152 are allowed"),
        "{error}"
    );
}

#[test]
fn a_refusal_says_what_is_wrong_in_words() {
    assert_eq!(Note::new("").unwrap_err().to_string(), "text is empty");
    assert_eq!(
        Note::new("x".repeat(257)).unwrap_err(),
        TextError::TooLong { what: "text", got: 257, max: 256 }
    );
    assert_eq!(
        Note::new("a\u{7}").unwrap_err().to_string(),
        "text holds a character that is not allowed: no control characters"
    );
}

#[test]
fn a_refused_message_is_not_repeated_at_length() {
    let error =
        parse::<FromDriver>(&format!("{{\"type\":\"{}\"}}", "ж".repeat(10_000))).unwrap_err();
    assert!(error.text.as_str().len() <= Note::MAX_BYTES, "{error}");
}

#[test]
fn the_credential_of_an_ice_server_is_not_in_its_debug_form() {
    let server = IceServer {
        urls: vec!["turn:a".into()],
        username: Some("b".into()),
        credential: Some("topsecret".into()),
    };
    let shown = format!("{server:?}");
    assert!(shown.contains("turn:a") && !shown.contains("topsecret"), "{shown}");
}

proptest! {
    #[test]
    fn a_note_can_be_made_of_any_text(text in any::<String>(), times in 0usize..40) {
        let note = Note::lossy(&text.repeat(times));
        prop_assert_eq!(Note::new(note.as_str()), Ok(note));
    }

    #[test]
    fn a_legal_text_is_a_note_without_change(text in "[ -~]{0,100}[a-z]") {
        let note = Note::lossy(&text);
        prop_assert_eq!(note.as_str(), text);
    }

    #[test]
    fn every_number_but_zero_is_a_session(bits: u64) {
        let session = SessionId::from_random(bits);
        prop_assert!(bits == 0 || session.0.get() == bits);
        prop_assert_eq!(SessionId::try_from(session.to_string()), Ok(session));
    }
}
