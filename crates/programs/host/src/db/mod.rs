//! Accounts, sign-ins, cars and releases in SQLite.
//!
//! The command line and the running server use the file at the same time: WAL lets readers and one
//! writer work side by side, and a writer waits [`BUSY_TIMEOUT`] for another. Transactions that
//! read before they write are `IMMEDIATE`: otherwise SQLite lets them fail without waiting when
//! another writer comes between (`SQLITE_BUSY_SNAPSHOT`).

mod accounts;
pub(crate) mod backup;
mod cars;
mod links;
mod people;
mod queue;
mod releases;
mod shares;
mod sign_ins;

pub(crate) use cars::{Claimed, Enrolled, Token};
pub(crate) use links::LinkKind;
pub(crate) use people::Changed;
pub(crate) use queue::Db;
pub(crate) use shares::{MOST_SHARES, Sharing};

use rccar_site::Token as Secret;
use rusqlite::{Connection, TransactionBehavior};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long a writer waits for another; all writes here take milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Steps that lead from an empty file to the newest version. Released steps never change; new ones
/// are appended.
const MIGRATIONS: [&str; 6] = [
    include_str!("schema.sql"),
    include_str!("releases.sql"),
    include_str!("accounts.sql"),
    include_str!("people.sql"),
    include_str!("roles.sql"),
    include_str!("shares.sql"),
];

#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    #[error("cannot open the database {}", .path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error(
        "the database is of version {found}, this program knows versions up to {known}: \
         update the program"
    )]
    Newer { found: usize, known: usize },
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    #[error("a task of the database broke off")]
    Lost,
    #[error("cannot start the thread of the database")]
    Thread(#[source] io::Error),
    /// What failed was done for several at once; the text is that of the fault.
    #[error("the database failed: {0}")]
    Together(Arc<str>),
    #[error("no randomness")]
    Random(#[from] getrandom::Error),
    #[error("the database holds what is no {0}")]
    Damaged(&'static str),
}

#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the file, makes it if it is missing, and brings it to the newest version.
    pub(crate) fn open(path: &Path) -> Result<Self, DbError> {
        // SQLite would make it readable for everybody; its companions (-wal, -shm) get the mode of
        // the file.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|source| DbError::Open { path: path.to_owned(), source })?;
        Self::prepare(Connection::open(path)?)
    }

    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self::prepare(Connection::open_in_memory().unwrap()).unwrap()
    }

    fn prepare(mut connection: Connection) -> Result<Self, DbError> {
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: usize =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > MIGRATIONS.len() {
            return Err(DbError::Newer { found, known: MIGRATIONS.len() });
        }
        for step in &MIGRATIONS[found..] {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
        transaction.commit()?;
        Ok(Self { connection })
    }

    /// Does all of this or nothing. Alone it is a transaction; among others of one
    /// [batch](queue) it is a part of theirs, which can fail without them.
    fn atomically<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        if self.connection.is_autocommit() {
            let behavior = TransactionBehavior::Immediate;
            let transaction = self.connection.transaction_with_behavior(behavior)?;
            let outcome = work(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        } else {
            let part = self.connection.savepoint()?;
            let outcome = work(&part)?;
            part.commit()?;
            Ok(outcome)
        }
    }

    /// Changes whenever another connection, such as the command line's, has written; not when this
    /// one has (SQLite, `PRAGMA data_version`).
    pub(crate) fn data_version(&self) -> Result<i64, DbError> {
        Ok(self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// The key of the cookies that mark known browsers, made at the first start.
    pub(crate) fn key_of_known_browsers(&mut self) -> Result<Secret, DbError> {
        let new = Secret::generate()?;
        self.atomically(|connection| {
            let sql = "INSERT INTO keys (name, key) VALUES ('known browsers', ?1)
                       ON CONFLICT (name) DO NOTHING";
            connection.execute(sql, [new.as_str()])?;
            let sql = "SELECT key FROM keys WHERE name = 'known browsers'";
            Ok(Secret::stored(connection.query_row(sql, [], |row| row.get(0))?))
        })
    }

    /// Deletes sign-ins, links and enrolment tokens that have expired.
    pub(crate) fn purge(&self, now: u64) -> Result<(), DbError> {
        for table in ["logins", "links", "enrolments"] {
            self.connection.execute(&format!("DELETE FROM {table} WHERE expires <= ?1"), [now])?;
        }
        Ok(())
    }
}

/// Seconds since 1970 (UTC).
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_its_owner_may_read_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.db");
        let _store = Store::open(&path).unwrap();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.db");
        Store::open(&path).unwrap().connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Store::open(&path), Err(DbError::Newer { found: 99, .. })));
    }

    #[test]
    fn a_change_by_somebody_else_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.db");
        let (ours, theirs) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        let before = ours.data_version().unwrap();
        theirs.add_account(&crate::test_name("Ada"), None, 1).unwrap();
        assert_ne!(ours.data_version().unwrap(), before);
    }

    #[test]
    fn row_10_known_browsers_are_known_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("host.db");
        let key = || Store::open(&path).unwrap().key_of_known_browsers().unwrap();
        assert_eq!(key(), key());
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = Store::open(Path::new("/nonexistent/rccar/host.db")).unwrap_err();
        assert_eq!(error.to_string(), "cannot open the database /nonexistent/rccar/host.db");
    }
}
