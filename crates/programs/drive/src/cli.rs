//! The commands of `rccar-drive`.

use crate::calibrate;
use crate::calibration;
use crate::config::{Config, DEFAULT_PATH};
use crate::error::DriveError;
use crate::guard;
use crate::query;
use crate::run::{neutral, run};
use clap::{Parser, Subcommand};
use rccar_daemon::cli::{CommonArgs, print, print_no_mistakes};
use std::path::{Path, PathBuf};

/// Owns the actuators of the car: follows set-points from a Unix socket, and stops the car when
/// they are no longer fresh.
#[derive(Debug, Parser)]
#[command(name = "rccar-drive", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    /// Append every decision and every change of the outputs to this file, one JSON object a line
    #[arg(long, value_name = "FILE", global = true)]
    trace: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Drive (the default)
    Run,
    /// Check the configuration and name what is wrong
    CheckConfig,
    /// Put the actuators at neutral and exit, for when the service has died
    Neutral,
    /// Ask the running drive for its state and print it
    Status,
    /// Set the car up: direction, ends and middle of the steering, speed. Wheels off the ground!
    Calibrate,
    /// Write neutral when the drive that gives signs of life on the standard input falls silent
    #[command(hide = true)]
    Guard,
}

impl Cli {
    pub(crate) fn execute(&self) -> Result<(), DriveError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        let mut config = Config::load(path)?;
        if let Some(trace) = &self.trace {
            config.trace = Some(trace.clone());
        }
        match self.command.unwrap_or(Command::Run) {
            Command::Run => run(&config, path),
            Command::Guard => Ok(guard::watch(&config)
                .map_err(|source| DriveError::Os { action: "hear the drive", source })?),
            Command::CheckConfig => {
                calibration::read(&config).map_err(DriveError::Calibration)?;
                Ok(print_no_mistakes(path)?)
            }
            Command::Calibrate => Ok(calibrate::run(&config.socket)?),
            Command::Neutral => {
                neutral(&config)?;
                Ok(print("the actuators are at neutral\n")?)
            }
            Command::Status => Ok(print(&query::describe(&query::ask(&config.socket)?))?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
