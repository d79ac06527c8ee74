//! The certificate that TLS shows, read again when its files have changed.

use crate::config::CertificateFiles;
use rccar_causes::causes;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig, crypto};

/// How often the files are looked at: certificates are renewed weeks before they expire.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// The certificate or its key cannot be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// The file cannot be read, or holds no certificate or no key.
    #[error("cannot use {} for TURN over TLS: {error}", path.display())]
    File { path: PathBuf, error: pem::Error },
    /// The certificate and the key do not belong together, or are of a kind that TLS does not take.
    #[error(
        "cannot use the certificate {} with its key {} for TURN over TLS: {error}",
        chain.display(), key.display()
    )]
    Pair { chain: PathBuf, key: PathBuf, error: rustls::Error },
}

pub(crate) struct Certificate {
    files: CertificateFiles,
    present: Mutex<Present>,
}

struct Present {
    acceptor: TlsAcceptor,
    /// When chain and key were last changed; `None` if that is not known.
    changed: Option<[SystemTime; 2]>,
    /// When the relay last looked for changes.
    looked: Instant,
}

impl Certificate {
    pub(crate) fn load(files: CertificateFiles) -> Result<Self, CertificateError> {
        let present = Present {
            acceptor: acceptor(&files)?,
            changed: changed(&files),
            looked: Instant::now(),
        };
        Ok(Self { files, present: Mutex::new(present) })
    }

    /// Accepts the next client. Files that cannot be used leave the certificate as it was.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if present.looked.elapsed() >= LOOK_INTERVAL {
            present.renew(&self.files);
        }
        present.acceptor.clone()
    }
}

impl Present {
    fn renew(&mut self, files: &CertificateFiles) {
        self.looked = Instant::now();
        let changed = changed(files);
        if changed.is_none() || changed == self.changed {
            return;
        }
        match acceptor(files) {
            Ok(acceptor) => {
                tracing::info!(
                    chain = %files.chain.display(),
                    "the certificate for TURN over TLS has been renewed"
                );
                (self.acceptor, self.changed) = (acceptor, changed);
            }
            // Tried again in a minute: one of the two files may not be written yet.
            Err(error) => {
                tracing::warn!(error = %causes(&error), "going on with the certificate from before")
            }
        }
    }
}

fn changed(files: &CertificateFiles) -> Option<[SystemTime; 2]> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    Some([time(&files.chain)?, time(&files.key)?])
}

fn acceptor(files: &CertificateFiles) -> Result<TlsAcceptor, CertificateError> {
    let unusable = |path: &Path, error| CertificateError::File { path: path.to_owned(), error };
    let chain = CertificateDer::pem_file_iter(&files.chain).and_then(|certificates| {
        let chain = certificates.collect::<Result<Vec<_>, _>>()?;
        if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) }
    });
    let chain = chain.map_err(|error| unusable(&files.chain, error))?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unusable(&files.key, error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let config = config.map_err(|error| CertificateError::Pair {
        chain: files.chain.clone(),
        key: files.key.clone(),
        error,
    })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str) -> CertificateFiles {
        let certificate = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        let files =
            CertificateFiles { chain: folder.join("chain.pem"), key: folder.join("key.pem") };
        std::fs::write(&files.chain, certificate.cert.pem()).unwrap();
        std::fs::write(&files.key, certificate.signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "one.example");
        let certificate = Certificate::load(files.clone()).unwrap();
        let mut present = certificate.present.lock().unwrap();
        let config = |present: &Present| Arc::as_ptr(present.acceptor.config());
        let first = config(&present);
        present.renew(&files);
        assert_eq!(config(&present), first, "nothing has changed");

        present.changed = None;
        std::fs::write(&files.key, "no key").unwrap();
        present.renew(&files);
        assert_eq!(config(&present), first);

        write(folder.path(), "two.example");
        present.renew(&files);
        assert_ne!(config(&present), first);
    }

    #[test]
    fn mistakes_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "one.example");
        let words =
            |files: &CertificateFiles| Certificate::load(files.clone()).err().unwrap().to_string();
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
