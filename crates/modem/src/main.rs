//! See the library.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = rccar_modem::cli::Cli::parse();
    rccar_daemon::run(|| cli.execute())
}
