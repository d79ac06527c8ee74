//! The certificates that the host trusts.

use crate::verify::BundleError;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime};
use std::fmt;
use std::time::Duration;
use webpki::{
    ALL_VERIFICATION_ALGS, BorrowedCertRevocationList, CertRevocationList, EndEntityCert,
    ExpirationPolicy, KeyUsage, RevocationCheckDepth, RevocationOptionsBuilder,
    UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::ExtendedKeyUsage;

/// `id-kp-codeSigning` (RFC 5280 section 4.2.1.12), 1.3.6.1.5.5.7.3.3, as the content of its DER
/// form.
const CODE_SIGNING: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 3];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    #[error("is not PEM: {0}")]
    Pem(String),
    #[error("holds no certificate (a block that begins with -----BEGIN CERTIFICATE-----)")]
    Empty,
    /// `number` counts from 1.
    #[error("certificate {number} cannot be used: {why}")]
    Certificate { number: usize, why: String },
    /// `number` counts from 1.
    #[error("revocation list {number} cannot be used: {why}")]
    Revocation { number: usize, why: String },
}

/// Certificates that may vouch for a bundle, and revocation lists.
pub struct Keyring {
    certificates: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    revocations: Vec<CertRevocationList<'static>>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// Reads PEM: certificates (RFC 7468 section 5) and, if there are any, revocation lists
    /// (section 6), in any order.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyringError> {
        let broken = |error: rustls_pki_types::pem::Error| KeyringError::Pem(error.to_string());
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(broken)?;
        if certificates.is_empty() {
            return Err(KeyringError::Empty);
        }
        let mut anchors = Vec::new();
        for (index, certificate) in certificates.iter().enumerate() {
            let unusable = |why: String| KeyringError::Certificate { number: index + 1, why };
            Certificate::from_der(certificate).map_err(|error| unusable(error.to_string()))?;
            anchors.push(
                anchor_from_trusted_cert(certificate)
                    .map_err(|error| unusable(error.to_string()))?
                    .to_owned(),
            );
        }
        let lists: Vec<_> = CertificateRevocationListDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(broken)?;
        let mut revocations = Vec::new();
        for (index, list) in lists.iter().enumerate() {
            let read = BorrowedCertRevocationList::from_der(list).and_then(|list| list.to_owned());
            let list = read.map_err(|error| KeyringError::Revocation {
                number: index + 1,
                why: error.to_string(),
            })?;
            revocations.push(CertRevocationList::from(list));
        }
        Ok(Self { certificates, anchors, revocations })
    }

    /// Whether this keyring lets the certificate sign code at the time `now` (since 1970). `others`
    /// are the other certificates of the signature, which may complete the chain.
    pub(crate) fn vouches_for(
        &self,
        signer: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: Duration,
    ) -> Result<(), BundleError> {
        check_purpose(signer)?;
        if self.certificates.iter().any(|own| own == signer) {
            return check_time(signer, now);
        }
        let untrusted = |error: webpki::Error| BundleError::Untrusted {
            signer: subject(signer),
            why: in_words(&error),
        };
        let leaf = EndEntityCert::try_from(signer).map_err(untrusted)?;
        let lists: Vec<_> = self.revocations.iter().collect();
        // A certificate whose authority has no list here counts as good: a keyring need not hold a
        // list of every authority. An expired list still revokes. If it made every check fail, a
        // host whose operator forgot to renew it would stop all releases.
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            let options = options
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow);
            options.with_expiration_policy(ExpirationPolicy::Ignore).build()
        });
        let time = UnixTime::since_unix_epoch(now);
        // The certificate of an authority need not name purposes; if it does, this must be one.
        let usage = KeyUsage::required_if_present(CODE_SIGNING);
        let path = leaf.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &self.anchors,
            others,
            time,
            usage,
            revocation,
            None,
        );
        path.map(drop).map_err(untrusted)
    }
}

/// The signer's own certificate must name the purpose `codeSigning`.
fn check_purpose(signer: &CertificateDer<'_>) -> Result<(), BundleError> {
    let untrusted = |why: String| BundleError::Untrusted { signer: subject(signer), why };
    let certificate =
        Certificate::from_der(signer).map_err(|error| untrusted(error.to_string()))?;
    let purposes = certificate
        .tbs_certificate
        .get::<ExtendedKeyUsage>()
        .map_err(|error| untrusted(error.to_string()))?;
    let signs_code = purposes
        .is_some_and(|(_, purposes)| purposes.0.iter().any(|oid| oid.as_bytes() == CODE_SIGNING));
    if signs_code { Ok(()) } else { Err(untrusted(NOT_FOR_CODE.into())) }
}

/// For a certificate of the keyring itself; for others the chain's check includes the time.
fn check_time(signer: &CertificateDer<'_>, now: Duration) -> Result<(), BundleError> {
    let untrusted = |why: String| BundleError::Untrusted { signer: subject(signer), why };
    let certificate =
        Certificate::from_der(signer).map_err(|error| untrusted(error.to_string()))?;
    let validity = &certificate.tbs_certificate.validity;
    if now < validity.not_before.to_unix_duration() {
        return Err(untrusted(NOT_YET.into()));
    }
    if now > validity.not_after.to_unix_duration() {
        return Err(untrusted(expired(&validity.not_after.to_string())));
    }
    Ok(())
}

const NOT_YET: &str = "the certificate is not valid yet; is this machine's clock right?";
const NOT_FOR_CODE: &str =
    "the certificate is not for signing code (extendedKeyUsage lacks codeSigning)";

fn expired(when: &str) -> String {
    format!("the certificate has expired ({when})")
}

fn in_words(error: &webpki::Error) -> String {
    match error {
        webpki::Error::UnknownIssuer => "no certificate of the keyring has issued it".into(),
        webpki::Error::CertExpired { not_after, .. } => {
            let date = x509_cert::der::DateTime::from_unix_duration(Duration::from_secs(
                not_after.as_secs(),
            ));
            expired(&date.map_or_else(|_| "long ago".into(), |date| date.to_string()))
        }
        webpki::Error::CertNotValidYet { .. } => NOT_YET.into(),
        webpki::Error::CertRevoked => "the certificate was revoked".into(),
        webpki::Error::CaUsedAsEndEntity => {
            "it is a certificate of an authority, which must not sign itself".into()
        }
        webpki::Error::RequiredEkuNotFoundContext(_) => NOT_FOR_CODE.into(),
        other => other.to_string(),
    }
}

/// The owner of a certificate, for people.
pub(crate) fn subject(certificate: &CertificateDer<'_>) -> String {
    let subject = Certificate::from_der(certificate)
        .ok()
        .map(|certificate| certificate.tbs_certificate.subject);
    let named = subject
        .filter(|subject| subject.to_der().is_ok_and(|der| der.len() > 2))
        .map(|subject| subject.to_string());
    named.unwrap_or_else(|| "somebody without a name".into())
}
