//! Waits for conditions.

use std::time::{Duration, Instant};

/// Longest wait for anything that must happen. The machine may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until the condition `so` holds; `what` is for the message of a failure.
///
/// # Panics
/// It does not hold after 20 s.
#[allow(clippy::panic, reason = "this is what a failed test is")]
pub async fn until(what: &str, so: impl FnMut() -> bool) {
    assert!(by(PATIENCE, so).await, "waited {PATIENCE:?} in vain: {what}");
}

/// Waits until the condition `so` holds, but not longer than `limit`. Returns whether it holds.
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
