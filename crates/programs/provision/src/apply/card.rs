//! The card's first partition: read at each start, written as seldom as can be.

use super::Failure;
use super::places::Places;
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};
use rccar_daemon::files;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The content of `provision.toml`.
#[derive(Debug)]
pub(super) enum File {
    Read(Vec<u8>),
    Missing,
    Unreadable(Failure),
}

pub(super) fn read(places: &Places) -> File {
    if let Err(failure) = require_card(places) {
        return File::Unreadable(failure);
    }
    match files::read(&places.file()) {
        Ok(Some(bytes)) => File::Read(bytes),
        Ok(None) => File::Missing,
        Err(error) => File::Unreadable(error.into()),
    }
}

/// Writes the report, unless it says the same already.
pub(super) fn report(places: &Places, content: &str) -> Result<(), Failure> {
    put(places, &places.report(), content.as_bytes()).map(|_changed| ())
}

/// Writes the choice of overlays, unless it is the same already, and returns whether it was
/// another. An empty one is as good as none.
pub(super) fn choice(places: &Places, block: &[u8], is_empty: bool) -> Result<bool, Failure> {
    let path = places.overlays();
    if is_empty && files::read(&path)?.is_none() {
        return Ok(false);
    }
    put(places, &path, block)
}

/// The partition is writable only while a file is written. Returns whether the file has changed.
fn put(places: &Places, path: &Path, content: &[u8]) -> Result<bool, Failure> {
    if files::read(path)?.as_deref() == Some(content) {
        return Ok(false);
    }
    if !places.is_the_system() {
        files::write(path, content)?;
        return Ok(true);
    }
    require_card(places)?;
    let card = places.card();
    let flags = flags_of(&card)?;
    if flags.contains(MsFlags::MS_RDONLY) {
        remount(&card, flags - MsFlags::MS_RDONLY)?;
    }
    let written = files::write(path, content);
    // Also if the write has failed. It writes the file system's own data back, too.
    remount(&card, flags | MsFlags::MS_RDONLY)?;
    written?;
    Ok(true)
}

/// Fails if the partition is not mounted. The folder may then be empty or hold the image's own
/// template: that is not what the car's owner wrote.
fn require_card(places: &Places) -> Result<(), Failure> {
    let card = places.card();
    if places.is_the_system() && !is_mounted(&card)? {
        return Err(io::Error::other(format!("{} is not mounted", card.display())).into());
    }
    Ok(())
}

/// A mount point is on another device than its parent. To remount a directory that is none would
/// change the root file system.
fn is_mounted(directory: &Path) -> io::Result<bool> {
    let parent = directory.parent().unwrap_or(directory);
    Ok(directory.metadata()?.dev() != parent.metadata()?.dev())
}

/// The flags that a remount has to repeat: it clears those that it does not name (mount(2)).
fn flags_of(directory: &Path) -> io::Result<MsFlags> {
    let now = statvfs(directory)?.flags();
    let pairs = [
        (FsFlags::ST_RDONLY, MsFlags::MS_RDONLY),
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    Ok(pairs.into_iter().filter(|(have, _)| now.contains(*have)).map(|(_, flag)| flag).collect())
}

fn remount(directory: &Path, flags: MsFlags) -> io::Result<()> {
    let nothing: Option<&str> = None;
    Ok(mount(nothing, directory, nothing, flags | MsFlags::MS_REMOUNT, nothing)?)
}
