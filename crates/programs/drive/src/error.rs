//! Errors that end a command.

use crate::actuator::ActuatorError;
use crate::calibrate::CalibrateError;
use crate::query::QueryError;
use crate::socket::SocketError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use rccar_drive_core::SettingsError;
use std::io;

#[derive(Debug, thiserror::Error)]
pub(crate) enum DriveError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Output(#[from] OutputError),
    /// [`Config::load`](crate::config::Config::load) has checked the settings: not expected.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Actuator(#[from] ActuatorError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Calibrate(#[from] CalibrateError),
    #[error("{0}")]
    Calibration(String),
    #[error("cannot {action}")]
    Os {
        /// What the system refused, as a verb: "open the trace".
        action: &'static str,
        source: io::Error,
    },
}
