//! Turns an error into words and an exit code.

use crate::config::{ConfigError, ConfigProblem};
use rccar_causes::Causes;
use std::error::Error;
use std::process::ExitCode;

/// Something went wrong while running.
const FAILED: u8 = 1;
/// The configuration has to be changed before another start makes sense. Units name this code in
/// `RestartPreventExitStatus=`.
const BAD_CONFIGURATION: u8 = 2;

/// Runs a program's body. Prints an error to stderr, with all its causes on one line.
///
/// Exit code 0 after `Ok`, 2 if a [`ConfigError`] is among the causes, else 1.
///
/// In builds for tests `RCCAR_GREASE=1` makes the program talk like a later version
/// ([`rccar_protocol::grease`]).
pub fn run<E: Error + 'static>(program: impl FnOnce() -> Result<(), E>) -> ExitCode {
    if cfg!(debug_assertions) && std::env::var_os("RCCAR_GREASE").is_some_and(|value| value == "1")
    {
        rccar_protocol::grease::enable();
    }
    match program() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", Causes::of(&error));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &(dyn Error + 'static)) -> u8 {
    // `#[error(transparent)]` hides the ConfigError itself and leaves its cause, the ConfigProblem.
    if causes(error).any(|cause| cause.is::<ConfigError>() || cause.is::<ConfigProblem>()) {
        BAD_CONFIGURATION
    } else {
        FAILED
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;
    use thiserror::Error;

    #[derive(Debug, Error)]
    enum StartError {
        #[error("cannot open the camera")]
        Camera(#[source] std::io::Error),
        #[error(transparent)]
        Transparent(ConfigError),
        #[error("cannot start")]
        Config(#[source] ConfigError),
    }

    fn busy() -> std::io::Error {
        std::io::Error::other("device is busy")
    }

    fn broken() -> ConfigError {
        crate::config::parse::<toml::Table>("a =", "a.toml").unwrap_err()
    }

    #[test]
    fn configuration_errors_have_an_exit_code_of_their_own() {
        assert_eq!(exit_code(&StartError::Camera(busy())), FAILED);
        assert_eq!(exit_code(&StartError::Config(broken())), BAD_CONFIGURATION);
        assert_eq!(exit_code(&StartError::Transparent(broken())), BAD_CONFIGURATION);
        assert_eq!(exit_code(&broken()), BAD_CONFIGURATION);
    }
}
