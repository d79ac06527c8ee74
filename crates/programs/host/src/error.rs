//! Errors of the program as a whole.

use crate::admin::AdminError;
use crate::db::DbError;
use crate::db::backup::BackupError;
use crate::ice::TurnError;
use crate::password::HashError;
use crate::releases::ShelfError;
use crate::tls::TlsError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use rccar_protocol::text::TextError;
use std::io;
use std::net::SocketAddr;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Admin(#[from] AdminError),
    #[error("a part of the host broke off, for a fault in the program")]
    Task,
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot listen on {address} (TCP)")]
    Bind { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Turn(#[from] TurnError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Releases(#[from] ShelfError),
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
    #[error("the program's own name is no legal name")]
    Name(#[from] TextError),
    #[error(transparent)]
    Output(#[from] OutputError),
}
