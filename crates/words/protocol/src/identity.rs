//! A car's identity: its Ed25519 public key, the fingerprint of that key, and what the car signs
//! when it registers.

use crate::text::{CarId, TextError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

macro_rules! base64_bytes {
    ($(#[$doc:meta])* $name:ident, $what:literal, $size:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; $size]);

        impl TryFrom<String> for $name {
            type Error = TextError;
            fn try_from(text: String) -> Result<Self, TextError> {
                const RULE: TextError = TextError::Characters {
                    what: $what,
                    rule: concat!(
                        stringify!($size),
                        " bytes in base64 without padding (RFC 4648 section 4)"
                    ),
                };
                let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| RULE)?;
                bytes.try_into().map(Self).map_err(|_| RULE)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                STANDARD_NO_PAD.encode(value.0)
            }
        }
    };
}

base64_bytes!(
    /// A car's Ed25519 public key (RFC 8032).
    CarKey, "key", 32
);
base64_bytes!(
    /// Ed25519 (RFC 8032).
    Signature, "signature", 64
);
base64_bytes!(
    /// Random bytes that the host wants the car to sign.
    Nonce, "nonce", 32
);

impl CarKey {
    /// The car's identifier: base32 (RFC 4648, lower case, no padding) of the first 16 bytes of the
    /// key's SHA-256.
    #[must_use]
    pub fn id(&self) -> CarId {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        let id = base32(&digest[..16]);
        // 16 bytes always give 26 letters of the alphabet that `CarId` allows.
        #[expect(clippy::expect_used, reason = "cannot fail, and the property test shows it")]
        CarId::new(id).expect("base32 is a legal car id")
    }
}

/// The bytes that a car signs to register. They hold the host's name, so that one host cannot use
/// the signature at another.
#[must_use]
pub fn registration_message(host: &str, nonce: &Nonce) -> Vec<u8> {
    let mut message = b"rccar register v1\0".to_vec();
    message.extend_from_slice(host.to_ascii_lowercase().as_bytes());
    message.push(0);
    message.extend_from_slice(&nonce.0);
    message
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut buffer, mut bits) = (0u32, 0u32);
    for &byte in bytes {
        // At most 4 bits are left from before, so 16 bits hold all that still counts.
        buffer = (buffer << 8 | u32::from(byte)) & 0xffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(buffer >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(buffer << (5 - bits) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_follows_the_examples_of_rfc_4648() {
        assert_eq!(base32(b"foobar"), "mzxw6ytboi");
        assert_eq!(base32(b"fo"), "mzxq");
    }

    proptest::proptest! {
        #[test]
        fn every_key_has_a_legal_identifier(key: [u8; 32]) {
            proptest::prop_assert_eq!(CarKey(key).id().as_str().len(), 26);
        }
    }
}
