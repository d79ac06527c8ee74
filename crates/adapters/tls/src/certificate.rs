//! The certificate of the moment, and who is accepted with it.

use crate::challenge::{PROTOCOL, Proof};
use crate::files::{CertificateError, CertificateFiles, changed, read};
use rccar_causes::causes;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

/// How often the files are looked at: certificates are renewed weeks before they expire.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// A certificate that is read again when its files have changed.
#[derive(Debug)]
pub struct Certificate {
    files: CertificateFiles,
    /// Protocols that clients may ask for (ALPN, RFC 7301); none: what they ask for is ignored.
    protocols: Vec<Vec<u8>>,
    present: Mutex<Present>,
}

struct Present {
    acceptor: Option<TlsAcceptor>,
    changed: Option<[SystemTime; 2]>,
    /// When the files were last looked at.
    looked: Instant,
    proof: Option<Proof>,
}

impl Certificate {
    /// For files that are there.
    pub fn load(files: CertificateFiles) -> Result<Self, CertificateError> {
        let certificate = Self::awaited(files, &[]);
        certificate.read()?;
        Ok(certificate)
    }

    /// For files that will come, or are there already. Until then clients are hung up on.
    #[must_use]
    pub fn awaited(files: CertificateFiles, protocols: &[&str]) -> Self {
        let present =
            Present { acceptor: None, changed: None, looked: Instant::now(), proof: None };
        let protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Self { files, protocols, present: Mutex::new(present) }
    }

    /// Reads the files now. An error leaves the certificate as it was.
    pub fn read(&self) -> Result<(), CertificateError> {
        self.present().read(&self.files, &self.protocols)
    }

    /// Accepts the next client. Files that cannot be used leave the certificate as it was.
    #[must_use]
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        let mut present = self.present();
        if present.looked.elapsed() >= LOOK_INTERVAL {
            present.renew(&self.files, &self.protocols);
        }
        present.acceptor.clone()
    }

    /// Answers the authority with this from now on; `None`: hangs up on it.
    pub fn prove(&self, proof: Option<Proof>) {
        self.present().proof = proof;
    }

    /// The handshake with a client. The caller sets its time. `None`: it was the authority, has had
    /// its proof, and says nothing more.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<Option<TlsStream<S>>> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        if hello.alpn().is_some_and(|mut protocols| protocols.any(|asked| asked == PROTOCOL)) {
            let proof = self.present().proof.clone();
            let proof = proof.ok_or_else(|| io::Error::other("no authority was asked"))?;
            start.into_stream(proof.0).await?.shutdown().await?;
            return Ok(None);
        }
        let acceptor =
            self.acceptor().ok_or_else(|| io::Error::other("there is no certificate yet"))?;
        start.into_stream(Arc::clone(acceptor.config())).await.map(Some)
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Nothing panics while it is locked.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    fn read(
        &mut self,
        files: &CertificateFiles,
        protocols: &[Vec<u8>],
    ) -> Result<(), CertificateError> {
        self.looked = Instant::now();
        // Before the files themselves: what changes meanwhile is read at the next look.
        let changed = changed(files);
        let mut config = read(files)?;
        config.alpn_protocols = protocols.to_vec();
        self.acceptor = Some(TlsAcceptor::from(Arc::new(config)));
        self.changed = changed;
        Ok(())
    }

    fn renew(&mut self, files: &CertificateFiles, protocols: &[Vec<u8>]) {
        self.looked = Instant::now();
        let changed = changed(files);
        if changed.is_none() || changed == self.changed {
            return;
        }
        match self.read(files, protocols) {
            Ok(()) => {
                tracing::info!(chain = %files.chain.display(), "the certificate has been renewed");
            }
            // Tried again in a minute: one of the two files may not be written yet.
            Err(error) => {
                tracing::warn!(error = %causes(&error), "going on with the certificate from before")
            }
        }
    }
}

impl std::fmt::Debug for Present {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Present").field("changed", &self.changed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::write;
    use rustls_pki_types::ServerName;
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, UnixTime};
    use tokio::io::AsyncReadExt;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::client::danger::{
        HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
    };
    use tokio_rustls::rustls::crypto::ring::default_provider;
    use tokio_rustls::rustls::{
        ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    };

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "one.example");
        let certificate = Certificate::load(files.clone()).unwrap();
        let mut present = certificate.present();
        let config = |present: &Present| Arc::as_ptr(present.acceptor.as_ref().unwrap().config());
        let first = config(&present);
        present.renew(&files, &[]);
        assert_eq!(config(&present), first, "nothing has changed");

        present.changed = None;
        std::fs::write(&files.key, "no key").unwrap();
        present.renew(&files, &[]);
        assert_eq!(config(&present), first);

        write(folder.path(), "two.example");
        present.renew(&files, &[]);
        assert_ne!(config(&present), first);
    }

    fn client(roots: RootCertStore) -> ClientConfig {
        ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }

    async fn met(
        certificate: &Certificate,
        client: ClientConfig,
    ) -> (io::Result<Option<TlsStream<tokio::io::DuplexStream>>>, io::Result<Vec<u8>>) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let connected = async {
            let name = ServerName::try_from("one.example").unwrap();
            let mut stream = TlsConnector::from(Arc::new(client)).connect(name, near).await?;
            let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await?;
            Ok(shown)
        };
        let accepted = async {
            let accepted = certificate.accept(far).await;
            if let Ok(Some(mut stream)) = accepted {
                stream.shutdown().await.unwrap();
                return Ok(Some(stream));
            }
            accepted
        };
        tokio::join!(accepted, connected)
    }

    /// The authority looks at the certificate's extension, and at nothing else.
    #[derive(Debug)]
    struct Authority;

    impl ServerCertVerifier for Authority {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            default_provider().signature_verification_algorithms.supported_schemes()
        }
    }

    #[tokio::test]
    async fn clients_are_served_while_an_authority_has_its_proof() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), "one.example");
        let certificate = Certificate::awaited(files.clone(), &["http/1.1"]);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&files.chain).unwrap()).unwrap();
        let (accepted, connected) = met(&certificate, client(roots.clone())).await;
        assert!(accepted.is_err() && connected.is_err(), "no certificate yet");

        certificate.read().unwrap();
        let mut authority = client(RootCertStore::empty());
        authority.dangerous().set_certificate_verifier(Arc::new(Authority));
        authority.alpn_protocols = vec![PROTOCOL.to_vec()];
        let (accepted, _) = met(&certificate, authority.clone()).await;
        assert!(accepted.is_err(), "nobody has asked for a proof");

        assert!(Proof::new("one.example", &[1; 31]).is_err());
        certificate.prove(Some(Proof::new("one.example", &[7; 32]).unwrap()));
        let (accepted, shown) = met(&certificate, authority).await;
        assert!(accepted.unwrap().is_none());
        // DER of the digest within the extension (RFC 8737 section 3).
        let question = [&[0x04, 0x20][..], &[7; 32]].concat();
        assert!(shown.unwrap().windows(question.len()).any(|part| part == question));

        let mut browser = client(roots);
        browser.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let (accepted, shown) = met(&certificate, browser).await;
        let stream = accepted.unwrap().unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert_eq!(shown.unwrap(), CertificateDer::from_pem_file(&files.chain).unwrap().to_vec());
    }
}
