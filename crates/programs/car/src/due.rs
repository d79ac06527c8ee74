//! Waits for the next timeout of a core.

use rccar_daemon::clock;
use rccar_protocol::units::MonotonicMicros;

/// Resolves at the time that a core's `poll_timeout` gave; never for `None`.
pub(crate) async fn until(due: Option<MonotonicMicros>) {
    match due {
        Some(due) => tokio::time::sleep(due.since(clock::now())).await,
        None => std::future::pending().await,
    }
}
