//! What can go wrong with the program as a whole.

use crate::bus::QueryError;
use crate::supervisor::SupervisorError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use std::io;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModemError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The supervisor cannot work.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// The running supervisor does not tell.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The operating system.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// The answer of a command.
    #[error(transparent)]
    Output(#[from] OutputError),
}
