//! The CMS signature (RFC 5652) with the manifest inside.

use crate::keyring::{Keyring, subject};
use crate::verify::BundleError;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::time::Duration;
use webpki::{EndEntityCert, ring};
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, OctetString, OctetStringRef};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectKeyIdentifier;

// RFC 5652 sections 5.1, 6.1, 11.1 and 11.2.
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
// RFC 5754 section 2.
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

type Algorithms = &'static [&'static dyn SignatureVerificationAlgorithm];

pub(crate) struct Signed {
    pub(crate) content: Vec<u8>,
    /// Subject of the first signer's certificate.
    pub(crate) signer: String,
}

/// Checks every signature in the CMS and every signer against the keyring, and returns the content.
pub(crate) fn open(cms: &[u8], keyring: &Keyring, now: Duration) -> Result<Signed, BundleError> {
    let unreadable = |error: x509_cert::der::Error| {
        BundleError::Signature(format!("cannot be read as CMS: {error}"))
    };
    let outer = ContentInfo::from_der(cms).map_err(unreadable)?;
    match outer.content_type {
        SIGNED_DATA => {}
        ENVELOPED_DATA => return Err(BundleError::Encrypted),
        other => {
            return Err(BundleError::Signature(format!("is no signature but CMS content {other}")));
        }
    }
    let signed: SignedData = outer.content.decode_as().map_err(unreadable)?;
    // Only the format `plain` leaves the manifest out and signs the payload itself.
    let Some(content) = &signed.encap_content_info.econtent else { return Err(BundleError::Plain) };
    let content = content.decode_as::<OctetStringRef<'_>>().map_err(unreadable)?.as_bytes();
    let certificates = certificates(&signed).map_err(unreadable)?;
    let infos = signed.signer_infos.0.as_slice();
    let mut signer = None;
    for info in infos {
        let certificate =
            find(&certificates, &info.sid).ok_or_else(|| missing("the signer's certificate"))?;
        check(info, certificate, signed.encap_content_info.econtent_type, content)?;
        keyring.vouches_for(certificate, &certificates, now)?;
        signer.get_or_insert_with(|| subject(certificate));
    }
    let signer = signer.ok_or_else(|| missing("a signer"))?;
    Ok(Signed { content: content.to_vec(), signer })
}

fn missing(what: &str) -> BundleError {
    BundleError::Signature(format!("lacks {what}"))
}

fn certificates(signed: &SignedData) -> x509_cert::der::Result<Vec<CertificateDer<'static>>> {
    let all = signed.certificates.iter().flat_map(|set| set.0.iter());
    let plain = all.filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => Some(certificate),
        CertificateChoices::Other(_) => None,
    });
    plain.map(|certificate| certificate.to_der().map(CertificateDer::from)).collect()
}

fn find<'a>(
    certificates: &'a [CertificateDer<'static>],
    sid: &SignerIdentifier,
) -> Option<&'a CertificateDer<'static>> {
    certificates.iter().find(|der| {
        let Ok(Certificate { tbs_certificate: tbs, .. }) = Certificate::from_der(der) else {
            return false;
        };
        match sid {
            SignerIdentifier::IssuerAndSerialNumber(id) => {
                tbs.issuer == id.issuer && tbs.serial_number == id.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(id) => {
                tbs.get::<SubjectKeyIdentifier>().ok().flatten().is_some_and(|(_, own)| own == *id)
            }
        }
    })
}

/// RFC 5652 section 5.6: the signed attributes name the digest and the type of the content, and the
/// signature covers the attributes.
fn check(
    info: &SignerInfo,
    certificate: &CertificateDer<'_>,
    content_type: ObjectIdentifier,
    content: &[u8],
) -> Result<(), BundleError> {
    let (digest, algorithms) = digest(info.digest_alg.oid, content)?;
    let attributes = info.signed_attrs.as_ref().ok_or_else(|| missing("signed attributes"))?;
    let attribute = |oid| {
        let mut all = attributes.iter().filter(|attribute| attribute.oid == oid);
        // With two of a kind it would be open which one counts.
        all.next()
            .filter(|attribute| all.next().is_none() && attribute.values.len() == 1)?
            .values
            .get(0)
    };
    let named = attribute(MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
    let named = named.ok_or_else(|| missing("a digest of the manifest"))?;
    let kind = attribute(CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if named.as_bytes() != digest || kind != Some(content_type) {
        return Err(BundleError::Forged);
    }
    // The signature is over the attributes as a SET (RFC 5652 section 5.4); stored in the CMS they
    // have another tag.
    let message = attributes.to_der().map_err(|error| BundleError::Signature(error.to_string()))?;
    let key = EndEntityCert::try_from(certificate)
        .map_err(|error| BundleError::Signature(error.to_string()))?;
    let signature = info.signature.as_bytes();
    let right = algorithms
        .iter()
        .any(|algorithm| key.verify_signature(*algorithm, &message, signature).is_ok());
    if right { Ok(()) } else { Err(BundleError::Forged) }
}

/// The digest of the content, and the signature algorithms allowed with this digest.
fn digest(
    algorithm: ObjectIdentifier,
    content: &[u8],
) -> Result<(Vec<u8>, Algorithms), BundleError> {
    const WITH_SHA256: Algorithms = &[
        ring::RSA_PKCS1_2048_8192_SHA256,
        ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        ring::ECDSA_P256_SHA256,
        ring::ECDSA_P384_SHA256,
    ];
    const WITH_SHA384: Algorithms = &[
        ring::RSA_PKCS1_2048_8192_SHA384,
        ring::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        ring::ECDSA_P256_SHA384,
        ring::ECDSA_P384_SHA384,
    ];
    // Ed25519 goes with SHA-512 in CMS (RFC 8419 section 3).
    const WITH_SHA512: Algorithms = &[
        ring::RSA_PKCS1_2048_8192_SHA512,
        ring::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        ring::ED25519,
    ];
    match algorithm {
        SHA256 => Ok((Sha256::digest(content).to_vec(), WITH_SHA256)),
        SHA384 => Ok((Sha384::digest(content).to_vec(), WITH_SHA384)),
        SHA512 => Ok((Sha512::digest(content).to_vec(), WITH_SHA512)),
        other => Err(BundleError::Signature(format!(
            "uses the digest {other}; SHA-256, SHA-384 and SHA-512 are accepted"
        ))),
    }
}
