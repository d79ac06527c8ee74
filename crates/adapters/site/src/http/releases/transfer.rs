//! Long transfers. They may take longer than other requests as long as they move, and only so many
//! run at once.

use crate::http::error::ApiError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use rccar_protocol::text::CarId;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// A transfer that has not moved for this time is over: the link is gone. The client comes back and
/// asks for the rest with a range.
const STALLED: Duration = Duration::from_secs(60);

/// Whether the transfers of a connection move. The server looks at it before it ends a connection
/// for its age.
#[derive(Debug, Clone)]
pub(crate) struct Watched(Arc<State>);

#[derive(Debug)]
struct State {
    since: Instant,
    running: AtomicUsize,
    /// Milliseconds after `since`.
    moved: AtomicU64,
}

/// Says whether a transfer may go on. Asked before each piece.
pub(crate) type Permission = Box<dyn Fn() -> bool + Send + Sync>;

impl Watched {
    pub(crate) fn new() -> Self {
        Self(Arc::new(State {
            since: Instant::now(),
            running: AtomicUsize::new(0),
            moved: AtomicU64::new(0),
        }))
    }

    /// Whether a transfer is under way and has moved within `STALLED`.
    pub(crate) fn is_moving(&self) -> bool {
        let last = self.0.since + Duration::from_millis(self.0.moved.load(Ordering::Relaxed));
        self.0.running.load(Ordering::Relaxed) > 0 && last.elapsed() < STALLED
    }

    /// Watches the progress of a body from now on. The body holds `place` until it is dropped.
    pub(crate) fn body(
        &self,
        body: Body,
        permission: Option<Permission>,
        place: Option<TransferPlace>,
    ) -> Body {
        self.0.running.fetch_add(1, Ordering::Relaxed);
        self.touch();
        Body::new(WatchedBody { body, watched: self.clone(), permission, _place: place })
    }

    fn touch(&self) {
        let now = u64::try_from(self.0.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.moved.store(now, Ordering::Relaxed);
    }
}

struct WatchedBody {
    body: Body,
    watched: Watched,
    permission: Option<Permission>,
    _place: Option<TransferPlace>,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.permission.as_ref().is_some_and(|may| !may()) {
            return Poll::Ready(Some(Err(axum::Error::new(NotAnyMore))));
        }
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.watched.touch();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        self.watched.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the transfer may not go on")]
struct NotAnyMore;

/// Downloads under way. Each holds a descriptor of its file besides that of its connection.
#[derive(Debug)]
pub(crate) struct Transfers {
    total: usize,
    each: usize,
    held: Mutex<HashMap<CarId, usize>>,
}

/// A place among the downloads, held until it is dropped.
#[derive(Debug)]
pub(crate) struct TransferPlace {
    all: Arc<Transfers>,
    car: CarId,
}

impl Transfers {
    pub(crate) fn new(total: usize, each: usize) -> Arc<Self> {
        Arc::new(Self { total, each, held: Mutex::default() })
    }

    pub(crate) fn enter(self: &Arc<Self>, car: &CarId) -> Result<TransferPlace, ApiError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(car).copied().unwrap_or_default() >= self.each {
            return Err(ApiError::TooManyRequests);
        }
        if held.values().sum::<usize>() >= self.total {
            return Err(ApiError::DownloadsFull);
        }
        *held.entry(car.clone()).or_default() += 1;
        Ok(TransferPlace { all: Arc::clone(self), car: car.clone() })
    }
}

impl Drop for TransferPlace {
    fn drop(&mut self) {
        let mut held = self.all.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.car) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.car);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car(letter: char) -> CarId {
        CarId::new(letter.to_string().repeat(26)).unwrap()
    }

    #[test]
    fn places_are_counted_for_each_car_and_in_total_and_come_back() {
        let all = Transfers::new(3, 2);
        let (first, _second) = (all.enter(&car('a')).unwrap(), all.enter(&car('a')).unwrap());
        assert!(matches!(all.enter(&car('a')), Err(ApiError::TooManyRequests)));
        let _third = all.enter(&car('b')).unwrap();
        assert!(matches!(all.enter(&car('c')), Err(ApiError::DownloadsFull)));
        drop(first);
        assert!(all.enter(&car('c')).is_ok());
        assert!(
            !all.held.lock().unwrap().contains_key(&car('c')),
            "nothing is kept of who has left"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_transfer_counts_as_long_as_it_moves() {
        let watched = Watched::new();
        assert!(!watched.is_moving());
        let body = watched.body(Body::from("some bytes"), None, None);
        tokio::time::advance(STALLED - Duration::from_millis(1)).await;
        assert!(watched.is_moving());
        tokio::time::advance(Duration::from_millis(2)).await;
        assert!(!watched.is_moving());
        assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), "some bytes");
        assert!(!watched.is_moving());
    }
}
