//! How an answer names the driver's certificate (`a=fingerprint`, RFC 8122).
//!
//! The WebRTC stack compares one fingerprint, of `sha-256`, written in small letters. This module
//! reads what RFC 8122 allows: SHA-256, SHA-384 and SHA-512 under names in any case, and several
//! fingerprints in one part of the description. Of several functions only the strongest counts; of
//! several fingerprints of that one, any may match (section 5).
//!
//! The stack's own comparison stays the one that decides, so that a change in it cannot let anybody
//! in: for what it cannot compare it gets a secret instead of a fingerprint, and [`Judge`] gives
//! that secret as the hash of a certificate that matches.

use rtc::crypto::{
    ActiveKeyExchange, AeadAlgorithm, AeadCipher, BlockCipherAlgorithm, CbcAlgorithm, CbcCipher,
    CryptoAlgorithm, CryptoError, HashAlgorithm, HmacAlgorithm, KeyExchangeAlgorithm, Mac,
    PublicKey, RTCCrypto, RTCCryptoProvider, RTCRandom, SignatureScheme, SigningKey, StreamCipher,
    StreamCipherAlgorithm,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::sync::{Arc, Mutex, PoisonError};

/// Fingerprints read of one part of a description. A browser sends one.
const MAX_FINGERPRINTS: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    #[error("the answer has no a=fingerprint, so nothing says which certificate is the driver's")]
    Missing,
    #[error("the answer's a=fingerprint is not a hash function and its value: {0:?}")]
    Malformed(String),
    /// Names of the functions that were given, at most three.
    #[error("the answer's a=fingerprint is of {0} only; sha-256, sha-384 or sha-512 is needed")]
    Unsupported(String),
    #[error("the parts of the answer name different certificates (a=fingerprint)")]
    Differ,
    #[error("more than {MAX_FINGERPRINTS} fingerprints in one part of the answer")]
    TooMany,
}

/// In the order of their strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Function {
    Sha256,
    Sha384,
    Sha512,
}

impl Function {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    fn octets(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn hash(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }
}

/// Which certificates an answer allows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Allowed {
    function: Function,
    values: Vec<Vec<u8>>,
}

impl Allowed {
    fn has(&self, certificate: &[u8]) -> bool {
        self.values.contains(&self.function.hash(certificate))
    }

    /// What the fingerprints of one part allow.
    fn of(lines: &[&str]) -> Result<Self, FingerprintError> {
        if lines.len() > MAX_FINGERPRINTS {
            return Err(FingerprintError::TooMany);
        }
        let mut known = Vec::new();
        let mut others = Vec::new();
        for line in lines {
            let malformed =
                || FingerprintError::Malformed(line.chars().take(MAX_WORDS).collect::<String>());
            let mut words = line.split_ascii_whitespace();
            let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else {
                return Err(malformed());
            };
            let octets = octets(value).ok_or_else(malformed)?;
            match Function::named(name) {
                Some(function) if octets.len() == function.octets() => {
                    known.push((function, octets));
                }
                Some(_) => return Err(malformed()),
                None => others.push(name.to_ascii_lowercase()),
            }
        }
        let Some(function) = known.iter().map(|(function, _)| *function).max() else {
            let mut names: Vec<String> =
                others.iter().map(|name| name.chars().take(16).collect()).collect();
            names.dedup();
            names.truncate(3);
            return Err(FingerprintError::Unsupported(names.join(", ")));
        };
        let of_function = known.into_iter().filter(|(of, _)| *of == function);
        Ok(Self { function, values: of_function.map(|(_, value)| value).collect() })
    }
}

/// Characters of a line that an error repeats.
const MAX_WORDS: usize = 60;

/// The octets of `AB:CD:…`, in letters of any case.
fn octets(value: &str) -> Option<Vec<u8>> {
    value
        .split(':')
        .map(|octet| {
            let plain = octet.len() == 2 && octet.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain.then(|| u8::from_str_radix(octet, 16).ok()).flatten()
        })
        .collect()
}

fn written(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

/// What an answer says of the driver's certificate. The fingerprints of a media section count
/// instead of those at the top (RFC 8122, section 5). All sections share one connection, so they
/// must allow the same.
fn allowed_by(sdp: &str) -> Result<Allowed, FingerprintError> {
    let mut top = Vec::new();
    let mut sections: Vec<Vec<&str>> = Vec::new();
    for line in sdp.lines() {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        } else if let Some(value) = line.strip_prefix(ATTRIBUTE) {
            sections.last_mut().unwrap_or(&mut top).push(value);
        }
    }
    sections.retain(|lines| !lines.is_empty());
    if sections.is_empty() && !top.is_empty() {
        sections.push(top);
    }
    let mut allowed = sections.iter().map(|lines| Allowed::of(lines));
    let first = allowed.next().ok_or(FingerprintError::Missing)??;
    for other in allowed {
        if other? != first {
            return Err(FingerprintError::Differ);
        }
    }
    Ok(first)
}

