//! Errors that end a command.

use crate::camera::CameraConfigError;
use crate::identity::IdentityError;
use crate::lan::LanError;
use rccar_daemon::cli::OutputError;
use rccar_daemon::config::ConfigError;
use rccar_media::camera::CameraError;
use rccar_media::encoder::EncoderError;
use rccar_protocol::text::TextError;
use std::io;
use std::num::TryFromIntError;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CarError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("cannot make the state directory {}", .0.display())]
    StateDir(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error("cannot listen for the drive service beside {}", .0.display())]
    Drive(PathBuf, #[source] io::Error),
    #[error(transparent)]
    CameraConfig(#[from] CameraConfigError),
    #[error("cannot open the camera")]
    Camera(#[from] CameraError),
    #[error("cannot set up the encoder")]
    Encoder(#[from] EncoderError),
    #[error("a picture of this size or rate does not fit the protocol")]
    Format(#[from] TryFromIntError),
    #[error("the camera's thread has died")]
    CameraDied,
    #[error("cannot start the camera's thread")]
    Thread(#[source] io::Error),
    #[error("cannot write the trace {}", .0.display())]
    Trace(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Lan(#[from] LanError),
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    #[error("illegal name of this program")]
    Software(#[from] TextError),
}
