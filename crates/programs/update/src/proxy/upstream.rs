//! Fetches a part of the bundle from the host, however often the link breaks.

use super::gate::Gate;
use super::range::Span;
use crate::http::{HostClient, HttpError};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::header::CONTENT_RANGE;
use hyper::{Response, StatusCode};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How long one request of RAUC may wait for a driver to leave or for the link to come back. RAUC
/// gives the kernel's block device 300 s for a read, then it is an I/O error. This time is shorter,
/// so that the transfer ends first and its reason is known.
pub(crate) const PATIENCE: Duration = Duration::from_secs(270);
/// If no byte of a body comes for this long, the connection is dead.
const STALL: Duration = Duration::from_secs(20);
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MOST: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) host: HostClient,
    pub(crate) path: String,
    /// The size that was offered, in bytes.
    pub(crate) size: u64,
    pub(crate) gate: Gate,
    pub(crate) patience: Duration,
}

/// Why an attempt to fetch a part failed.
enum Broken {
    /// The gate was closed.
    Held,
    /// Another try may work.
    Passing(String),
    /// No other try can work.
    Final(String),
}

impl Upstream {
    /// Returns the whole span, or `None`: then [`Gate::ended`] has the reason.
    pub(crate) async fn fetch(&self, span: Span) -> Option<Bytes> {
        let deadline = Instant::now() + self.patience;
        let mut got = BytesMut::new();
        let mut last = String::new();
        let mut failures = 0;
        loop {
            if self.gate.ended().is_some() {
                return None;
            }
            if timeout_at(deadline, self.gate.open()).await.is_err() {
                self.gate.end("the installation rested for too long, because the car was driven");
                return None;
            }
            let before = got.len();
            match timeout_at(deadline, self.attempt(span, &mut got)).await {
                Ok(Ok(())) => return Some(got.freeze()),
                Ok(Err(Broken::Held)) => continue,
                Ok(Err(Broken::Passing(reason))) => last = reason,
                Ok(Err(Broken::Final(reason))) => {
                    self.gate.end(reason);
                    return None;
                }
                Err(_) => {
                    self.gate.end(format!("gave up after {} s: {last}", self.patience.as_secs()));
                    return None;
                }
            }
            // A link that moved at least something begins with the shortest wait again.
            failures = if got.len() > before { 1 } else { failures + 1 };
            tracing::debug!(%span, got = got.len(), failures, "{last}");
            let wait = BACKOFF_FIRST.saturating_mul(1 << (failures - 1).min(16)).min(BACKOFF_MOST);
            if timeout_at(deadline, sleep(wait)).await.is_err() {
                self.gate.end(format!("gave up after {} s: {last}", self.patience.as_secs()));
                return None;
            }
        }
    }

    /// One request for the rest of the span after `got`.
    async fn attempt(&self, span: Span, got: &mut BytesMut) -> Result<(), Broken> {
        let rest = Span { first: span.first + got.len() as u64, last: span.last };
        let Some(mut voucher) = self.gate.reserve(rest.len()) else {
            return Err(Broken::Final("this month's cap for metered links is reached".to_owned()));
        };
        let answer = tokio::select! {
            biased;
            () = self.gate.closed() => return Err(Broken::Held),
            answer = self.host.get(&self.path, Some(rest.to_string())) => {
                answer.map_err(|error| passing(&error))?
            }
        };
        let mut body = self.judge(answer, rest)?.into_body();
        while got.len() as u64 + span.first <= span.last {
            let frame = tokio::select! {
                biased;
                // Dropping the body closes the connection, so no more bytes arrive.
                () = self.gate.closed() => return Err(Broken::Held),
                frame = timeout(STALL, body.frame()) => frame,
            };
            match frame {
                Err(_) => {
                    return Err(Broken::Passing(format!(
                        "the link stood still for {} s",
                        STALL.as_secs()
                    )));
                }
                Ok(None) => {
                    return Err(Broken::Passing("the host ended its answer too early".to_owned()));
                }
                Ok(Some(Err(error))) => {
                    return Err(Broken::Passing(format!("the link was lost: {error}")));
                }
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    let room = usize::try_from(span.len()).unwrap_or(usize::MAX) - got.len();
                    if data.len() > room {
                        return Err(Broken::Final(
                            "the host sent more than was asked for".to_owned(),
                        ));
                    }
                    voucher.spend(data.len());
                    got.extend_from_slice(&data);
                }
            }
        }
        Ok(())
    }

    /// Passes the answer on if it is the part that was asked for.
    fn judge<B>(&self, answer: Response<B>, rest: Span) -> Result<Response<B>, Broken> {
        match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = answer
                    .headers()
                    .get(CONTENT_RANGE)
                    .and_then(|value| value.to_str().ok())
                    .unwrap_or("");
                if range == rest.of(self.size) {
                    return Ok(answer);
                }
                let expected = rest.of(self.size);
                Err(Broken::Final(format!(
                    "the bundle on the host is not the one that was offered \
                     ({range} instead of {expected})"
                )))
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(Broken::Final("the host does not have the bundle any more".to_owned()))
            }
            StatusCode::RANGE_NOT_SATISFIABLE => Err(Broken::Final(
                "the bundle on the host is shorter than the one that was offered".to_owned(),
            )),
            StatusCode::OK => {
                Err(Broken::Final("the host does not serve parts of a bundle".to_owned()))
            }
            status => Err(Broken::Passing(format!("the host answered {status}"))),
        }
    }
}

/// Also a token that the host refuses is worth another try: the car gets a new one before the old
/// one expires.
fn passing(error: &HttpError) -> Broken {
    Broken::Passing(error.to_string())
}
