//! The work of the commands.

use crate::apply::{self, Places};
use crate::clock::{self, Outcome, SystemClock};
use crate::error::ProvisionError;
use crate::parse;
use rccar_daemon::cli::{print, print_no_mistakes};
use std::path::Path;

pub(crate) fn apply(root: &Path) -> Result<(), ProvisionError> {
    let outcome = apply::apply(&Places::new(root))?;
    tracing::info!(
        file = ?outcome.file,
        faults = outcome.faults.len(),
        host_name = outcome.host_name,
        "set up"
    );
    outcome.faults.iter().for_each(|fault| tracing::warn!("provision.toml: {fault}"));
    outcome.notices.iter().for_each(|notice| tracing::warn!("{notice}"));
    Ok(())
}

pub(crate) fn clock() -> Result<(), ProvisionError> {
    match clock::follow(Path::new("/"), &mut SystemClock).map_err(ProvisionError::Clock)? {
        Outcome::Set(words) => tracing::info!("{words}"),
        outcome => tracing::debug!(?outcome, "the clock stays"),
    }
    Ok(())
}

/// Prints the faults. A file with any is an error, so that scripts see it.
pub(crate) fn check(path: &Path) -> Result<(), ProvisionError> {
    let bytes = std::fs::read(path)
        .map_err(|source| ProvisionError::Read { path: path.to_owned(), source })?;
    let parsed = parse(&bytes);
    let remarks = parsed.remarks.iter().map(|remark| format!("note: {remark}\n"));
    let faults = parsed.faults.iter().map(|fault| format!("{}: {fault}\n", path.display()));
    print(&remarks.chain(faults).collect::<String>())?;
    match parsed.faults.len() {
        0 => Ok(print_no_mistakes(path)?),
        1 => Err(ProvisionError::Faults("1 mistake".to_owned())),
        count => Err(ProvisionError::Faults(format!("{count} mistakes"))),
    }
}
