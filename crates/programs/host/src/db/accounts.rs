//! Accounts.

use super::{DbError, Store};
use rccar_protocol::text::Name;
use rusqlite::{ErrorCode, OptionalExtension, params};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredAccount {
    pub(crate) id: i64,
    pub(crate) name: Name,
    /// PHC string. `None`: the user signs in by link only.
    pub(crate) password: Option<String>,
}

impl Store {
    /// Adds an account: the first one as an admin, others as members. It gets the cars again that
    /// one of this name had when it was removed. `None`: there is one of this name, whatever the
    /// case of its letters.
    pub(crate) fn add_account(
        &self,
        name: &Name,
        password: Option<&str>,
        now: u64,
    ) -> Result<Option<i64>, DbError> {
        let sql = "INSERT INTO accounts (name, password, created, role) VALUES (?1, ?2, ?3,
                   iif(EXISTS (SELECT 1 FROM accounts), 'member', 'admin'))";
        match self.connection.execute(sql, params![name.as_str(), password, now]) {
            Ok(_) => {
                let account = self.connection.last_insert_rowid();
                let sql = "UPDATE cars SET owner = ?1, former_owner = NULL
                           WHERE owner IS NULL AND former_owner = ?2";
                self.connection.execute(sql, params![account, name.as_str()])?;
                Ok(Some(account))
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The case of the letters does not matter.
    pub(crate) fn account(&self, name: &str) -> Result<Option<StoredAccount>, DbError> {
        let sql = "SELECT id, name, password FROM accounts WHERE name = ?1";
        let row = self
            .connection
            .query_row(sql, [name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))
            .optional()?;
        row.map(|(id, name, password)| Ok(StoredAccount { id, name: stored_name(name)?, password }))
            .transpose()
    }

    pub(crate) fn has_accounts(&self) -> Result<bool, DbError> {
        Ok(self
            .connection
            .query_row("SELECT EXISTS (SELECT 1 FROM accounts)", [], |row| row.get(0))?)
    }
}

pub(super) fn stored_name(text: String) -> Result<Name, DbError> {
    Name::new(text).map_err(|_| DbError::Damaged("name"))
}

#[cfg(test)]
mod tests {
    use crate::{test_name, test_store};

    #[test]
    fn names_are_unique_whatever_their_case() {
        let store = test_store();
        assert!(!store.has_accounts().unwrap());
        assert!(store.add_account(&test_name("Ada"), None, 1).unwrap().is_some());
        assert_eq!(store.add_account(&test_name("aDA"), None, 1).unwrap(), None);
        assert_eq!(store.account("ADA").unwrap().unwrap().name, test_name("Ada"));
        assert_eq!(store.people(1).unwrap().len(), 1);
    }
}
