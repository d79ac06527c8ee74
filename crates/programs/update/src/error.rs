//! Errors that end the program or a command.

use crate::http::HttpError;
use crate::system::VersionError;
use rccar_bus::BusError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use rccar_daemon::files::FileError;
use rccar_rauc::RaucError;
use std::io;

#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    #[error("the running version is not known")]
    Version(#[from] VersionError),
    #[error("cannot read what was saved before the last boot")]
    State(#[from] FileError),
    #[error(transparent)]
    Bus(#[from] BusError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("the booted slot is not known")]
    Slot(#[from] RaucError),
    #[error(transparent)]
    Output(#[from] OutputError),
}
