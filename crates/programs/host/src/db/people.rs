//! Roles of accounts, and what admins do with accounts.

use super::accounts::stored_name;
use super::{DbError, LinkKind, Store};
use rccar_site::{Person, PersonInfo, Role, TokenHash};
use rusqlite::{Connection, OptionalExtension, params};

/// The outcome of a change to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Done,
    NoSuchUser,
    /// Nobody would be an admin any more.
    LastAdmin,
}

impl Store {
    /// Adds an account with a link by which its user chooses a password. `false`: there is one of
    /// this name.
    pub(crate) fn add_person(
        &mut self,
        person: &Person,
        link: TokenHash,
        now: u64,
        expires: u64,
    ) -> Result<bool, DbError> {
        let Some(account) = self.add_account(&person.name, None, now)? else { return Ok(false) };
        self.set_role(person.name.as_str(), person.role)?;
        self.add_link(link, account, LinkKind::Password, expires, 1)?;
        Ok(true)
    }

    /// All accounts, by name.
    pub(crate) fn people(&self, now: u64) -> Result<Vec<PersonInfo>, DbError> {
        let sql = "SELECT name, role, password IS NOT NULL, accounts.created,
                          (SELECT count(*) FROM cars
                           WHERE owner = accounts.id AND revoked IS NULL),
                          (SELECT max(seen) FROM logins
                           WHERE account = accounts.id AND expires > ?1)
                   FROM accounts ORDER BY name";
        let mut query = self.connection.prepare(sql)?;
        let mut rows = query.query([now])?;
        let mut people = Vec::new();
        while let Some(row) = rows.next()? {
            people.push(PersonInfo {
                name: stored_name(row.get(0)?)?,
                role: stored_role(&row.get::<_, String>(1)?),
                has_password: row.get(2)?,
                created_at: row.get(3)?,
                cars: row.get(4)?,
                seen_at: row.get(5)?,
            });
        }
        Ok(people)
    }

    pub(crate) fn set_role(&mut self, name: &str, role: Role) -> Result<Changed, DbError> {
        self.atomically(|connection| {
            if role == Role::Member && is_last_admin(connection, name)? {
                return Ok(Changed::LastAdmin);
            }
            let sql = "UPDATE accounts SET role = ?2 WHERE name = ?1";
            let done = connection.execute(sql, params![name, role.to_string()])? > 0;
            Ok(if done { Changed::Done } else { Changed::NoSuchUser })
        })
    }

    /// Removes an account with its sign-ins and links. Its cars go to the account `heir`, or to
    /// nobody until there is one of the same name again.
    pub(crate) fn remove_account(
        &mut self,
        name: &str,
        heir: Option<i64>,
    ) -> Result<Changed, DbError> {
        self.atomically(|connection| {
            if is_last_admin(connection, name)? {
                return Ok(Changed::LastAdmin);
            }
            let sql = "UPDATE cars
                       SET owner = ?2, former_owner = iif(?2 IS NULL, ?1, NULL)
                       WHERE owner = (SELECT id FROM accounts WHERE name = ?1)";
            connection.execute(sql, params![name, heir])?;
            let done = connection.execute("DELETE FROM accounts WHERE name = ?1", [name])? > 0;
            Ok(if done { Changed::Done } else { Changed::NoSuchUser })
        })
    }
}

fn is_last_admin(connection: &Connection, name: &str) -> Result<bool, DbError> {
    let sql = "SELECT role = 'admin'
                      AND NOT EXISTS (SELECT 1 FROM accounts
                                      WHERE role = 'admin' AND name <> ?1)
               FROM accounts WHERE name = ?1";
    let last = connection.query_row(sql, [name], |row| row.get(0)).optional()?;
    Ok(last.unwrap_or(false))
}

/// A word that this program does not know gives no right.
pub(super) fn stored_role(text: &str) -> Role {
    if text == "admin" { Role::Admin } else { Role::Member }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::MIGRATIONS;
    use crate::{test_name, test_store};

    fn roles(store: &Store) -> Vec<(String, Role)> {
        let people = store.people(1).unwrap();
        people.into_iter().map(|one| (one.name.to_string(), one.role)).collect()
    }

    #[test]
    fn row_4_the_first_account_is_an_admin_and_the_others_are_members() {
        let store = test_store();
        for name in ["Zoe", "Bob"] {
            store.add_account(&test_name(name), None, 1).unwrap();
        }
        assert_eq!(roles(&store), [("Bob".into(), Role::Member), ("Zoe".into(), Role::Admin)]);
        let mut store = test_store();
        store.set_setup_link(TokenHash::of("link"), 100).unwrap();
        store.set_up(TokenHash::of("link"), &test_name("Ada"), "hash", 1).unwrap().unwrap();
        assert_eq!(roles(&store), [("Ada".into(), Role::Admin)]);
    }

    #[test]
    fn row_4_the_last_admin_is_neither_removed_nor_demoted() {
        let mut store = test_store();
        for name in ["Ada", "Bob"] {
            store.add_account(&test_name(name), None, 1).unwrap();
        }
        assert_eq!(store.set_role("ADA", Role::Member).unwrap(), Changed::LastAdmin);
        assert_eq!(store.remove_account("ada", None).unwrap(), Changed::LastAdmin);
        assert_eq!(store.set_role("Eve", Role::Admin).unwrap(), Changed::NoSuchUser);
        assert_eq!(store.set_role("bob", Role::Admin).unwrap(), Changed::Done);
        assert_eq!(store.set_role("Ada", Role::Member).unwrap(), Changed::Done);
        assert_eq!(store.remove_account("Bob", None).unwrap(), Changed::LastAdmin);
        assert_eq!(store.remove_account("Ada", None).unwrap(), Changed::Done);
        assert_eq!(store.remove_account("Ada", None).unwrap(), Changed::NoSuchUser);
    }

    #[test]
    fn row_4_a_sign_in_has_the_role_that_its_account_has_now() {
        let mut store = test_store();
        let cookie = TokenHash::of("cookie");
        for name in ["Ada", "Bob"] {
            store.add_account(&test_name(name), None, 1).unwrap();
        }
        let bob = store.account("Bob").unwrap().unwrap().id;
        let sign_in = rccar_site::NewSignIn {
            hash: cookie,
            browser: "Firefox".into(),
            network: "192.0.2.0/24".into(),
        };
        store.add_sign_in(&sign_in, bob, 1).unwrap();
        let role = |store: &Store| store.person(cookie, 2).unwrap().unwrap().role;
        assert_eq!(role(&store), Role::Member);
        store.set_role("Bob", Role::Admin).unwrap();
        assert_eq!(role(&store), Role::Admin);
    }

    #[test]
    fn row_4_in_a_database_of_before_the_oldest_account_becomes_the_admin() {
        let connection = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..4] {
            connection.execute_batch(step).unwrap();
        }
        connection.pragma_update(None, "user_version", 4).unwrap();
        let sql = "INSERT INTO accounts (id, name, created) VALUES (3, 'Zoe', 1), (5, 'Ada', 2)";
        connection.execute(sql, []).unwrap();
        let store = Store::prepare(connection).unwrap();
        assert_eq!(roles(&store), [("Ada".into(), Role::Member), ("Zoe".into(), Role::Admin)]);
    }
}
