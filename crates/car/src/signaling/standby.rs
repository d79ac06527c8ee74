//! A connection over the next uplink that waits in the host's anteroom while somebody drives: challenged, not registered.
//!
//! When the uplink in use is lost, registering over it takes one message instead of three round trips. It costs some kilobytes a minute.

use super::register::{Knocked, greet};
use super::{DIAL_WITHIN, Ways};
use crate::config::HostUrl;
use crate::dial::{self, Known};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The host lets nobody wait for longer than 10 s.
const LASTS: Duration = Duration::from_secs(8);
/// The last one of these was not used, the next one is made: an uplink that just failed is not asked much.
const AGAIN: Duration = Duration::from_secs(4);

/// The connection, if there is one.
#[derive(Clone, Default)]
pub(super) struct Standby(Arc<Mutex<Option<Waiting>>>);

struct Waiting {
    uplink: String,
    since: Instant,
    knocked: Knocked,
}

impl Standby {
    /// The connection over this uplink, if it is there and still good.
    pub(super) fn take(&self, uplink: &str) -> Option<Knocked> {
        let waiting = self.lock().take()?;
        (waiting.uplink == uplink && waiting.since.elapsed() < LASTS).then_some(waiting.knocked)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps one for as long as somebody drives and there is another uplink.
    pub(super) async fn keep(self, url: HostUrl, ways: Ways) {
        let mut urgent = ways.urgent.clone();
        let mut situation = ways.uplinks.subscribe();
        let known = Known::default();
        loop {
            if urgent.wait_for(|urgent| *urgent).await.is_err() {
                return;
            }
            let second = situation.borrow_and_update().order.get(1).cloned();
            let mut pause = LASTS;
            // What waits is left alone until another one is here: the uplink that became the only one is the one that it is for.
            if let Some(uplink) = second {
                let knocking = async { greet(&url, dial::only_over(&url, &known, &uplink, DIAL_WITHIN).await?).await };
                match timeout(LASTS, knocking).await {
                    Ok(Ok(knocked)) => {
                        *self.lock() = Some(Waiting { uplink: uplink.name, since: Instant::now(), knocked });
                    }
                    Ok(Err(error)) => {
                        tracing::debug!(%error, uplink = uplink.name, "no connection stands by");
                        pause = AGAIN;
                    }
                    Err(_) => {}
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Ok(()) = situation.changed() => {}
                Ok(()) = urgent.changed() => {}
            }
            if !*urgent.borrow() {
                *self.lock() = None;
            }
        }
    }
}
