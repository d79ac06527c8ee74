//! Errors of the program as a whole.

use crate::apply::ApplyError;
use rccar_daemon::cli::OutputError;
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisionError {
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the clock cannot be set")]
    Clock(#[source] io::Error),
    #[error("{0} to mend")]
    Faults(String),
    #[error(transparent)]
    Output(#[from] OutputError),
}
