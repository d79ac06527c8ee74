//! Browsers that were signed in before. Their failures count apart from those of strangers, so that
//! nobody who guesses a password locks out the person whose it is (OWASP, "device cookies").

use crate::throttle::Who;
use crate::token::{Token, TokenHash};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::net::IpAddr;

/// Makes and checks signs: `number.mac`, for one user each.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    key: Token,
}

impl Known {
    pub(crate) fn new(key: Token) -> Self {
        Self { key }
    }

    /// A sign for a browser that has just signed in as this user.
    pub(crate) fn sign(&self, user: &str) -> Result<String, getrandom::Error> {
        let number = Token::generate()?;
        let number = number.as_str().get(..NUMBER).unwrap_or_default();
        Ok(format!("{number}.{}", hex::encode(self.mac(user, number).finalize().into_bytes())))
    }

    /// Who tries to sign in as `user` from `address` with this sign.
    pub(crate) fn who<'a>(&self, user: &'a str, sign: Option<&str>, address: IpAddr) -> Who<'a> {
        match sign.and_then(|sign| self.check(user, sign)) {
            Some(browser) => Who::Known(browser),
            None => Who::Named { name: user, address },
        }
    }

    fn check(&self, user: &str, sign: &str) -> Option<TokenHash> {
        let (number, shown) = sign.split_once('.')?;
        // One text for each sign: what counts its failures is the text.
        if shown.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        // Compares in constant time.
        self.mac(user, number).verify_slice(&hex::decode(shown).ok()?).ok()?;
        Some(TokenHash::of(sign))
    }

    fn mac(&self, user: &str, number: &str) -> Hmac<Sha256> {
        // Any length of key is legal for HMAC (RFC 2104 section 2).
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_str().as_bytes())
            .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
        mac.update(b"rccar known browser v1\0");
        mac.update(number.as_bytes());
        mac.update(b"\0");
        // Names are found whatever the case of their letters.
        mac.update(user.to_lowercase().as_bytes());
        mac
    }
}

/// Digits of a number: 64 bits, which only have to differ.
const NUMBER: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_10_a_sign_is_good_for_its_user_alone_and_cannot_be_made_up() {
        let known = Known::new(Token::generate().unwrap());
        let address = "192.0.2.1".parse().unwrap();
        let (one, two) = (known.sign("Ada").unwrap(), known.sign("Ada").unwrap());
        let who = |user, sign: &str| known.who(user, Some(sign), address);
        assert!(matches!(who("ada", &one), Who::Known(_)));
        assert_ne!(who("Ada", &one), who("Ada", &two), "each browser counts for itself");
        let mut forged = one.clone().into_bytes();
        forged[0] = if forged[0] == b'0' { b'1' } else { b'0' };
        let forged = String::from_utf8(forged).unwrap();
        for sign in [forged.as_str(), "", ".", "0.", "x.zz"] {
            assert!(matches!(who("Ada", sign), Who::Named { .. }), "{sign}");
        }
        assert!(matches!(who("Bob", &one), Who::Named { .. }));
        assert!(matches!(who("Ada", &one.to_uppercase()), Who::Named { .. }), "one text each");
        let other = Known::new(Token::generate().unwrap());
        assert!(matches!(other.who("Ada", Some(&one), address), Who::Named { .. }));
    }
}
