//! Checks of values. Every check answers in words that say what would be right, and quotes no
//! secret.

mod country;
mod hardware;
mod network;
mod ssh;

pub(crate) use country::country;
pub(crate) use hardware::{driver, power_monitor, sensor};
pub(crate) use network::{apn, auth, ip_type, pin, ssid, wifi_password};
pub(crate) use ssh::public_key;

use http::uri::Authority;
use rccar_protocol::loopback::is_loopback;
use rccar_protocol::text::Name;

/// The value as the car uses it, or what is wrong with it, in words.
pub(crate) type Checked = Result<String, String>;

/// The address of a signaling host, as the car takes it: scheme, name, perhaps a port, and no path.
pub(crate) fn url(text: &str) -> Checked {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || is_blank(c));
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(
            "the address has to begin with https:// (or http:// on a network of your own)".into()
        );
    };
    // Of any case (RFC 3986 section 3.1): keyboards of phones begin with a capital.
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err("the address has to begin with https:// or http://".into());
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#']) {
        return Err("the address ends with the host's name: remove what stands behind it".into());
    }
    if authority.contains('@') {
        return Err("the address has no user name in it: remove what stands before the @".into());
    }
    match authority.parse::<Authority>() {
        Ok(parsed) if is_loopback(parsed.host()) => Err(format!(
            "for the car, {} is the car itself: put the address under which other machines reach \
             the host",
            parsed.host()
        )),
        Ok(parsed) if has_wrong_port(&parsed) => Err(format!(
            "there is no port {}: ports are numbers from 1 to 65535, and without one the address \
             has the usual port",
            authority.rsplit(':').next().unwrap_or_default()
        )),
        Ok(parsed) if !parsed.host().is_empty() && !authority.ends_with(':') => {
            Ok(format!("{scheme}://{authority}"))
        }
        _ => Err("this is not the address of a host".into()),
    }
}

/// Of what copied text brings along at its ends.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

/// A port that is no number from 1 to 65535. Behind a colon nothing may stand as well (RFC 3986
/// section 3.2.3), but nobody means that.
fn has_wrong_port(authority: &Authority) -> bool {
    let text = authority.as_str();
    let has_port = text.rfind(':') > text.rfind(']') && !text.ends_with(':');
    has_port && authority.port_u16().is_none_or(|port| port == 0)
}

/// An enrolment token: 32 bytes in hexadecimal digits.
pub(crate) fn token(text: &str) -> Checked {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    let got = text.chars().count();
    Err(format!(
        "a token has 64 digits and letters from a to f, this has {got} characters; \
         copy it whole from \"Add a car\""
    ))
}

pub(crate) fn name(text: &str) -> Checked {
    Name::new(text).map(Into::into).map_err(|error| error.to_string())
}

/// A name or password for a mobile network.
pub(crate) fn short_text(text: &str) -> Checked {
    if text.is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
        return Err(
            "this has to have 1 to 64 characters; put # before the line to leave it out".into()
        );
    }
    Ok(text.to_owned())
}

/// The code of the car's own page.
pub(crate) fn access_code(text: &str) -> Checked {
    if text.chars().any(char::is_control) || text.len() > 128 {
        return Err("the code has 128 bytes at most".into());
    }
    match rccar_protocol::access_code::weakness(text) {
        Some(why) => Err(format!(
            "the code is too easy to guess: {why}; take the line out, and the car makes a code"
        )),
        None => Ok(text.to_owned()),
    }
}

pub(crate) fn source(text: &str) -> Checked {
    match text {
        "libcamera" | "simulator" => Ok(text.to_owned()),
        _ => Err("the camera is \"libcamera\" (cameras on the ribbon cable and on USB) or \
                  \"simulator\" (a drawn road)"
            .into()),
    }
}

pub(crate) fn encoder(text: &str) -> Checked {
    match text {
        "auto" | "openh264" | "v4l2" => Ok(text.to_owned()),
        _ => Err("the encoder is \"auto\" (in hardware where that is known to work), \
                  \"openh264\" (in software) or \"v4l2\" (any in hardware)"
            .into()),
    }
}

