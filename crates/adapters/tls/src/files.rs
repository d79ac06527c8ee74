//! Reads a certificate and its key.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use thiserror::Error;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{self, ConfigBuilder, ServerConfig, WantsVerifier};

/// The files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those between it and an authority (PEM).
    pub chain: PathBuf,
    /// The certificate's private key (PEM).
    pub key: PathBuf,
}

/// The certificate or its key cannot be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The file cannot be read, or holds no certificate or no key.
    #[error("cannot use {} for TLS: {error}", path.display())]
    File { path: PathBuf, error: pem::Error },
    /// The certificate and the key do not belong together, or are of a kind that TLS does not take.
    #[error(
        "cannot use the certificate {} with its key {} for TLS: {error}",
        chain.display(), key.display()
    )]
    Pair { chain: PathBuf, key: PathBuf, error: rustls::Error },
}

/// What a server speaks that has this certificate.
pub(crate) fn read(files: &CertificateFiles) -> Result<ServerConfig, CertificateError> {
    let unusable = |path: &Path, error| CertificateError::File { path: path.to_owned(), error };
    let chain = CertificateDer::pem_file_iter(&files.chain).and_then(|certificates| {
        let chain = certificates.collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) }
    });
    let chain = chain.map_err(|error| unusable(&files.chain, error))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable(&files.key, error))?;
    let config =
        builder().and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    config.map_err(|error| CertificateError::Pair {
        chain: files.chain.clone(),
        key: files.key.clone(),
        error,
    })
}

/// When chain and key were last changed; `None` if that is not known.
pub(crate) fn changed(files: &CertificateFiles) -> Option<[SystemTime; 2]> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    Some([time(&files.chain)?, time(&files.key)?])
}

pub(crate) fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
}

#[cfg(test)]
pub(crate) fn write(folder: &Path, name: &str) -> CertificateFiles {
    let certificate = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let files = CertificateFiles { chain: folder.join("chain.pem"), key: folder.join("key.pem") };
    std::fs::write(&files.chain, certificate.cert.pem()).unwrap();
    std::fs::write(&files.key, certificate.signing_key.serialize_pem()).unwrap();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "one.example");
        let words = |files: &CertificateFiles| read(files).err().unwrap().to_string();
        let missing =
            CertificateFiles { chain: folder.path().join("missing.pem"), ..files.clone() };
        assert!(words(&missing).contains("missing.pem"), "{}", words(&missing));
        let swapped = CertificateFiles { chain: files.key.clone(), key: files.chain.clone() };
        assert!(words(&swapped).contains("key.pem"), "{}", words(&swapped));
        let other = rcgen::generate_simple_self_signed(vec!["two.example".to_owned()]).unwrap();
        std::fs::write(&files.key, other.signing_key.serialize_pem()).unwrap();
        assert!(
            words(&files).contains("chain.pem") && words(&files).contains("key.pem"),
            "{}",
            words(&files)
        );
    }
}
