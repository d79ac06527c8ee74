//! HTTP requests to the host, with the car's token.

use crate::access::AccessSource;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, HeaderValue, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rccar_causes::{Causes, causes};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::timeout;

/// Enough for TCP and TLS over a bad mobile link.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// From the request to the head of the answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A connection that was not used for this long may be dead behind a mobile network's NAT.
const IDLE: Duration = Duration::from_secs(20);

/// Why a request has no useful answer.
#[derive(Debug, Error)]
pub enum HttpError {
    /// There is no token, for this reason.
    #[error("{0}")]
    NoAccess(String),
    /// The host cannot be reached, or the connection broke.
    #[error("no connection to the host: {0}")]
    Link(String),
    #[error("the host did not answer within {} s", ANSWER_WITHIN.as_secs())]
    Slow,
    #[error("the host does not take the car's access token ({0})")]
    Denied(StatusCode),
    #[error("the host answered {0}")]
    Status(StatusCode),
    #[error("the host's answer makes no sense: {0}")]
    Answer(String),
    /// Without them no host's certificate can be checked.
    #[error("cannot read the system's root certificates: {0}")]
    Roots(std::io::Error),
}

/// Sends requests to the host. Clones share connections.
#[derive(Clone)]
pub struct HostClient {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    access: Arc<dyn AccessSource>,
}

impl std::fmt::Debug for HostClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostClient")
    }
}

impl HostClient {
    /// The client trusts the system's root certificates.
    ///
    /// # Errors
    /// [`HttpError::Roots`].
    pub fn new(access: Arc<dyn AccessSource>) -> Result<Self, HttpError> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        connector.set_nodelay(true);
        let https = HttpsConnectorBuilder::new().with_native_roots().map_err(HttpError::Roots)?;
        let https = https.https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(https);
        Ok(Self { client, access })
    }

    /// `GET` of a path on the host. It does not follow redirects: the token must not go anywhere
    /// else.
    pub(crate) async fn get(
        &self,
        path: &str,
        range: Option<String>,
    ) -> Result<Response<Incoming>, HttpError> {
        // Asked for at each request: tokens are short-lived.
        let access = self.access.access().await.map_err(HttpError::NoAccess)?;
        let wrong = |error: &dyn std::fmt::Display| HttpError::Answer(error.to_string());
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", access.token.as_str()))
            .map_err(|error| wrong(&error))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}{path}", access.url.trim_end_matches('/')))
            .header(AUTHORIZATION, bearer);
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        let request = request.body(Empty::new()).map_err(|error| wrong(&error))?;
        let answer = timeout(ANSWER_WITHIN, self.client.request(request))
            .await
            .map_err(|_| HttpError::Slow)?;
        let answer = answer.map_err(|error| HttpError::Link(causes(&error).to_string()))?;
        match answer.status() {
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(HttpError::Denied(status))
            }
            _ => Ok(answer),
        }
    }

    /// The text of an answer; an error if it has more than `limit` bytes.
    pub(crate) async fn text(
        answer: Response<Incoming>,
        limit: usize,
    ) -> Result<String, HttpError> {
        let body = Limited::new(answer.into_body(), limit).collect();
        let body = timeout(ANSWER_WITHIN, body).await.map_err(|_| HttpError::Slow)?;
        let body =
            body.map_err(|error| HttpError::Link(Causes::of(&*error).to_string()))?.to_bytes();
        String::from_utf8(body.into()).map_err(|error| HttpError::Answer(error.to_string()))
    }
}
