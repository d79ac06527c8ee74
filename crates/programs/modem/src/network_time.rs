//! The network's time, for a car whose clock is behind: written into a file, by which
//! `rccar-provision clock` may set the clock. This program may not.
//!
//! A task of its own, as that of the position.

use rccar_causes::causes;
use rccar_daemon::files;
use rccar_modem_core::network_time;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_modem_manager::{Modem, State};

/// While nothing was heard: networks tell the time when a modem registers.
const SOON: Duration = Duration::from_secs(15);
/// After that. A clock that has been set runs right for days.
const RARELY: Duration = Duration::from_secs(3600);
/// A clock that is nearer than this is right enough.
const NEAR: Duration = Duration::from_secs(60);

/// Asks as long as the program runs.
pub(crate) fn start(modem: Modem, file: PathBuf) {
    tokio::spawn(async move {
        loop {
            let heard = ask(&modem).await;
            if let Some(time) = heard {
                tell(&file, time, SystemTime::now());
            }
            tokio::time::sleep(if heard.is_some() { RARELY } else { SOON }).await;
        }
    });
}

async fn ask(modem: &Modem) -> Option<SystemTime> {
    let state = modem.state()?;
    if i32::from(state.state) < i32::from(State::Registered) {
        return None;
    }
    match modem.network_time().await {
        Ok(text) => {
            let seconds = network_time::parse(&text);
            if seconds.is_none() {
                tracing::debug!(text, "the network's time cannot be read");
            }
            seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds))
        }
        Err(error) => {
            tracing::debug!(error = %causes(&error), "the modem does not know the time");
            None
        }
    }
}

/// Writes the time if the clock is behind it.
fn tell(file: &Path, time: SystemTime, now: SystemTime) {
    if time < now + NEAR {
        return;
    }
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match files::write(file, format!("{seconds}\n").as_bytes()) {
        Ok(()) => tracing::info!(seconds, "the network says a later time than the clock"),
        Err(error) => tracing::warn!(error = %causes(&error), "nobody learns the network's time"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_that_the_clock_is_behind_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("time");
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        tell(&file, at(1000), at(1000));
        tell(&file, at(1000), at(2000));
        tell(&file, at(1059), at(1000));
        assert!(!file.exists());
        tell(&file, at(1060), at(1000));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "1060\n");
    }
}
