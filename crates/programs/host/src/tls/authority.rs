//! HTTPS to an authority.

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use instant_acme::{BodyWrapper, BytesBody, BytesResponse, Error, HttpClient};
use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Time for a connection to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Time for an answer: authorities are busy at times.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The longest answer is a chain of certificates.
const MAX_ANSWER: usize = 256 * 1024;

#[derive(Clone)]
pub(super) struct Https(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Https {
    /// Trusts the system's roots, or those in this file (PEM) instead.
    pub(super) fn new(root: Option<&Path>) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let https = match root {
            None => HttpsConnectorBuilder::new().with_native_roots()?,
            Some(path) => HttpsConnectorBuilder::new().with_tls_config(trusting(path)?),
        };
        let https = https.https_only().enable_http1().wrap_connector(connector);
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
        Ok(Self(client))
    }
}

fn trusting(path: &Path) -> io::Result<ClientConfig> {
    let named = |error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(path).map_err(|error| named(&error))? {
        let root = root.map_err(|error| named(&error))?;
        roots.add(root).map_err(|error| named(&error))?;
    }
    if roots.is_empty() {
        return Err(named(&"holds no certificate"));
    }
    let config = ClientConfig::builder_with_provider(default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| named(&error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

type Answered = Result<BytesResponse, Error>;

impl HttpClient for Https {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Answered> + Send>> {
        let client = self.0.clone();
        let failed = |error: Box<dyn StdError + Send + Sync>| Error::Other(error);
        Box::pin(async move {
            let answered = async {
                let (parts, body) = client
                    .request(request)
                    .await
                    .map_err(|error| failed(error.into()))?
                    .into_parts();
                let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(failed)?;
                Ok(BytesResponse { parts, body: Box::new(body.to_bytes()) as Box<dyn BytesBody> })
            };
            let answered = timeout(ANSWER_WITHIN, answered).await;
            answered.unwrap_or_else(|_| {
                Err(failed(format!("no answer within {} s", ANSWER_WITHIN.as_secs()).into()))
            })
        })
    }
}
