//! The sign-in cookie.

use crate::backend::Mode;
use crate::token::{Token, TokenHash};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// How long a sign-in lasts: long enough that a weekend driver does not type a password each time.
pub(crate) const LIFETIME_SECONDS: u64 = 30 * 24 * 3_600;

/// How long a browser counts as known after its last sign-in: a season. It lets nobody in.
const KNOWN_SECONDS: u64 = 180 * 24 * 3_600;

/// Cookies know no ports: a host and a car on one machine need different names. Over TLS the prefix
/// makes sure that neither plain HTTP nor another name of the same domain can set it (RFC 6265bis
/// section 4.1.3.2).
///
/// The names without it are of release 0.1.0. Others would sign everybody out at an update.
fn name(mode: Mode, secure: bool) -> &'static str {
    match (mode, secure) {
        (Mode::Host, false) => "rccar_session",
        (Mode::Host, true) => "__Host-rccar_session",
        (Mode::Car, false) => "rccar_car_session",
        (Mode::Car, true) => "__Host-rccar_car_session",
    }
}

/// The sign-in that the request shows. The backend knows whether it holds.
pub(crate) fn read(headers: &HeaderMap, mode: Mode, secure: bool) -> Option<TokenHash> {
    value(headers, name(mode, secure)).map(TokenHash::of)
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// What the browser shows as a sign that it was signed in before.
pub(crate) fn known(headers: &HeaderMap, mode: Mode, secure: bool) -> Option<&str> {
    value(headers, known_name(mode, secure))
}

pub(crate) fn set_known(value: &str, mode: Mode, secure: bool) -> String {
    header(known_name(mode, secure), value, KNOWN_SECONDS, secure)
}

fn known_name(mode: Mode, secure: bool) -> &'static str {
    match (mode, secure) {
        (Mode::Host, false) => "rccar_known",
        (Mode::Host, true) => "__Host-rccar_known",
        (Mode::Car, false) => "rccar_car_known",
        (Mode::Car, true) => "__Host-rccar_car_known",
    }
}

/// A `Set-Cookie` header. No script can read the cookie, and no foreign page can make the browser
/// send it (RFC 6265bis).
pub(crate) fn set(token: &Token, mode: Mode, secure: bool) -> String {
    header(name(mode, secure), token.as_str(), LIFETIME_SECONDS, secure)
}

pub(crate) fn clear(mode: Mode, secure: bool) -> String {
    header(name(mode, secure), "", 0, secure)
}

fn header(name: &str, value: &str, max_age: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_cookie_is_found_among_others() {
        let token = Token::generate().unwrap();
        let mut headers = HeaderMap::new();
        let text = format!("a=b; rccar_session={}; c=d", token.as_str());
        headers.insert(COOKIE, text.parse().unwrap());
        assert_eq!(read(&headers, Mode::Host, false), Some(token.hash()));
        assert_eq!(read(&headers, Mode::Car, false), None);
    }

    #[test]
    fn row_9_over_tls_the_cookie_belongs_to_the_host_alone_and_an_other_is_not_read() {
        let token = Token::generate().unwrap();
        let set = set(&token, Mode::Host, true);
        assert!(set.starts_with("__Host-rccar_session=") && set.ends_with("; Secure"), "{set}");
        assert!(set.contains("; Path=/;") && !set.contains("Domain"), "{set}");
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, format!("rccar_session={}", token.as_str()).parse().unwrap());
        assert_eq!(read(&headers, Mode::Host, true), None, "plain HTTP may have set it");
        let text = format!("__Host-rccar_session={}", token.as_str());
        headers.insert(COOKIE, text.parse().unwrap());
        assert_eq!(read(&headers, Mode::Host, true), Some(token.hash()));
    }
}
