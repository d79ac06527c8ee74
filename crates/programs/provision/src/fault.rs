//! Faults of a file, in words for the person who wrote it.

use serde::Serialize;
use std::fmt;

/// One mistake. Nothing in it quotes a secret: faults are shown before anybody has signed in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Line of the file, from 1.
    pub line: usize,
    /// `table.key`, `[table]`, or `(file)` where no key is to blame.
    pub key: String,
    /// What is wrong, as a sentence without its full stop.
    pub what: String,
    /// A line that would be right; empty where none would explain more.
    pub example: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, {}: {}", self.line, self.key, self.what)?;
        if self.example.is_empty() {
            Ok(())
        } else {
            write!(f, "\n    for example: {}", self.example)
        }
    }
}
