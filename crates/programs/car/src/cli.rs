//! The commands of `rccar-car`.

use crate::camera;
use crate::config::{Config, DEFAULT_PATH};
use crate::encoder;
use crate::error::CarError;
use crate::run;
use crate::try_encoder::{self, Coding};
use clap::{Parser, Subcommand};
use rccar_daemon::cli::{CommonArgs, print, print_no_mistakes};
use rccar_daemon::logging;
use std::path::{Path, PathBuf};

/// The car's end of a drive: registers with the signaling host, sends the camera's picture, passes
/// the driver's input to rccar-drive.
#[derive(Debug, Parser)]
#[command(name = "rccar-car", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    /// Append all that congestion control is told and answers to this file, one JSON object a line
    #[arg(long, value_name = "FILE", global = true)]
    trace: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Run the car (the default)
    Run,
    /// Check the configuration and name what is wrong
    CheckConfig,
    /// List the cameras that libcamera sees, with their sizes
    Cameras,
    /// Encode the simulated road with the configured encoder and print how it went
    TryEncoder {
        /// Try a device that gives this coding instead, such as FWHT
        #[arg(long)]
        coding: Option<Coding>,
    },
    /// Print the car's id, making its key if there is none
    Id,
}

impl Cli {
    pub(crate) fn execute(&self) -> Result<(), CarError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        match self.command.unwrap_or(Command::Run) {
            Command::Run => {
                let mut config = Config::load(path)?;
                config.car.trace = self.trace.clone().or(config.car.trace);
                logging::init("rccar-car");
                run::run(config)
            }
            Command::CheckConfig => {
                let config = Config::load(path)?;
                print_no_mistakes(path)?;
                let encoder = encoder::describe(config.encoder, &config.camera);
                Ok(print(&format!("encoder: {encoder}\n"))?)
            }
            Command::Cameras => Ok(print(&camera::list()?)?),
            Command::TryEncoder { coding } => {
                let config = Config::load(path)?;
                Ok(print(&try_encoder::run(&config, coding)?)?)
            }
            Command::Id => {
                Ok(print(&format!("{}\n", run::load_identity(&Config::load(path)?)?.id()))?)
            }
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
