//! The real programs.

use crate::authority::AUTHORITY;
use crate::namespace::Namespace;
use crate::wait::until;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tokio::process::{Child, Command};

/// A program that runs. Dropping it kills it.
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program. `filter` is for its log, unless `RCCAR_LOG` is set.
    pub(crate) fn start(
        namespace: &Namespace,
        folder: &Path,
        name: &str,
        arguments: &[&str],
        filter: &str,
    ) -> io::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::from(namespace.command(&path(name)?.to_string_lossy()));
        command
            .args(arguments)
            .env("NO_COLOR", "1")
            .env("RCCAR_GREASE", "1")
            .env("SSL_CERT_FILE", AUTHORITY)
            .kill_on_drop(true);
        if std::env::var_os("RCCAR_LOG").is_none() {
            command.env("RCCAR_LOG", filter);
        }
        command.stdin(std::process::Stdio::null()).stdout(output.try_clone()?).stderr(output);
        Ok(Self { child: command.spawn()?, log })
    }

    /// All that the program has printed.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until the program has printed `words`.
    ///
    /// # Panics
    /// It ends, or does not print them in time ([`until`]).
    pub async fn await_log(&mut self, words: &str) {
        until(words, || {
            let runs = self.runs();
            let log = self.log();
            assert!(runs, "it has ended before it said {words:?}:\n{log}");
            log.contains(words)
        })
        .await;
    }

    /// Process id, for signals; `None` after the end.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the program by SIGKILL, like a crash.
    pub async fn kill(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill().await;
    }
}

/// Path of a program: in the folder `RCCAR_BIN`, else where cargo puts it beside this test.
pub(crate) fn path(name: &str) -> io::Result<PathBuf> {
    let folder = match std::env::var_os("RCCAR_BIN") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let test = std::env::current_exe()?;
            test.ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
        }
    };
    let path = folder.join(name);
    if path.exists() {
        return Ok(path);
    }
    Err(io::Error::other(format!(
        "{} is missing: ci/netlab builds it, or name its folder in RCCAR_BIN",
        path.display()
    )))
}
