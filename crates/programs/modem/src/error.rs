//! Errors that end a command.

use crate::bus::QueryError;
use crate::supervisor::SupervisorError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use std::io;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ModemError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
}
