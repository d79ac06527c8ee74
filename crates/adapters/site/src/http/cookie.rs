//! The sign-in cookie.

use crate::backend::Mode;
use crate::token::{Token, TokenHash};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// How long a sign-in lasts: long enough that a weekend driver does not type a password each time.
pub(crate) const LIFETIME_SECONDS: u64 = 30 * 24 * 3_600;

/// Cookies know no ports: a host and a car on one machine need different names.
///
/// The names are of release 0.1.0. Others would sign everybody out at an update.
fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Host => "rccar_session",
        Mode::Car => "rccar_car_session",
    }
}

/// The sign-in that the request shows. The backend knows whether it holds.
pub(crate) fn read(headers: &HeaderMap, mode: Mode) -> Option<TokenHash> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|list| list.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name(mode)).map(|(_, value)| TokenHash::of(value))
}

/// A `Set-Cookie` header. No script can read the cookie, and no foreign page can make the browser
/// send it (RFC 6265bis).
pub(crate) fn set(token: &Token, mode: Mode, secure: bool) -> String {
    header(token.as_str(), LIFETIME_SECONDS, mode, secure)
}

pub(crate) fn clear(mode: Mode, secure: bool) -> String {
    header("", 0, mode, secure)
}

fn header(value: &str, max_age: u64, mode: Mode, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Strict{secure}", name(mode))
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
        assert_eq!(read(&headers, Mode::Host), Some(token.hash()));
        assert_eq!(read(&headers, Mode::Car), None);
    }
}