/// The answer with one fingerprint in place of all, at the top.
fn with_fingerprint(sdp: &str, value: &[u8]) -> String {
    let line = format!("{ATTRIBUTE}{} {}\r\n", Function::Sha256.name(), written(value));
    let mut put = false;
    let mut answer = String::with_capacity(sdp.len() + line.len());
    for kept in sdp.split_inclusive('\n').filter(|kept| !kept.starts_with(ATTRIBUTE)) {
        if kept.starts_with("m=") && !put {
            answer.push_str(&line);
            put = true;
        }
        answer.push_str(kept);
    }
    answer
}

const ATTRIBUTE: &str = "a=fingerprint:";

/// Makes the stack accept the certificates that an answer allows.
#[derive(Clone)]
pub(crate) struct Judge(Arc<Inner>);

struct Inner {
    stack: Arc<dyn RTCCryptoProvider>,
    /// What stands in the answer for the stack in place of a fingerprint: drawn for each peer, and
    /// never sent.
    secret: [u8; 32],
    allowed: Mutex<Option<Allowed>>,
}

impl Judge {
    pub(crate) fn new(stack: Arc<dyn RTCCryptoProvider>) -> Result<Self, CryptoError> {
        let mut secret = [0; 32];
        stack.random().fill(&mut secret)?;
        Ok(Self(Arc::new(Inner { stack, secret, allowed: Mutex::default() })))
    }

    pub(crate) fn provider(&self) -> Arc<dyn RTCCryptoProvider> {
        Arc::clone(&self.0) as Arc<dyn RTCCryptoProvider>
    }

    /// The answer as the stack takes it.
    pub(crate) fn translate(&self, sdp: &str) -> Result<String, FingerprintError> {
        let allowed = allowed_by(sdp)?;
        if let Allowed { function: Function::Sha256, values } = &allowed
            && let [value] = values.as_slice()
        {
            return Ok(with_fingerprint(sdp, value));
        }
        let answer = with_fingerprint(sdp, &self.0.secret);
        *self.0.allowed.lock().unwrap_or_else(PoisonError::into_inner) = Some(allowed);
        Ok(answer)
    }
}

impl RTCCryptoProvider for Inner {
    fn name(&self) -> &'static str {
        self.stack.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self
    }

    fn random(&self) -> &dyn RTCRandom {
        self.stack.random()
    }
}

/// As the stack does it, but for certificates.
impl RTCCrypto for Inner {
    fn hash(&self, algorithm: HashAlgorithm, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let allowed = self.allowed.lock().unwrap_or_else(PoisonError::into_inner);
        if algorithm == HashAlgorithm::Sha256
            && allowed.as_ref().is_some_and(|allowed| allowed.has(data))
        {
            return Ok(self.secret.to_vec());
        }
        self.stack.crypto().hash(algorithm, data)
    }

    fn supports(&self, algorithm: CryptoAlgorithm) -> bool {
        self.stack.crypto().supports(algorithm)
    }

    fn block_encrypt(
        &self,
        algorithm: BlockCipherAlgorithm,
        key: &[u8],
        block: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.stack.crypto().block_encrypt(algorithm, key, block)
    }

    fn new_hmac(&self, algorithm: HmacAlgorithm, key: &[u8]) -> Result<Box<dyn Mac>, CryptoError> {
        self.stack.crypto().new_hmac(algorithm, key)
    }

