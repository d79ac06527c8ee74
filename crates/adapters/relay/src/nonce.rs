//! Nonces (RFC 8489 section 9.2) that prove themselves: an expiry and a MAC over it and the
//! client's address. They are short, because they are a large part of what a stranger is answered.

use crate::credentials::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::net::SocketAddr;

/// How long a nonce is good, in seconds; RFC 8656 section 5 asks for an hour at most.
pub(crate) const LIFETIME: u64 = 3600;

/// Bytes of the MAC that are kept: nobody guesses 96 bits within an hour.
const MAC: usize = 12;

/// Makes and checks nonces with a key that dies with the process.
#[derive(Debug)]
pub(crate) struct Nonces(Secret);

impl Nonces {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Secret::generate().map(Self::with_key)
    }

    pub(crate) fn with_key(key: Secret) -> Self {
        Self(key)
    }

    pub(crate) fn issue(&self, client: SocketAddr, unix_now: u64) -> String {
        // Until the year 2106.
        let expiry = u32::try_from(unix_now.saturating_add(LIFETIME)).unwrap_or(u32::MAX);
        self.render(client, expiry)
    }

    /// Whether `nonce` was issued to `client` and is not too old.
    pub(crate) fn check(&self, nonce: &str, client: SocketAddr, unix_now: u64) -> bool {
        // A nonce is worth nothing without the password, so the comparison need not take constant
        // time.
        expiry(nonce).is_some_and(|expiry| {
            u64::from(expiry) > unix_now && nonce == self.render(client, expiry)
        })
    }

    fn render(&self, client: SocketAddr, expiry: u32) -> String {
        let mac = self.0.sign(&[&expiry.to_be_bytes(), client.to_string().as_bytes()]);
        let mut bytes = expiry.to_be_bytes().to_vec();
        bytes.extend(mac.iter().take(MAC));
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// When a nonce ends, in seconds since 1970; `None` if the text is no nonce.
pub(crate) fn expiry(nonce: &str) -> Option<u32> {
    let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
    bytes.first_chunk().map(|expiry| u32::from_be_bytes(*expiry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> SocketAddr {
        ([203, 0, 113, 5], 40_000).into()
    }

    #[test]
    fn a_nonce_is_good_for_an_hour_and_for_its_client() {
        let nonces = Nonces::new().unwrap();
        let nonce = nonces.issue(client(), 1000);
        assert!(nonces.check(&nonce, client(), 1000));
        assert!(nonces.check(&nonce, client(), 1000 + LIFETIME - 1));
        assert!(!nonces.check(&nonce, client(), 1000 + LIFETIME));
        assert!(!nonces.check(&nonce, ([203, 0, 113, 5], 40_001).into(), 1000));
    }

    #[test]
    fn a_changed_or_foreign_nonce_is_refused() {
        let nonces = Nonces::new().unwrap();
        let nonce = nonces.issue(client(), 1000);
        assert!(!nonces.check(&nonce.replacen('A', "B", 1), client(), 1000));
        assert!(!nonces.check(&nonce[..nonce.len() - 1], client(), 1000));
        assert!(!nonces.check("", client(), 1000));
        assert!(!nonces.check("ü".repeat(20).as_str(), client(), 1000));
        assert!(!Nonces::new().unwrap().check(&nonce, client(), 1000));
    }
}
