//! The program comes through and says what is wrong, whatever is on the card.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_provision::{Settings, parse};

const TEMPLATE: &str = include_str!("../../../../overlays/boot/firmware/provision.toml");

fn checks(bytes: &[u8]) {
    let parsed = parse(bytes);
    let lines = bytes.len() + 1;
    for fault in &parsed.faults {
        assert!(
            (1..=lines).contains(&fault.line) && !fault.key.is_empty() && !fault.what.is_empty(),
            "{fault:?}"
        );
        assert!(!fault.to_string().contains('\u{0}'), "{fault:?}");
    }
    assert!(
        !parsed.faults.is_empty() || parsed.faulty.is_empty(),
        "a table is left out only with a fault"
    );
    // What is kept reads back as it was.
    let settings = parsed.settings_or(&Settings::default());
    let again = parse(toml::to_string(&settings).unwrap().as_bytes());
    assert_eq!(again.faults, []);
    assert_eq!(again.settings, settings);
}

/// Headings, keys with values, comments and line ends, with slips of form.
const FILE_LIKE: &str = concat!(
    r#"(\[(host|wifi|x|camera)\]?|"#,
    r#"(url|ssid|password|fps|y)? ?=? ?["“'\[{]?[a-z0-9\\=ü#. ]{0,12}["”'\]}]?|"#,
    r##"#.*|\n|\r\n){0,30}"##,
);

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        checks(&bytes);
    }

    #[test]
    fn anything_that_looks_like_a_file_is_read(text in FILE_LIKE) {
        checks(text.as_bytes());
    }

    #[test]
    fn a_template_with_a_damaged_byte_is_read(at in 0..TEMPLATE.len(), byte: u8) {
        let text = TEMPLATE.replace("\n# url", "\nurl").replace("\n# ssid", "\nssid");
        let mut bytes = text.replace("\n# fps", "\nfps").into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        checks(&bytes);
    }
}
