//! Explains RAUC's errors in plain words.

use rccar_rauc::RaucError;
use rccar_update_core::Fault;

/// A part of RAUC's text, and its meaning for the owner. The first that fits counts, so special
/// ones come before general ones.
const MEANINGS: [(&str, Meaning); 8] = [
    ("Compatible mismatch", Meaning::Final("it is made for another board")),
    ("certificate revoked", Meaning::Final("it is signed by a key that was revoked")),
    (
        "CRL",
        Meaning::Version(
            "its key cannot be checked for revocation: \
             the list of revoked keys is missing or out of date",
        ),
    ),
    (
        "signature verification failed",
        Meaning::Version("it is not signed by a key that this car trusts"),
    ),
    ("Version mismatch", Meaning::Final("it is older than this car accepts")),
    ("manifest hash", Meaning::Version("the bundle changed while it was being installed")),
    ("No space left", Meaning::Version("there is no space left on the card")),
    (
        "Input/output error",
        Meaning::Version(
            "reading or writing failed: the card may be worn out, or the bundle damaged",
        ),
    ),
];

#[derive(Clone, Copy)]
enum Meaning {
    Version(&'static str),
    Final(&'static str),
}

/// Whether an error of RAUC counts against the version, and in which words.
pub(crate) fn fault(error: &RaucError) -> Fault {
    let RaucError::Refused(text) = error else { return Fault::Passing(error.to_string()) };
    let meaning =
        MEANINGS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, meaning)| *meaning);
    match meaning {
        Some(Meaning::Version(words)) => Fault::Version(format!("{words} (RAUC: {text})")),
        Some(Meaning::Final(words)) => Fault::Final(format!("{words} (RAUC: {text})")),
        None => Fault::Version(format!("RAUC: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_errors_are_explained_and_others_quoted() {
        let fault = |text: &str| fault(&RaucError::Refused(text.to_owned()));
        assert_eq!(
            fault("signature verification failed: Verify error: self-signed certificate"),
            Fault::Version(
                "it is not signed by a key that this car trusts (RAUC: signature verification \
                 failed: Verify error: self-signed certificate)"
                    .to_owned()
            )
        );
        assert!(matches!(
            fault("signature verification failed: Verify error: certificate revoked"),
            Fault::Final(_)
        ));
        assert!(matches!(
            fault("Compatible mismatch: Expected 'a' but bundle manifest has 'b'"),
            Fault::Final(_)
        ));
        assert_eq!(fault("something new"), Fault::Version("RAUC: something new".to_owned()));
        assert!(matches!(super::fault(&RaucError::Absent), Fault::Passing(_)));
    }
}
