//! The proof that an authority asks for (RFC 8737).

use crate::files::builder;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use std::io;
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::sign::any_supported_type;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

/// The protocol that the authority speaks (RFC 8737 section 6.2).
pub(crate) const PROTOCOL: &[u8] = b"acme-tls/1";

/// Length of a SHA-256 digest, which the authority's question comes down to.
const DIGEST: usize = 32;

/// The answer to an authority's question about a name.
#[derive(Debug, Clone)]
pub struct Proof(pub(crate) Arc<ServerConfig>);

impl Proof {
    /// `digest` is SHA-256 of the key authorization (RFC 8555 section 8.1).
    pub fn new(name: &str, digest: &[u8]) -> io::Result<Self> {
        if digest.len() != DIGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "no SHA-256 digest"));
        }
        let mut certificate =
            CertificateParams::new([name.to_owned()]).map_err(io::Error::other)?;
        certificate.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = certificate.self_signed(&key).map_err(io::Error::other)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let key = any_supported_type(&key).map_err(io::Error::other)?;
        // Not checked: nobody but an authority understands the certificate's critical extension.
        let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
        let builder = builder().map_err(io::Error::other)?.with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Self(Arc::new(config)))
    }
}
