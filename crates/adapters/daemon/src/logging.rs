//! Logging: to journald on the car, as readable text elsewhere.
//!
//! | level | meaning | example |
//! |---|---|---|
//! | ERROR | the program cannot do its work | the camera is gone |
//! | WARN | worth waking someone | refused to arm: the drive does not answer |
//! | INFO | what a user sees | driver connected, armed, tripped |
//! | DEBUG | decisions and their reasons, a few per second at most | ICE pair selected |
//! | TRACE | per packet, per frame | control frame 4711 |
//!
//! **Secrets are never logged, at any level:** types that hold one hide it in `Debug`.
//!
//! `RCCAR_LOG` changes the filter in the syntax of [`Targets`], for example `RCCAR_LOG=debug` or
//! `RCCAR_LOG=rccar_peer=trace,ice=debug`.

use rccar_causes::causes;
use std::fs::File;
use std::io::{IsTerminal, stderr};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub const FILTER_VARIABLE: &str = "RCCAR_LOG";

/// The level when [`FILTER_VARIABLE`] is not set.
const DEFAULT_LEVEL: &str = "info";

/// Libraries that log at INFO what is DEBUG for us. They are kept at WARN unless
/// [`FILTER_VARIABLE`] names them.
const NOISY: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "ice",
    "mio",
    "rtc_datachannel",
    "rtc_interceptor",
    "rtc_turn",
    "rustls",
    "sctp",
    "stun",
    "tokio_tungstenite",
    "tungstenite",
    "turn",
    "webrtc_util",
];

/// Libraries that log at WARN what does no harm, such as an extension of TLS that they do not know.
/// They are kept at ERROR.
const ALARMIST: &[&str] = &["rtc", "rtc_dtls", "rtc_ice", "rtc_sctp", "rtc_srtp", "webrtc"];

/// Starts logging for this process under the name `program` (journald's `SYSLOG_IDENTIFIER`). A
/// second call changes nothing.
pub fn init(program: &str) {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_default();
    let (filter, mistake) = match filter(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (filter("").unwrap_or_default(), Some(error)),
    };
    let journald = if stderr_is_journal() { tracing_journald::layer().ok() } else { None };
    let registry = tracing_subscriber::registry().with(filter);
    let outcome = match journald {
        Some(layer) => registry.with(layer.with_syslog_identifier(program.to_owned())).try_init(),
        None => registry
            .with(tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(wants_colours()))
            .try_init(),
    };
    if outcome.is_err() {
        tracing::debug!("logging was already started");
    }
    if let Some(error) = mistake {
        tracing::warn!(
            error = %causes(&error),
            filter = wanted,
            "{FILTER_VARIABLE} is not a filter; using the default"
        );
    }
}

fn filter(wanted: &str) -> Result<Targets, ParseError> {
    // The most specific directive wins, and of equal ones the last: `debug` leaves `ice` at WARN,
    // `ice=debug` does not.
    let separator = if wanted.is_empty() { "" } else { "," };
    format!("{}{separator}{wanted}", defaults()).parse()
}

fn defaults() -> String {
    let at = |names: &[&str], level| {
        names.iter().map(|name| format!("{name}={level},")).collect::<String>()
    };
    format!("{}{}{DEFAULT_LEVEL}", at(NOISY, "warn"), at(ALARMIST, "error"))
}

/// systemd sets `JOURNAL_STREAM` to device and inode of the stream that it connected to stderr. If
/// stderr was redirected since, they differ.
fn stderr_is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(fd) = stderr().as_fd().try_clone_to_owned() else { return false };
    File::from(fd)
        .metadata()
        .is_ok_and(|metadata| stream == format!("{}:{}", metadata.dev(), metadata.ino()))
}

fn wants_colours() -> bool {
    // https://no-color.org: set and not empty means no colours.
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(wanted: &str) -> Vec<String> {
        filter(wanted).unwrap().to_string().split(',').map(str::to_owned).collect()
    }

    #[test]
    fn noisy_libraries_stay_quiet_unless_named() {
        assert!(directives("").contains(&"turn=warn".to_owned()));
        assert!(directives("debug").contains(&"turn=warn".to_owned()));
        assert!(directives("turn=debug").contains(&"turn=debug".to_owned()));
        assert!(!directives("turn=debug").contains(&"turn=warn".to_owned()));
    }

    #[test]
    fn a_level_replaces_the_default() {
        assert!(directives("").contains(&"info".to_owned()));
        assert!(directives("debug").contains(&"debug".to_owned()));
        assert!(!directives("debug").contains(&"info".to_owned()));
    }

    #[test]
    fn a_broken_filter_is_an_error() {
        assert!(filter("rccar=louder").is_err());
    }
}
