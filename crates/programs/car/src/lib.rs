//! `rccar-car`: the car's agent.
//!
//! Registers the car with its signaling host, answers drivers with an offer, sends the camera's picture and passes set-points on to
//! `rccar-drive`. **Nothing here keeps the wheels turning: every set-point expires in the drive, whatever becomes of this process.**
//!
//! ```text
//!   signaling ──┐                         ┌── camera ─ encoder (a thread of its own)
//!               ├─► agent ─► session ◄────┤
//!   lan page  ──┘              │ steering └── drive (Unix datagrams)
//! ```
//!
//! What is decided is in `rccar-car-core`; here are the sockets, tasks and signals around it. Agent, session and signaling do not know
//! each other: `run` introduces them, and `messages` is what they say.
//!
//! # Design decisions
//!
//! * One session at a time, whoever asks: the host's word does not overrule the car's.
//! * Steering runs in a task of its own: names that resolve slowly or long descriptions never delay a set-point.
//! * `SIGUSR1` restarts ICE in the running session, for whoever looks for a better path by hand.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

mod agent;
mod board;
mod bus;
mod camera;
mod claim;
mod config;
mod dial;
mod drive;
mod due;
mod encoder;
mod host_url;
mod ice;
mod identity;
mod lan;
mod messages;
mod modem;
mod pose;
mod run;
mod session;
mod signaling;
mod standing;
mod steering;
mod uplinks;
mod video;

use clap::{Parser, Subcommand};
use rccar_daemon::cli::CommonArgs;
use std::path::Path;
use std::process::ExitCode;

const DEFAULT_CONFIG: &str = "/etc/rccar/car.toml";

/// The car's agent: registers with the signaling host, sends the camera's picture, passes the driver's input to rccar-drive.
#[derive(Parser)]
#[command(name = "rccar-car", version)]
struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the car (the default)
    Run,
    /// Read the configuration and tell what is wrong with it
    CheckConfig,
    /// List the cameras that libcamera sees, with their sizes
    Cameras,
    /// Print the car's id, making its key if there is none
    Id,
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    rccar_daemon::logging::init("rccar-car");
    rccar_daemon::run(|| try_main(&args))
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn try_main(args: &Args) -> Result<(), run::RunError> {
    let config = || -> Result<config::Config, run::RunError> {
        let path = args.common.config_or(Path::new(DEFAULT_CONFIG));
        let config: config::Config = rccar_daemon::config::load(path)?;
        config.validate(&path.display().to_string())?;
        Ok(config)
    };
    match args.command {
        None | Some(Command::Run) => run::run(config()?),
        Some(Command::CheckConfig) => {
            config()?;
            println!("{}: the configuration is good", args.common.config_or(Path::new(DEFAULT_CONFIG)).display());
            Ok(())
        }
        Some(Command::Cameras) => {
            print!("{}", camera::list()?);
            Ok(())
        }
        Some(Command::Id) => {
            println!("{}", run::load_identity(&config()?)?.id());
            Ok(())
        }
    }
}
