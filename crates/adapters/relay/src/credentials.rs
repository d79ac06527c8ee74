//! Time-limited credentials, as in `draft-uberti-behave-turn-rest-00`: the signaling host mints
//! them, the relay checks them without asking anyone, because both know one secret.
//!
//! The username is `EXPIRY:USER` with the expiry in seconds since 1970; the password is the Base64
//! of HMAC-SHA1(secret, username).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Longest username that STUN can carry, in bytes (RFC 8489 section 14.3: fewer than 509).
const MAX_USERNAME: usize = 508;

/// Makes credentials for `user` that work until `unix_now + ttl`. After the expiry a client is
/// refused, also one that refreshes, unless [`crate::users::Users`] say otherwise.
///
/// The relay logs `user`; a long one is cut to its first 480 bytes.
#[must_use]
pub fn mint(secret: &Secret, user: &str, ttl: Duration, unix_now: u64) -> Credentials {
    let expiry = unix_now.saturating_add(ttl.as_secs());
    // With 20 digits and the colon it stays within MAX_USERNAME.
    let user = &user[..user.floor_char_boundary(480)];
    let username = format!("{expiry}:{user}");
    let password = password(secret, &username);
    Credentials { username, password }
}

/// A client needs these besides the URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `EXPIRY:USER`.
    pub username: String,
    /// Base64 of 20 bytes.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The key that signaling host and relay share. `Debug` hides it.
#[derive(Clone)]
pub struct Secret(Arc<[u8]>);

impl Secret {
    /// Takes key material as it is; coturn's `static-auth-secret` takes the same bytes as text.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(key.into())
    }

    /// 256 random bits: enough if relay and signaling host are one program.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self::new(&key))
    }

    /// HMAC-SHA1 (RFC 2104) over `parts`, one after the other.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 20] {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes keys of any length (RFC 2104 section 2)"
        )]
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("any key length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}

/// A username, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Username<'a> {
    /// Seconds since 1970.
    pub(crate) expiry: u64,
    pub(crate) user: &'a str,
}

impl<'a> Username<'a> {
    /// `None` if it is malformed.
    pub(crate) fn parse(username: &'a str) -> Option<Self> {
        if username.len() > MAX_USERNAME {
            return None;
        }
        let (expiry, user) = username.split_once(':')?;
        // `parse` alone would accept a leading plus sign.
        if !expiry.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { expiry: expiry.parse().ok()?, user })
    }
}

pub(crate) fn password(secret: &Secret, username: &str) -> String {
    STANDARD.encode(secret.sign(&[username.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_that_of_other_implementations() {
        // printf %s 1700003600:car-1 | openssl dgst -sha1 -hmac north -binary | base64
        let credentials =
            mint(&Secret::new(b"north"), "car-1", Duration::from_secs(3600), 1_700_000_000);
        assert_eq!(credentials.username, "1700003600:car-1");
        assert_eq!(credentials.password, "mqOzOF6zUshsTTvajTGsbMzs5H0=");
    }

    #[test]
    fn a_username_has_an_expiry_and_a_user() {
        let username = Username { expiry: 1000, user: "car:front" };
        assert_eq!(Username::parse("1000:car:front"), Some(username));
    }

    #[test]
    fn malformed_usernames_are_refused() {
        for username in [
            "",
            ":",
            "car",
            "1000",
            "-1:car",
            "+1000:car",
            " 1000:car",
            "99999999999999999999999:car",
        ] {
            assert_eq!(Username::parse(username), None, "{username}");
        }
        assert_eq!(Username::parse(&format!("1000:{}", "x".repeat(MAX_USERNAME))), None);
    }

    #[test]
    fn the_longest_user_still_fits_into_a_stun_message() {
        let credentials = mint(&Secret::new(b"north"), &"ü".repeat(400), Duration::MAX, u64::MAX);
        assert!(credentials.username.len() <= MAX_USERNAME);
        assert!(Username::parse(&credentials.username).is_some());
    }

    #[test]
    fn debug_output_hides_what_is_secret() {
        let secret = Secret::new(b"north");
        let credentials = mint(&secret, "car", Duration::ZERO, 0);
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
        assert!(!format!("{credentials:?}").contains(&credentials.password));
    }
}
