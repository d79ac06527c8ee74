//! The commands of `rccar-drive`.

use crate::actuator::{self, ActuatorError};
use crate::config::{Config, DEFAULT_PATH};
use crate::query::{self, QueryError};
use crate::realtime;
use crate::recorder::Recorder;
use crate::service::Service;
use crate::socket::{DriveSocket, SocketError};
use clap::{Parser, Subcommand};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rccar_daemon::cli::CommonArgs;
use rccar_daemon::config::ConfigError;
use rccar_daemon::{clock, logging, notify};
use rccar_drive_core::{Machine, SettingsError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Owns the actuators of the car: follows set-points from a Unix socket, and stops the car when they are no longer fresh.
#[derive(Debug, Parser)]
#[command(name = "rccar-drive", version)]
pub struct Cli {
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
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A setting, although the configuration was checked.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The socket for set-points.
    #[error(transparent)]
    Socket(#[from] SocketError),
    /// The actuators.
    #[error(transparent)]
    Actuator(#[from] ActuatorError),
    /// The running drive does not tell.
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
    pub fn execute(&self) -> Result<(), DriveError> {
        let path = self.common.config_or(Path::new(DEFAULT_PATH));
        let mut config = Config::load(path)?;
        if let Some(trace) = &self.trace {
            config.trace = Some(trace.clone());
        }
        match self.command.unwrap_or(Command::Run) {
            Command::Run => run(&config),
            Command::CheckConfig => print(&format!("{}: correct\n", path.display())),
            Command::Neutral => neutral(&config),
            Command::Status => print(&query::describe(&query::ask(&config.socket)?)),
        }
    }
}

fn run(config: &Config) -> Result<(), DriveError> {
    logging::init("rccar-drive");
    let signals = catch_signals()?;
    let machine = Machine::new(config.settings())?;
    let socket = DriveSocket::bind(&config.socket)?;
    let recorder = Recorder::start(config.trace.as_deref()).map_err(os("open the trace"))?;
    let hardware = actuator::open(config)?;
    if config.realtime {
        realtime::enable();
    }
    let mut service = Service::new(machine, hardware, socket, recorder);
    tracing::info!(socket = %config.socket.display(), "listening for set-points");
    notify::ready();
    service.run(&signals).map_err(os("wait for set-points"))?;
    drop(service);
    tracing::info!("stopped, the actuators are at neutral");
    Ok(())
}

fn neutral(config: &Config) -> Result<(), DriveError> {
    let output = Machine::new(config.settings())?.output();
    actuator::open(config)?.actuator.apply(clock::now(), output)?;
    print("the actuators are at neutral\n")
}

/// SIGTERM and SIGINT as something to poll. Threads started later inherit the mask, so that no other one takes them.
fn catch_signals() -> Result<SignalFd, DriveError> {
    let mut caught = SigSet::empty();
    caught.add(Signal::SIGTERM);
    caught.add(Signal::SIGINT);
    caught
        .thread_block()
        .and_then(|()| SignalFd::with_flags(&caught, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC))
        .map_err(|error| os("catch signals")(error.into()))
}

fn print(text: &str) -> Result<(), DriveError> {
    io::stdout().write_all(text.as_bytes()).map_err(os("write to the standard output"))
}

fn os(action: &'static str) -> impl Fn(io::Error) -> DriveError {
    move |source| DriveError::Os { action, source }
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
