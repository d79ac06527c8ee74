//! The commands of `rccar-provision`.

use crate::error::ProvisionError;
use crate::run;
use clap::{Parser, Subcommand};
use rccar_daemon::logging;
use std::path::PathBuf;

/// Applies provision.toml, the file with which a person sets up a car's SD card.
#[derive(Debug, Parser)]
#[command(name = "rccar-provision", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the card's file and set the car up. Runs as root at each start, before the services
    Apply {
        /// Directory in the place of `/`. The kernel's host name and mounts are then left alone
        #[arg(long, value_name = "DIR", default_value = "/")]
        root: PathBuf,
    },
    /// Set the clock forward by what the mobile network or the host says, until NTP has set it
    Clock,
    /// Say what is wrong with a file, without applying it
    Check {
        /// The file
        file: PathBuf,
    },
}

impl Cli {
    pub(crate) fn execute(&self) -> Result<(), ProvisionError> {
        match &self.command {
            Command::Apply { root } => {
                logging::init("rccar-provision");
                run::apply(root)
            }
            Command::Clock => {
                logging::init("rccar-provision");
                run::clock()
            }
            Command::Check { file } => run::check(file),
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
