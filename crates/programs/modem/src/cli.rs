//! The commands of `rccar-modem`.

use crate::bus;
use crate::config::{Config, DEFAULT_PATH};
use crate::error::ModemError;
use crate::run::{run, runtime};
use clap::{Parser, Subcommand};
use rccar_daemon::cli::{CommonArgs, print, print_no_mistakes};
use rccar_daemon::logging;
use std::path::Path;

/// Brings the mobile link up and keeps it up: supervises ModemManager and its modem.
#[derive(Debug, Parser)]
#[command(name = "rccar-modem", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Supervise (the default)
    Run,
    /// Check the configuration and name what is wrong
    CheckConfig,
    /// Ask the running supervisor for the state of the link and print it
    Status,
}

impl Cli {
    pub(crate) fn execute(&self) -> Result<(), ModemError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        match self.command.unwrap_or(Command::Run) {
            Command::Run => {
                let config = Config::load(path)?;
                logging::init("rccar-modem");
                runtime()?.block_on(run(config))
            }
            Command::CheckConfig => {
                Config::load(path)?;
                Ok(print_no_mistakes(path)?)
            }
            Command::Status => Ok(print(&bus::describe(&runtime()?.block_on(bus::ask())?))?),
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
