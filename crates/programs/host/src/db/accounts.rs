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
    /// Adds an account. It gets the cars again that one of this name had when it was removed.
    /// `None`: there is one of this name, whatever the case of its letters.
    pub(crate) fn add_account(
        &self,
        name: &Name,
        password: Option<&str>,
        now: u64,
    ) -> Result<Option<i64>, DbError> {
        let sql = "INSERT INTO accounts (name, password, created) VALUES (?1, ?2, ?3)";
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

    pub(crate) fn account_names(&self) -> Result<Vec<String>, DbError> {
        let mut query = self.connection.prepare("SELECT name FROM accounts ORDER BY name")?;
        let names = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    pub(crate) fn has_accounts(&self) -> Result<bool, DbError> {
        Ok(self
            .connection
            .query_row("SELECT EXISTS (SELECT 1 FROM accounts)", [], |row| row.get(0))?)
    }

    /// Removes an account with its sign-ins and links. Its cars go to the account `heir`, or to
    /// nobody until there is one of the same name again. `false`: there is none of this name.
    pub(crate) fn remove_account(
        &mut self,
        name: &str,
        heir: Option<i64>,
    ) -> Result<bool, DbError> {
        self.atomically(|connection| {
            let sql = "UPDATE cars
                       SET owner = ?2, former_owner = iif(?2 IS NULL, ?1, NULL)
                       WHERE owner = (SELECT id FROM accounts WHERE name = ?1)";
            connection.execute(sql, params![name, heir])?;
            Ok(connection.execute("DELETE FROM accounts WHERE name = ?1", [name])? > 0)
        })
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
        assert_eq!(store.account_names().unwrap(), ["Ada"]);
    }
}
