//! Waits for a machine.

use rccar_daemon::clock;
use rccar_protocol::units::MonotonicMicros;

/// Resolves when a machine wants to be called; never while it waits for others only.
pub(crate) async fn until(due: Option<MonotonicMicros>) {
    match due {
        Some(due) => tokio::time::sleep(due.since(clock::now())).await,
        None => std::future::pending().await,
    }
}
