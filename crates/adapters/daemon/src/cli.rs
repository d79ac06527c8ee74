//! Arguments that every program takes.

use std::path::{Path, PathBuf};

/// Flatten it into the program's own arguments with `#[command(flatten)]`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CommonArgs {
    /// Configuration file
    #[arg(long, value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,
}

impl CommonArgs {
    /// The file named on the command line, else `default` (the program's place under `/etc/rccar`).
    #[must_use]
    pub fn config_or<'a>(&'a self, default: &'a Path) -> &'a Path {
        self.config.as_deref().unwrap_or(default)
    }
}