    fn new_stream_cipher(
        &self,
        algorithm: StreamCipherAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn StreamCipher>, CryptoError> {
        self.stack.crypto().new_stream_cipher(algorithm, key)
    }

    fn new_aead(
        &self,
        algorithm: AeadAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn AeadCipher>, CryptoError> {
        self.stack.crypto().new_aead(algorithm, key)
    }

    fn new_cbc(
        &self,
        algorithm: CbcAlgorithm,
        key: &[u8],
    ) -> Result<Box<dyn CbcCipher>, CryptoError> {
        self.stack.crypto().new_cbc(algorithm, key)
    }

    fn start_key_exchange(
        &self,
        algorithm: KeyExchangeAlgorithm,
    ) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        self.stack.crypto().start_key_exchange(algorithm)
    }

    fn generate_signing_key(
        &self,
        scheme: SignatureScheme,
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.stack.crypto().generate_signing_key(scheme)
    }

    fn import_signing_key(
        &self,
        scheme: SignatureScheme,
        pkcs8_der: &[u8],
    ) -> Result<Arc<dyn SigningKey>, CryptoError> {
        self.stack.crypto().import_signing_key(scheme, pkcs8_der)
    }

    fn verify_signature(
        &self,
        scheme: SignatureScheme,
        public_key: PublicKey<'_>,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.stack.crypto().verify_signature(scheme, public_key, message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CERTIFICATE: &[u8] = b"a certificate in DER";

    fn line(name: &str, function: Function) -> String {
        format!("a=fingerprint:{name} {}\r\n", written(&function.hash(CERTIFICATE)))
    }

    fn answer(top: &str, sections: &[&str]) -> String {
        let sections: String =
            sections.iter().map(|lines| format!("m=video 9 X 1\r\n{lines}a=mid:0\r\n")).collect();
        format!("v=0\r\n{top}{sections}")
    }

    fn judge() -> Judge {
        Judge::new(rtc::crypto::default_provider().unwrap()).unwrap()
    }

    /// Whether the stack would take the certificate: it compares the hash with the answer's.
    fn accepts(judge: &Judge, answer: &str, certificate: &[u8]) -> bool {
        let value = answer.split_once("a=fingerprint:sha-256 ").unwrap().1;
        let value = value.split_once("\r\n").unwrap().0;
        assert_eq!(answer.matches("a=fingerprint").count(), 1);
        let hash = judge.provider().crypto().hash(HashAlgorithm::Sha256, certificate).unwrap();
        value == written(&hash)
    }

    #[test]
    fn every_function_is_known_in_any_case_and_at_any_place() {
        for name in ["sha-256", "SHA-256", "Sha-384", "sha-384", "sha-512", "SHA-512"] {
            let function = Function::named(name).unwrap();
            let upper = line(name, function);
            let (start, value) = upper.rsplit_once(' ').unwrap();
            let lower = format!("{start}   {}", value.to_ascii_lowercase());
            for line in [&upper, &lower] {
                for sdp in [answer(line, &["", ""]), answer("", &[line, line]), answer("", &[line])]
                {
                    let judge = judge();
                    let translated = judge.translate(&sdp).unwrap();
                    assert!(accepts(&judge, &translated, CERTIFICATE), "{sdp}");
                    assert!(!accepts(&judge, &translated, b"another"), "{sdp}");
                }
            }
        }
    }

    #[test]
    fn of_several_functions_the_strongest_counts() {
        let wrong = "a=fingerprint:sha-512 ".to_owned() + &written(&[7; 64]) + "\r\n";
        let judge = judge();
        let sdp = answer("", &[&(line("sha-256", Function::Sha256) + &wrong)]);
        let translated = judge.translate(&sdp).unwrap();
        assert!(!accepts(&judge, &translated, CERTIFICATE));
        let other = "a=fingerprint:md2 01:02\r\n".to_owned();
        let sdp = answer("", &[&(other + &line("sha-256", Function::Sha256))]);
        let translated = judge.translate(&sdp).unwrap();
        assert!(accepts(&judge, &translated, CERTIFICATE));
    }

    #[test]
    fn of_several_values_of_one_function_any_may_match() {
        let other = "a=fingerprint:sha-256 ".to_owned() + &written(&[7; 32]) + "\r\n";
        let judge = judge();
        let sdp = answer("", &[&(other + &line("sha-256", Function::Sha256))]);
        let translated = judge.translate(&sdp).unwrap();
        assert!(accepts(&judge, &translated, CERTIFICATE));
        assert!(!accepts(&judge, &translated, b"another"));
    }

    #[test]
    fn a_section_counts_instead_of_the_top() {
        let top = "a=fingerprint:sha-256 ".to_owned() + &written(&[7; 32]) + "\r\n";
        let judge = judge();
        let sdp = answer(&top, &[&line("sha-256", Function::Sha256)]);
        assert!(accepts(&judge, &judge.translate(&sdp).unwrap(), CERTIFICATE));
    }

    #[test]
    fn the_rest_of_the_answer_stays_as_it_is() {
        let sdp = answer("", &[&line("sha-256", Function::Sha256), ""]);
        let translated = judge().translate(&sdp).unwrap();
        let without = |sdp: &str| {
            sdp.lines().filter(|line| !line.starts_with(ATTRIBUTE)).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(without(&translated), without(&sdp));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let refused = |top: &str, sections: &[&str]| {
            judge().translate(&answer(top, sections)).unwrap_err().to_string()
        };
        assert!(refused("", &[""]).contains("no a=fingerprint"));
        assert!(refused("a=fingerprint:SHA-1 AB:CD\r\n", &[]).contains("of sha-1 only"));
        for value in ["", "sha-256", "sha-256 AB:CD", "sha-256 A:B", "sha-256 +1:02", "sha-1 AB CD"]
        {
            let line = format!("a=fingerprint:{value}\r\n");
            assert!(refused(&line, &[]).contains("is not a hash function"), "{value}");
        }
        let other = "a=fingerprint:sha-256 ".to_owned() + &written(&[7; 32]) + "\r\n";
        assert!(refused("", &[&line("sha-256", Function::Sha256), &other]).contains("different"));
        let many = line("sha-256", Function::Sha256).repeat(MAX_FINGERPRINTS + 1);
        assert!(refused("", &[&many]).contains("more than 8"));
    }

    #[test]
    fn the_secret_is_drawn_for_each_peer() {
        assert_ne!(judge().0.secret, judge().0.secret);
    }

    proptest! {
        #[test]
        fn no_answer_panics_and_none_passes_for_another_certificate(sdp in "(a=fingerprint:|m=|[a-z0-9:, -]{0,9}|sha-(256|512) |\r\n){0,40}") {
            let judge = judge();
            if judge.translate(&sdp).is_ok() {
                let hash = judge.provider().crypto().hash(HashAlgorithm::Sha256, CERTIFICATE);
                prop_assert_ne!(hash.unwrap(), judge.0.secret.to_vec());
            }
        }
    }
}
