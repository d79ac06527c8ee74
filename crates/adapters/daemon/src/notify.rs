//! Messages to systemd (`sd_notify(3)`). Without systemd every call does nothing.

use rccar_causes::causes;
use sd_notify::NotifyState;
use std::time::Duration;

/// Start-up is finished: sockets are bound, clients can connect.
pub fn ready() {
    send(&NotifyState::Ready);
}

pub fn stopping() {
    send(&NotifyState::Stopping);
}

/// The main loop is alive. Call this from the loop that does the work, never from a task of its
/// own: when the loop hangs, the calls have to stop.
pub fn watchdog() {
    send(&NotifyState::Watchdog);
}

/// How often to call [`watchdog`]: half of the unit's `WatchdogSec=`, as `sd_watchdog_enabled(3)`
/// recommends. `None` if the unit has none.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2)
}

/// Sets the line that `systemctl status` shows, in words that a person understands.
pub fn status(text: &str) {
    // A line break would begin a new assignment in the message to systemd.
    let line = text.replace(['\n', '\r'], " ");
    send(&NotifyState::Status(&line));
}

fn send(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::debug!(error = %causes(&error), ?state, "systemd did not take the message");
    }
}
