//! The commands of `rccar-provision`.

use crate::apply::{ApplyError, Places, apply};
use crate::parse;
use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Applies provision.toml, the file with which a person sets up a car's SD card.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
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
    /// Say what is wrong with a file, without applying it
    Check {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, thiserror::Error)]
enum ProvisionError {
    #[error(transparent)]
    Apply(#[from] ApplyError),
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{0} to mend")]
    Faults(String),
    #[error("cannot write to the standard output")]
    Output(#[from] io::Error),
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    rccar_daemon::run(try_main)
}

fn try_main() -> Result<(), ProvisionError> {
    let args = Args::parse();
    rccar_daemon::logging::init("rccar-provision");
    match args.command {
        Command::Apply { root } => {
            let outcome = apply(&Places::new(&root))?;
            tracing::info!(file = ?outcome.file, faults = outcome.faults.len(), host_name = outcome.host_name, "set up");
            outcome.faults.iter().for_each(|fault| tracing::warn!("provision.toml: {fault}"));
            outcome.notices.iter().for_each(|notice| tracing::warn!("{notice}"));
            Ok(())
        }
        Command::Check { file } => check(&file),
    }
}

fn check(path: &Path) -> Result<(), ProvisionError> {
    let bytes = std::fs::read(path).map_err(|source| ProvisionError::Read { path: path.to_owned(), source })?;
    let parsed = parse(&bytes);
    let mut out = io::stdout().lock();
    parsed.remarks.iter().try_for_each(|remark| writeln!(out, "note: {remark}"))?;
    parsed.faults.iter().try_for_each(|fault| writeln!(out, "{}: {fault}", path.display()))?;
    match parsed.faults.len() {
        0 => Ok(writeln!(out, "{}: no mistakes found", path.display())?),
        1 => Err(ProvisionError::Faults("1 mistake".to_owned())),
        count => Err(ProvisionError::Faults(format!("{count} mistakes"))),
    }
}
