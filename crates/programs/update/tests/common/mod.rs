//! A host with faults on demand, and a source of tokens.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, reason = "tests")]

pub(crate) mod rauc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_RANGE, RANGE};
use axum::response::{IntoResponse, Response};
use rccar_bus::car::HostAccess;
use rccar_protocol::release::AccessToken;
use rccar_update::access::AccessSource;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) const PATH: &str = "/bundles/1";

/// What the host does with one request instead of a good answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It sends this many bytes, then the connection breaks.
    CutAfter(usize),
    /// It answers only after this time.
    Late(Duration),
    Status(u16),
    /// It says that the bundle has another size.
    OtherSize,
    /// The whole bundle with status 200.
    Whole,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) bundle: Vec<u8>,
    pub(crate) faults: VecDeque<Fault>,
    /// Fault of every request from now on.
    pub(crate) always: Option<Fault>,
    pub(crate) token: String,
    pub(crate) requests: Vec<String>,
    /// Bytes of bodies that were sent.
    pub(crate) sent: usize,
    pub(crate) release: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) inner: Arc<Mutex<Inner>>,
    pub(crate) url: String,
}

impl Host {
    pub(crate) async fn start(size: usize) -> Self {
        let next = |last: &u32| Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let bundle = std::iter::successors(Some(7), next)
            .take(size)
            .map(|number: u32| number.to_be_bytes()[0])
            .collect();
        let inner = Arc::new(Mutex::new(Inner {
            bundle,
            faults: VecDeque::new(),
            always: None,
            token: "first".into(),
            requests: Vec::new(),
            sent: 0,
            release: None,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, url }
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        change(&mut self.inner.lock().unwrap())
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.with(|inner| inner.faults.push_back(fault));
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.with(|inner| inner.requests.clone())
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let (head, _) = request.into_parts();
    let header = |name| {
        head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
    };
    let (range, bearer, path) = (header(RANGE), header(AUTHORIZATION), head.uri.to_string());
    let (fault, wait) = {
        let mut inner = inner.lock().unwrap();
        let told = if range.is_empty() { path.clone() } else { range.clone() };
        inner.requests.push(told);
        if bearer != format!("Bearer {}", inner.token) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let fault = inner.always.or_else(|| inner.faults.pop_front());
        (fault, if let Some(Fault::Late(wait)) = fault { wait } else { Duration::ZERO })
    };
    tokio::time::sleep(wait).await;
    let mut inner = inner.lock().unwrap();
    if path.starts_with("/api/v1/car/releases/offer") {
        return inner
            .release
            .clone()
            .map_or_else(|| StatusCode::NO_CONTENT.into_response(), IntoResponse::into_response);
    }
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let part = inner.bundle[first..=last].to_vec();
    let size = inner.bundle.len() + usize::from(fault == Some(Fault::OtherSize));
    let head = [(CONTENT_RANGE, format!("bytes {first}-{last}/{size}"))];
    let body = match fault {
        Some(Fault::Status(status)) => {
            return StatusCode::from_u16(status).unwrap().into_response();
        }
        Some(Fault::Whole) => return inner.bundle.clone().into_response(),
        Some(Fault::CutAfter(bytes)) => {
            let start = Bytes::copy_from_slice(&part[..bytes.min(part.len())]);
            inner.sent += start.len();
            let cut = std::io::Error::other("cut");
            let length = [("content-length", part.len().to_string())];
            let frames = futures_util::stream::iter([Ok(start), Err(cut)]);
            // The break comes later than the start of the body, so that the start is sent.
            let frames = futures_util::StreamExt::then(frames, |frame| async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                frame
            });
            return (StatusCode::PARTIAL_CONTENT, head, length, Body::from_stream(frames))
                .into_response();
        }
        _ => part,
    };
    inner.sent += body.len();
    (StatusCode::PARTIAL_CONTENT, head, body).into_response()
}

/// Returns the host's address and these tokens, one after the other; the last one for ever.
pub(crate) struct Tokens {
    pub(crate) url: String,
    pub(crate) tokens: Mutex<VecDeque<&'static str>>,
}

#[async_trait]
impl AccessSource for Tokens {
    async fn access(&self) -> Result<HostAccess, String> {
        let mut tokens = self.tokens.lock().unwrap();
        let token = if tokens.len() > 1 { tokens.pop_front() } else { tokens.front().copied() };
        let token = token.ok_or("the car is not registered with a host")?;
        Ok(HostAccess {
            url: self.url.clone(),
            token: AccessToken::try_from(token.to_owned()).unwrap(),
        })
    }
}
