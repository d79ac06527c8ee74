//! What the command lines of all programs share.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Flatten it into the program's own arguments with `#[command(flatten)]`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CommonArgs {
    /// Configuration file
    #[arg(long, value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,
}

impl CommonArgs {
    /// The file named on the command line, or else `default`, the program's file in `/etc/rccar`.
    #[must_use]
    pub fn config_or<'a>(&'a self, default: &'a Path) -> &'a Path {
        self.config.as_deref().unwrap_or(default)
    }
}

/// The standard output is closed or full.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to the standard output")]
pub struct OutputError(#[from] io::Error);

/// Prints the answer of a command.
pub fn print(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints the answer of `check-config`, which is the same in every program.
pub fn print_no_mistakes(path: &Path) -> Result<(), OutputError> {
    print(&format!("{}: no mistakes found\n", path.display()))
}
