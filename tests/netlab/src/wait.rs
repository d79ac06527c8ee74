//! Waiting for what happens by itself.

use std::time::{Duration, Instant};

/// How long anything may take that has to happen. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often is looked.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until it is so.
///
/// # Panics
/// It is not so after 20 s.
#[allow(clippy::panic, reason = "this is what a failed test is")]
pub async fn until(what: &str, so: impl FnMut() -> bool) {
    assert!(by(PATIENCE, so).await, "waited {PATIENCE:?} in vain: {what}");
}

/// Waits until it is so, or for this long; says whether it is.
pub async fn by(limit: Duration, mut so: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if so() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
}
