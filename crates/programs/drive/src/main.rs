//! See the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = rccar_drive::cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
