//! An error with all its causes, in one line, as logs and programs print it.
//!
//! `Display` of an error says what failed, its `source` says why. A log that prints only the first
//! hides the second: "the database failed".
//!
//! ```
//! use rccar_causes::causes;
//! # #[derive(Debug, thiserror::Error)]
//! # #[error("cannot open the database")]
//! # struct Failed(#[source] std::io::Error);
//! let error = Failed(std::io::Error::other("the disk is full"));
//! assert_eq!(causes(&error).to_string(), "cannot open the database: the disk is full");
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

use std::error::Error;
use std::fmt;

/// The error and its causes, outermost first. A cause is left out if the text before it quotes it
/// already.
pub fn causes<E: Error + 'static>(error: &E) -> Causes<'_> {
    Causes(error)
}

/// Prints as one line: see [`causes`].
#[derive(Clone, Copy)]
pub struct Causes<'a>(&'a (dyn Error + 'static));

impl<'a> Causes<'a> {
    /// For an error whose type is not known, such as a `source`.
    #[must_use]
    pub fn of(error: &'a (dyn Error + 'static)) -> Self {
        Self(error)
    }
}

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        for cause in std::iter::successors(self.0.source(), |&error| error.source()) {
            let cause = cause.to_string();
            if !said.contains(&cause) {
                write!(f, ": {cause}")?;
                said.push_str(&cause);
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    enum Failed {
        #[error("cannot start")]
        Start(#[source] Box<Failed>),
        #[error("cannot open the camera")]
        Camera(#[source] io::Error),
        #[error("cannot read: {0}")]
        Quoted(#[source] io::Error),
        #[error(transparent)]
        Transparent(io::Error),
    }

    #[test]
    fn every_cause_is_told_once() {
        let broken = || io::Error::other("it is broken");
        let text = |error| causes(&error).to_string();
        assert_eq!(
            text(Failed::Start(Box::new(Failed::Camera(broken())))),
            "cannot start: cannot open the camera: it is broken"
        );
        assert_eq!(
            text(Failed::Start(Box::new(Failed::Quoted(broken())))),
            "cannot start: cannot read: it is broken"
        );
        assert_eq!(text(Failed::Transparent(broken())), "it is broken");
        assert_eq!(Causes::of(&Failed::Quoted(broken())).to_string(), "cannot read: it is broken");
    }
}
