//! Wi-Fi and mobile networks.

use super::Checked;

/// A network's name: 1 to 32 bytes (IEEE 802.11, section 9.4.2.2), UTF-8 because iwd takes no
/// other.
pub(crate) fn ssid(text: &str) -> Checked {
    match text.len() {
        0 => Err("the name is empty; put # before the line to have no Wi-Fi".into()),
        1..=32 if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        1..=32 => Err("the name holds control characters".into()),
        bytes => Err(format!("the name of a network has 32 bytes at most, this has {bytes}")),
    }
}

/// A passphrase of 8 to 63 printable ASCII characters, or the key itself in 64 hexadecimal digits
/// (IEEE 802.11, annex J.4).
pub(crate) fn wifi_password(text: &str) -> Checked {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    if text.is_empty() {
        return Err("the password is empty; put # before the line if the network has none".into());
    }
    if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(
            "a Wi-Fi password has letters without accents, digits, spaces and the signs of \
                    an English keyboard"
                .into(),
        );
    }
    match text.len() {
        8..=63 => Ok(text.to_owned()),
        characters => Err(format!(
            "a Wi-Fi password has 8 to 63 characters (or is a key of 64 digits), \
             this has {characters}"
        )),
    }
}

/// An access point name: labels of letters, digits and hyphens between dots (3GPP TS 23.003 section
/// 9.1). The rule allows no underscores, but some operators use them.
pub(crate) fn apn(text: &str) -> Checked {
    let legal = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if text.len() <= 100 && text.split('.').all(legal) {
        return Ok(text.to_owned());
    }
    Err("an APN has letters, digits, hyphens and dots; ask the operator of the SIM card for it"
        .into())
}

/// How user and password of an access point are sent.
pub(crate) fn auth(text: &str) -> Checked {
    match text {
        "any" | "pap" | "chap" => Ok(text.to_owned()),
        _ => {
            Err("user and password are sent by \"pap\", by \"chap\", or by \"any\" of them".into())
        }
    }
}

/// The kinds of addresses that a mobile network is asked for.
pub(crate) fn ip_type(text: &str) -> Checked {
    match text {
        "ipv4v6" | "ipv4" | "ipv6" => Ok(text.to_owned()),
        _ => {
            Err("the network is asked for \"ipv4\", for \"ipv6\", or for \"ipv4v6\", which is both"
                .into())
        }
    }
}

/// A PIN (3GPP TS 31.101 section 9.5.1).
pub(crate) fn pin(text: &str) -> Checked {
    if (4..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("a PIN has 4 to 8 digits".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_networks_have_32_bytes_at_most() {
        assert!(ssid(&"ü".repeat(16)).is_ok());
        assert!(ssid(&"ü".repeat(17)).unwrap_err().contains("this has 34"));
        assert!(ssid("").is_err() && ssid("a\u{7}").is_err());
    }

    #[test]
    fn passwords_of_wifi_have_8_to_63_characters_or_64_digits() {
        assert!(wifi_password("12345678").is_ok() && wifi_password(&"x".repeat(63)).is_ok());
        assert_eq!(wifi_password(&"AB".repeat(32)).unwrap(), "ab".repeat(32));
        for (wrong, words) in [
            ("1234567", "this has 7"),
            (&"x".repeat(64), "this has 64"),
            ("", "empty"),
            ("schlüssel", "accents"),
        ] {
            assert!(wifi_password(wrong).unwrap_err().contains(words), "{wrong}");
        }
    }

    #[test]
    fn access_points_and_pins_have_a_form() {
        assert!(apn("internet").is_ok() && apn("web.vodafone.de").is_ok());
        assert!(
            apn("").is_err()
                && apn("a..b").is_err()
                && apn("http://a").is_err()
                && apn("*99#").is_err()
        );
        assert!(pin("0123").is_ok() && pin("123").is_err() && pin("12a4").is_err());
        assert!(auth("pap").is_ok() && auth("PAP").is_err() && auth("none").is_err());
        assert!(ip_type("ipv4v6").is_ok() && ip_type("ipv4").is_ok() && ip_type("4").is_err());
    }
}
