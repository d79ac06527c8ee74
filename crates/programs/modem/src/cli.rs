//! The commands of `rccar-modem`.

use crate::bus::{self, QueryError};
use crate::config::{Config, DEFAULT_PATH};
use crate::supervisor::{Supervisor, SupervisorError};
use clap::{Parser, Subcommand};
use rccar_daemon::cli::CommonArgs;
use rccar_daemon::config::ConfigError;
use rccar_daemon::{logging, shutdown};
use std::io::{self, Write};
use std::path::Path;

/// Brings the mobile link up and keeps it up: supervises ModemManager and its modem.
#[derive(Debug, Parser)]
#[command(name = "rccar-modem", version)]
pub struct Cli {
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

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ModemError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The supervisor cannot work.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// The running supervisor does not tell.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The operating system refuses.
    #[error("cannot {action}")]
    Os {
        /// What was tried, as a verb.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    /// See [`ModemError`].
    pub fn execute(&self) -> Result<(), ModemError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        match self.command.unwrap_or(Command::Run) {
            Command::Run => {
                let config = Config::load(path)?;
                logging::init("rccar-modem");
                runtime()?.block_on(run(config))
            }
            Command::CheckConfig => {
                Config::load(path)?;
                print(&format!("{}: correct\n", path.display()))
            }
            Command::Status => print(&bus::describe(&runtime()?.block_on(bus::ask())?)),
        }
    }
}

async fn run(config: Config) -> Result<(), ModemError> {
    let supervisor = Supervisor::start(config).await?;
    tracing::info!("supervising");
    supervisor.run(shutdown::signal()).await?;
    tracing::info!("stopped; the link stays as it is");
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, ModemError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|source| ModemError::Os { action: "start the runtime", source })
}

fn print(text: &str) -> Result<(), ModemError> {
    io::stdout().write_all(text.as_bytes()).map_err(|source| ModemError::Os { action: "write to the standard output", source })
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
