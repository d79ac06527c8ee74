//! Copies of the database, and the way back.

use super::{DbError, MIGRATIONS, Store};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Why there is no copy, or no way back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error("there is no database at {}", .0.display())]
    Missing(PathBuf),
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is no copy of a host's database: {why}", .path.display())]
    NoCopy { path: PathBuf, why: String },
    /// Two hosts with one database would each believe that they know all cars.
    #[error("a host runs with the database {}: stop it first", .0.display())]
    InUse(PathBuf),
    #[error("cannot lock {}", .path.display())]
    Lock { path: PathBuf, source: io::Error },
}

/// Held by whoever may be the only one with a database; the system frees it with the process.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: File,
}

/// Becomes the only one with this database. The command line's short work does not need that.
pub(crate) fn hold(database: &Path) -> Result<Hold, BackupError> {
    let path = beside(database, "lock");
    let failed = |source| BackupError::Lock { path: path.clone(), source };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Hold { _file: file }),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Writes a copy that is of one moment, also while the host runs.
pub(crate) fn back_up(database: &Path, to: &Path) -> Result<(), BackupError> {
    if !database.exists() {
        return Err(BackupError::Missing(database.to_owned()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let failed = |source| BackupError::Write { path: to.to_owned(), source };
    let new = beside(to, "new");
    // SQLite takes an empty file, and would make one that everybody can read.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(failed)?;
    let store = Store::open(database)?;
    let name = new.to_str().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let outcome = store.connection.execute("VACUUM INTO ?1", [name]).map_err(DbError::from);
    let written = outcome.map_err(BackupError::from).and_then(|_| {
        let file = File::open(&new).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&new, to).map_err(failed)
    });
    if written.is_err() {
        // If this fails, too, the error above says more.
        let _ = fs::remove_file(&new);
    }
    written
}

/// Puts a copy in the place of the database. The one that was there stays beside it; returns where.
pub(crate) fn restore(from: &Path, database: &Path) -> Result<Option<PathBuf>, BackupError> {
    check(from)?;
    let _hold = hold(database)?;
    let failed = |path: &Path, source| BackupError::Write { path: path.to_owned(), source };
    let new = beside(database, "restored");
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&new);
    let mut file = file.map_err(|source| failed(&new, source))?;
    let mut copy = File::open(from).map_err(|error| no_copy(from, &error))?;
    io::copy(&mut copy, &mut file).map_err(|source| failed(&new, source))?;
    file.sync_all().map_err(|source| failed(&new, source))?;
    // Brings it to this program's version, and what its companion holds into the file itself.
    Store::open(&new)?.connection.close().map_err(|(_, error)| DbError::from(error))?;
    // One that an earlier restore kept may be the only good one.
    let mut names = (1..).map(|number| match number {
        1 => beside(database, "before-restore"),
        _ => beside(database, &format!("before-restore-{number}")),
    });
    let before = names.find(|name| !name.exists()).unwrap_or_else(|| new.clone());
    let mut kept = None;
    if database.exists() {
        // As above: of the old one, only its file is kept.
        Store::open(database)?.connection.close().map_err(|(_, error)| DbError::from(error))?;
        fs::rename(database, &before).map_err(|source| failed(&before, source))?;
        kept = Some(before);
    }
    fs::rename(&new, database).map_err(|source| failed(database, source))?;
    Ok(kept)
}

fn check(from: &Path) -> Result<(), BackupError> {
    let open = || {
        let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let said: String =
            connection.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
        let version: usize =
            connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok::<_, rusqlite::Error>((said, version))
    };
    if !from.is_file() {
        return Err(BackupError::Missing(from.to_owned()));
    }
    let (said, version) = open().map_err(|error| no_copy(from, &error))?;
    if said != "ok" {
        return Err(no_copy(from, &said));
    }
    match version {
        0 => Err(no_copy(from, &"it holds something else")),
        version if version > MIGRATIONS.len() => {
            Err(DbError::Newer { found: version, known: MIGRATIONS.len() }.into())
        }
        _ => Ok(()),
    }
}

fn no_copy(path: &Path, why: &dyn std::fmt::Display) -> BackupError {
    BackupError::NoCopy { path: path.to_owned(), why: why.to_string() }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}
