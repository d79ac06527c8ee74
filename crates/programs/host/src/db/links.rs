//! One-time links. Those without an account are set-up links; the others sign that account in, or
//! give it a new password.

use super::accounts::stored_name;
use super::{DbError, Store};
use rccar_protocol::text::Name;
use rccar_site::TokenHash;
use rusqlite::{OptionalExtension, params};

/// What the link of an account is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    SignIn,
    Password,
}

impl LinkKind {
    fn stored(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Password => "password",
        }
    }
}

impl Store {
    /// Stores the set-up link and withdraws earlier ones.
    pub(crate) fn set_setup_link(&mut self, token: TokenHash, expires: u64) -> Result<(), DbError> {
        self.atomically(|connection| {
            connection.execute("DELETE FROM links WHERE account IS NULL", [])?;
            connection.execute(
                "INSERT INTO links (hash, account, expires) VALUES (?1, NULL, ?2)",
                params![token.0, expires],
            )?;
            Ok(())
        })
    }

    /// Whether this is the set-up link and still works.
    pub(crate) fn is_setup_link(&self, token: TokenHash, now: u64) -> Result<bool, DbError> {
        let sql = "SELECT EXISTS
                   (SELECT 1 FROM links WHERE hash = ?1 AND account IS NULL AND expires > ?2)";
        Ok(self.connection.query_row(sql, params![token.0, now], |row| row.get(0))?)
    }

    /// Spends the set-up link on the first account. `None`: it does not work, or there is an
    /// account.
    pub(crate) fn set_up(
        &mut self,
        token: TokenHash,
        name: &Name,
        password: &str,
        now: u64,
    ) -> Result<Option<i64>, DbError> {
        self.atomically(|connection| {
            let sql = "DELETE FROM links WHERE hash = ?1 AND account IS NULL AND expires > ?2
                       AND NOT EXISTS (SELECT 1 FROM accounts)";
            if connection.execute(sql, params![token.0, now])? == 0 {
                return Ok(None);
            }
            let sql = "INSERT INTO accounts (name, password, created, role)
                       VALUES (?1, ?2, ?3, 'admin')";
            connection.execute(sql, params![name.as_str(), password, now])?;
            Ok(Some(connection.last_insert_rowid()))
        })
    }

    /// Stores a link. Of the account's others of this kind the newest stay, so that there are
    /// `most` in all.
    pub(crate) fn add_link(
        &mut self,
        token: TokenHash,
        account: i64,
        kind: LinkKind,
        expires: u64,
        most: u32,
    ) -> Result<(), DbError> {
        self.atomically(|connection| {
            let sql = "DELETE FROM links WHERE account = ?1 AND kind = ?3 AND hash NOT IN
                       (SELECT hash FROM links WHERE account = ?1 AND kind = ?3
                        ORDER BY expires DESC, rowid DESC LIMIT ?2)";
            connection.execute(sql, params![account, most.saturating_sub(1), kind.stored()])?;
            let sql = "INSERT INTO links (hash, account, kind, expires) VALUES (?1, ?2, ?3, ?4)";
            connection.execute(sql, params![token.0, account, kind.stored(), expires])?;
            Ok(())
        })
    }

    /// The user who may choose a password by this link. `None`: it does not work.
    pub(crate) fn user_of_password_link(
        &self,
        token: TokenHash,
        now: u64,
    ) -> Result<Option<Name>, DbError> {
        let sql = "SELECT name FROM links JOIN accounts ON accounts.id = account
                   WHERE hash = ?1 AND kind = 'password' AND expires > ?2";
        let name = self.connection.query_row(sql, params![token.0, now], |row| row.get(0));
        name.optional()?.map(stored_name).transpose()
    }

    /// Spends a sign-in link. `None`: it does not work.
    pub(crate) fn spend_link(
        &self,
        token: TokenHash,
        now: u64,
    ) -> Result<Option<(i64, Name)>, DbError> {
        let sql = "DELETE FROM links WHERE hash = ?1 AND account IS NOT NULL AND kind = 'sign-in'
                   AND expires > ?2 RETURNING account";
        let account: Option<i64> =
            self.connection.query_row(sql, params![token.0, now], |row| row.get(0)).optional()?;
        let Some(account) = account else { return Ok(None) };
        let name = self.connection.query_row(
            "SELECT name FROM accounts WHERE id = ?1",
            [account],
            |row| row.get(0),
        )?;
        Ok(Some((account, stored_name(name)?)))
    }
}

#[cfg(test)]
mod tests {
    use crate::db::{LinkKind, Store};
    use crate::{test_name, test_store};
    use rccar_site::TokenHash;

    #[test]
    fn the_set_up_link_works_once_and_only_the_newest() {
        let mut store = test_store();
        let (old, new) = (TokenHash::of("old"), TokenHash::of("new"));
        store.set_setup_link(old, 100).unwrap();
        store.set_setup_link(new, 100).unwrap();
        assert!(!store.is_setup_link(old, 1).unwrap());
        assert_eq!(store.set_up(old, &test_name("Eve"), "x", 1).unwrap(), None);
        assert_eq!(store.set_up(new, &test_name("Eve"), "x", 100).unwrap(), None, "expired");
        assert!(store.set_up(new, &test_name("Ada"), "x", 99).unwrap().is_some());
        assert_eq!(store.set_up(new, &test_name("Eve"), "x", 99).unwrap(), None);
        store.set_setup_link(new, 100).unwrap();
        assert_eq!(
            store.set_up(new, &test_name("Eve"), "x", 99).unwrap(),
            None,
            "there is an account"
        );
    }

    #[test]
    fn a_sign_in_link_works_once_and_in_time() {
        let mut store = test_store();
        let account = store.add_account(&test_name("Ada"), None, 1).unwrap().unwrap();
        for token in ["one", "two"] {
            store.add_link(TokenHash::of(token), account, LinkKind::SignIn, 100, 5).unwrap();
        }
        assert_eq!(
            store.spend_link(TokenHash::of("one"), 99).unwrap(),
            Some((account, test_name("Ada")))
        );
        assert_eq!(store.spend_link(TokenHash::of("one"), 99).unwrap(), None);
        assert_eq!(store.spend_link(TokenHash::of("two"), 100).unwrap(), None);
    }

    #[test]
    fn row_2_an_account_has_so_many_open_links_and_a_new_one_withdraws_the_oldest() {
        let mut store = test_store();
        let account = |store: &Store, name: &str| {
            store.add_account(&test_name(name), None, 1).unwrap().unwrap()
        };
        let (ada, bob) = (account(&store, "Ada"), account(&store, "Bob"));
        store.add_link(TokenHash::of("Bob's"), bob, LinkKind::SignIn, 100, 2).unwrap();
        for (token, expires) in [("one", 101), ("two", 102), ("three", 102)] {
            store.add_link(TokenHash::of(token), ada, LinkKind::SignIn, expires, 2).unwrap();
        }
        let works = |token: &str| store.spend_link(TokenHash::of(token), 1).unwrap().is_some();
        assert_eq!(["one", "two", "three", "Bob's"].map(works), [false, true, true, true]);
    }

    #[test]
    fn the_set_up_link_does_not_sign_in() {
        let mut store = test_store();
        store.set_setup_link(TokenHash::of("setup"), 100).unwrap();
        assert_eq!(store.spend_link(TokenHash::of("setup"), 1).unwrap(), None);
    }
}
