//! See the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = rccar_update::cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
