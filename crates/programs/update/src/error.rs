//! What can go wrong with the program as a whole.

use crate::http::HttpError;
use crate::system::VersionError;
use rccar_bus::BusError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use rccar_daemon::files::FileError;
use rccar_rauc::RaucError;
use std::io;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The operating system.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// The running version.
    #[error("the running version is not known")]
    Version(#[from] VersionError),
    #[error("cannot read what was saved before the last boot")]
    State(#[from] FileError),
    /// The message bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Connections to the host.
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the booted slot is not known")]
    Slot(#[from] RaucError),
    /// The answer of a command.
    #[error(transparent)]
    Output(#[from] OutputError),
}