/// Which camera: `first`, a number in the list of cameras, or a part of its name.
pub(crate) fn device(text: &str) -> Checked {
    if text.trim().is_empty() || text.len() > 128 || text.chars().any(char::is_control) {
        return Err(
            "a camera is \"first\", its number, or a part of its name such as \"imx219\"".into()
        );
    }
    Ok(text.to_owned())
}

pub(crate) fn actuator(text: &str) -> Checked {
    match text {
        "pca9685" | "pwm" | "simulator" => Ok(text.to_owned()),
        _ => {
            Err("servo and motor are on a \"pca9685\" board or on the computer's own \"pwm\", or \
                  there is only a \"simulator\""
                .into())
        }
    }
}

/// The kind of a speed controller.
pub(crate) fn esc(text: &str) -> Checked {
    match text {
        "direct" | "brake-first" => Ok(text.to_owned()),
        _ => Err("the speed controller is \"direct\" (behind neutral it drives backward) or \
                  \"brake-first\" (it brakes first)"
            .into()),
    }
}

/// The most that the drive does about a battery that runs down.
pub(crate) fn action(text: &str) -> Checked {
    match text {
        "warn" | "limit" | "stop" => Ok(text.to_owned()),
        _ => Err("the car can only \"warn\", also \"limit\" its speed, and also \"stop\"".into()),
    }
}

/// The name of a GPIO line.
pub(crate) fn line(text: &str) -> Checked {
    let legal = text.bytes().all(|byte| byte.is_ascii_graphic());
    if legal && (1..32).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("a line has a name such as \"GPIO17\", which is pin 11".into())
}

pub(crate) fn channel(text: &str) -> Checked {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=32).contains(&text.len()) && text.bytes().all(legal) {
        return Ok(text.to_owned());
    }
    Err("a channel is a word of small letters, digits and hyphens, such as stable or beta".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_the_car_takes_them() {
        for (given, taken) in [
            ("https://drive.example", "https://drive.example"),
            ("https://drive.example/", "https://drive.example"),
            ("Https://drive.example", "https://drive.example"),
            ("HTTP://drive.example:1", "http://drive.example:1"),
            (" https://drive.example:65535\u{200b}", "https://drive.example:65535"),
            ("http://192.0.2.1:8080", "http://192.0.2.1:8080"),
            ("http://[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
        ] {
            assert_eq!(url(given).as_deref(), Ok(taken));
        }
        for (given, words) in [
            ("drive.example", "begin with https://"),
            ("ftp://a", "https:// or http://"),
            ("https://a/#/cars", "behind it"),
            ("https://me:pw@a", "before the @"),
            ("https://", "not the address"),
            ("https://a b", "not the address"),
            ("https://a:", "not the address"),
            ("https://a:0", "there is no port 0"),
            ("https://a:99999", "there is no port 99999"),
            ("https://[2001:db8::1]:65536", "there is no port 65536"),
            ("Http://LocalHost", "is the car itself"),
            ("http://localhost:8080", "localhost is the car itself"),
            ("http://127.0.0.1:8080", "127.0.0.1 is the car itself"),
            ("https://127.1/", "127.1 is the car itself"),
            ("http://[::1]:8080", "[::1] is the car itself"),
            ("http://0.0.0.0:8080", "0.0.0.0 is the car itself"),
        ] {
            let error = url(given).unwrap_err();
            assert!(error.contains(words), "{given}: {error}");
        }
    }

    #[test]
    fn a_token_that_is_none_is_refused_without_being_quoted() {
        assert!(token(&"Ab".repeat(32)).is_ok());
        let error = token("0123456789abcdeg").unwrap_err();
        assert!(error.contains("16 characters") && !error.contains("abcdeg"), "{error}");
    }

    #[test]
    fn other_texts_have_their_rules() {
        assert!(name("Blitz").is_ok() && name(" ").is_err() && name(&"x".repeat(65)).is_err());
        assert!(access_code("seven plum tractors").is_ok());
        let error = access_code("open sesame").unwrap_err();
        assert!(error.contains("too easy") && error.contains("take the line out"), "{error}");
        assert!(source("libcamera").is_ok() && source("webcam").is_err());
        assert!(encoder("v4l2").is_ok() && encoder("x264").is_err());
        assert!(channel("beta-2").is_ok() && channel("Beta").is_err() && channel("").is_err());
        assert!(short_text("web").is_ok() && short_text("").is_err());
    }
}
