//! What can go wrong with the program as a whole.

use crate::actuator::ActuatorError;
use crate::query::QueryError;
use crate::socket::SocketError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use rccar_drive_core::SettingsError;
use std::io;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DriveError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The answer of a command.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A setting, although the configuration was checked.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The socket for set-points.
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Actuator(#[from] ActuatorError),
    /// The running drive does not tell.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The operating system refuses.
    #[error("cannot {action}")]
    Os {
        /// What was tried, as a verb.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}
