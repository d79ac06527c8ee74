//! `rccar-host release …`: works on directory and database, whether or not the host runs. A running
//! host notices within a second.

use super::shelf::Shelf;
use super::store::{add, refuse, release, remove};
use crate::admin::AdminError;
use crate::cli::ReleaseCommand;
use crate::config::Config;
use crate::db::Store;
use rccar_daemon::cli::print;
use rccar_protocol::release::{Percent, Version};
use rccar_site::{Release, ReleaseChange, ReleaseError, UploadWish};
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::Path;

pub(crate) fn run(config: &Config, command: ReleaseCommand) -> Result<(), AdminError> {
    let mut store = Store::open(&config.database.path)?;
    match command {
        ReleaseCommand::Add { file, channel, rollout, notes } => {
            let wish = UploadWish { channel, rollout, notes, user: None, bytes: None };
            let release = put(config, &mut store, &file, &wish)?;
            Ok(print(&format!(
                "{}\t{}\tsigned by {}\n",
                release.version, release.compatible, release.signer
            ))?)
        }
        ReleaseCommand::List { json } => {
            let releases = store.releases()?;
            Ok(print(&if json {
                format!("{}\n", serde_json::json!(releases))
            } else {
                table(&releases)
            })?)
        }
        ReleaseCommand::Rollout { version, percent } => {
            change(&mut store, version, |change| change.rollout = Some(percent))
        }
        ReleaseCommand::Pause { version } => {
            change(&mut store, version, |change| change.paused = Some(true))
        }
        ReleaseCommand::Resume { version } => {
            change(&mut store, version, |change| change.paused = Some(false))
        }
        ReleaseCommand::Channel { version, channels } => {
            change(&mut store, version, |change| change.channels = Some(channels))
        }
        ReleaseCommand::Remove { version } => {
            let shelf = Shelf::open(&config.releases_dir(), None)?;
            let removed = remove(&store, &shelf, &version)?;
            removed.map(drop).ok_or_else(|| ReleaseError::NoSuchRelease(version).into())
        }
    }
}

fn put(
    config: &Config,
    store: &mut Store,
    file: &Path,
    wish: &UploadWish,
) -> Result<Release, AdminError> {
    let shelf = Shelf::open(&config.releases_dir(), config.releases.keyring.as_deref())?;
    if !shelf.has_keyring() {
        return Err(ReleaseError::NoKeyring.into());
    }
    let unreadable = |source| AdminError::Bundle { path: file.to_owned(), source };
    let mut source = File::open(file).map_err(unreadable)?;
    if source.metadata().map_err(unreadable)?.len() > config.releases.max_bytes {
        return Err(ReleaseError::TooLarge(config.releases.max_bytes).into());
    }
    let mut draft = shelf.draft()?;
    io::copy(&mut source, &mut draft.file).map_err(unreadable)?;
    let bundle = shelf.check(&mut draft).map_err(refuse)?;
    Ok(add(store, &shelf, draft, release(bundle, wish))?)
}

fn change(
    store: &mut Store,
    version: Version,
    edit: impl FnOnce(&mut ReleaseChange),
) -> Result<(), AdminError> {
    let mut change = ReleaseChange::default();
    edit(&mut change);
    let changed = store.change_release(&version, &change)?;
    changed.map(drop).ok_or_else(|| ReleaseError::NoSuchRelease(version).into())
}

/// One line for each release, with tabs between the columns.
fn table(releases: &[Release]) -> String {
    releases.iter().fold(String::new(), |mut text, release| {
        let channels: Vec<_> = release.channels.iter().map(ToString::to_string).collect();
        let state = match (release.paused, release.rollout) {
            (true, _) => "paused".to_owned(),
            (false, Percent::ALL) => "for all".to_owned(),
            (false, percent) => format!("{} %", percent.value()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}\t{}\t{}\t{state}\t{}",
            release.version,
            release.compatible,
            channels.join(","),
            release.size.value()
        );
        text
    })
}
