//! Sign-ins of browsers, and what ends them.

use super::accounts::stored_name;
use super::people::stored_role;
use super::{DbError, Store};
use crate::lifetimes::SIGN_IN;
use rccar_protocol::text::Name;
use rccar_site::{EndedSignIns, NewSignIn, Person, SignInInfo, TokenHash};
use rusqlite::{Connection, OptionalExtension, Params, params};

/// Sign-ins of one account: more browsers than a person, or a class with one account, uses in a
/// month.
const MOST_SIGN_INS: u32 = 100;
/// How exact the time is at which a sign-in was seen last. Not every request is worth a write.
const SEEN_EVERY: u64 = 600;
/// Bytes of a hash that name its sign-in to its user: enough to tell a hundred apart.
const ID_BYTES: usize = 8;

impl Store {
    /// Stores a sign-in. Of the account's others the newest stay, so that there are
    /// [`MOST_SIGN_INS`] in all; the rest end.
    pub(crate) fn add_sign_in(
        &mut self,
        sign_in: &NewSignIn,
        account: i64,
        now: u64,
    ) -> Result<EndedSignIns, DbError> {
        self.atomically(|connection| add_sign_in(connection, sign_in, account, now))
    }

    /// The user of a sign-in, which is seen by that. `None`: it has expired, or there is none.
    pub(crate) fn person(&self, sign_in: TokenHash, now: u64) -> Result<Option<Person>, DbError> {
        let sql = "SELECT name, role, coalesce(seen, 0) FROM logins
                   JOIN accounts ON accounts.id = account WHERE hash = ?1 AND expires > ?2";
        let row = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, u64>(2)?))
        };
        let mut query = self.connection.prepare_cached(sql)?;
        let Some((name, role, seen)) = query.query_row(params![sign_in.0, now], row).optional()?
        else {
            return Ok(None);
        };
        if seen.saturating_add(SEEN_EVERY) <= now {
            let sql = "UPDATE logins SET seen = ?2 WHERE hash = ?1";
            self.connection.execute(sql, params![sign_in.0, now])?;
        }
        Ok(Some(Person { name: stored_name(name)?, role: stored_role(&role) }))
    }

    /// Only the user's name.
    pub(crate) fn sign_in(&self, sign_in: TokenHash, now: u64) -> Result<Option<Name>, DbError> {
        Ok(self.person(sign_in, now)?.map(|person| person.name))
    }

    /// All that hold, the newest first.
    pub(crate) fn sign_ins(
        &self,
        account: i64,
        this: TokenHash,
        now: u64,
    ) -> Result<Vec<SignInInfo>, DbError> {
        let sql = "SELECT hash, browser, network, coalesce(created, expires - ?3), seen FROM logins
                   WHERE account = ?1 AND expires > ?2 ORDER BY expires DESC, rowid DESC";
        let mut query = self.connection.prepare(sql)?;
        let info = |row: &rusqlite::Row<'_>| {
            let hash: [u8; 32] = row.get(0)?;
            Ok(SignInInfo {
                id: id(&hash),
                browser: row.get(1)?,
                network: row.get(2)?,
                created_at: row.get(3)?,
                seen_at: row.get(4)?,
                this: hash == this.0,
            })
        };
        Ok(query.query_map(params![account, now, SIGN_IN], info)?.collect::<Result<_, _>>()?)
    }

    pub(crate) fn remove_sign_in(&self, sign_in: TokenHash) -> Result<(), DbError> {
        self.connection.execute("DELETE FROM logins WHERE hash = ?1", params![sign_in.0])?;
        Ok(())
    }

    /// Ends the user's sign-in that is listed by this identifier.
    pub(crate) fn end_sign_in(&self, user: &Name, id: &str) -> Result<EndedSignIns, DbError> {
        let sql = "DELETE FROM logins WHERE lower(hex(substr(hash, 1, ?3))) = ?2
                   AND account = (SELECT id FROM accounts WHERE name = ?1) RETURNING hash";
        ended(&self.connection, sql, params![user.as_str(), id, ID_BYTES])
    }

    pub(crate) fn end_other_sign_ins(
        &self,
        user: &Name,
        this: TokenHash,
    ) -> Result<EndedSignIns, DbError> {
        let sql = "DELETE FROM logins WHERE hash <> ?2
                   AND account = (SELECT id FROM accounts WHERE name = ?1) RETURNING hash";
        ended(&self.connection, sql, params![user.as_str(), this.0])
    }

    /// Gives an account another password, unless it no longer has `before`; ends its links and its
    /// sign-ins but `this`. `None`: somebody else has changed the password meanwhile.
    pub(crate) fn change_password(
        &mut self,
        account: i64,
        (before, new): (&str, &str),
        this: TokenHash,
    ) -> Result<Option<EndedSignIns>, DbError> {
        self.atomically(|connection| {
            let sql = "UPDATE accounts SET password = ?3 WHERE id = ?1 AND password = ?2";
            if connection.execute(sql, params![account, before, new])? == 0 {
                return Ok(None);
            }
            end_all_but(connection, account, Some(this)).map(Some)
        })
    }

    /// Spends a password link: its account gets the password, all its links and sign-ins end, and
    /// this one is stored. `None`: the link does not work.
    pub(crate) fn spend_password_link(
        &mut self,
        token: TokenHash,
        password: &str,
        sign_in: &NewSignIn,
        now: u64,
    ) -> Result<Option<EndedSignIns>, DbError> {
        self.atomically(|connection| {
            let sql = "DELETE FROM links WHERE hash = ?1 AND kind = 'password' AND expires > ?2
                       RETURNING account";
            let spent = connection
                .query_row(sql, params![token.0, now], |row| row.get::<_, i64>(0))
                .optional()?;
            let Some(account) = spent else { return Ok(None) };
            let sql = "UPDATE accounts SET password = ?2 WHERE id = ?1";
            connection.execute(sql, params![account, password])?;
            let ended = end_all_but(connection, account, None)?;
            add_sign_in(connection, sign_in, account, now)?;
            Ok(Some(ended))
        })
    }
}

fn add_sign_in(
    connection: &Connection,
    sign_in: &NewSignIn,
    account: i64,
    now: u64,
) -> Result<EndedSignIns, DbError> {
    let sql = "DELETE FROM logins WHERE account = ?1 AND hash NOT IN
               (SELECT hash FROM logins WHERE account = ?1
                ORDER BY expires DESC, rowid DESC LIMIT ?2) RETURNING hash";
    let ended = ended(connection, sql, params![account, MOST_SIGN_INS - 1])?;
    let sql = "INSERT INTO logins (hash, account, expires, created, seen, browser, network)
               VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)";
    let NewSignIn { hash, browser, network } = sign_in;
    connection.execute(sql, params![hash.0, account, now + SIGN_IN, now, browser, network])?;
    Ok(ended)
}

fn end_all_but(
    connection: &Connection,
    account: i64,
    this: Option<TokenHash>,
) -> Result<EndedSignIns, DbError> {
    connection.execute("DELETE FROM links WHERE account = ?1", [account])?;
    let sql = "DELETE FROM logins WHERE account = ?1 AND hash IS NOT ?2 RETURNING hash";
    ended(connection, sql, params![account, this.map(|this| this.0)])
}

fn ended(connection: &Connection, sql: &str, of: impl Params) -> Result<EndedSignIns, DbError> {
    let mut query = connection.prepare(sql)?;
    let hashes = query.query_map(of, |row| row.get(0).map(TokenHash))?;
    Ok(hashes.collect::<Result<_, _>>()?)
}

fn id(hash: &[u8; 32]) -> String {
    hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Changed, LinkKind};
    use crate::{test_name, test_store};
    use rccar_site::Role;

    const NOW: u64 = 1_000_000;

    fn new(cookie: &str) -> NewSignIn {
        let (browser, network) = ("Firefox on Linux".into(), "192.0.2.0/24".into());
        NewSignIn { hash: TokenHash::of(cookie), browser, network }
    }

    /// A store with Ada, who is signed in with these cookies, one after the other.
    fn signed_in(cookies: &[&str]) -> (Store, i64) {
        let mut store = test_store();
        let account = store.add_account(&test_name("Ada"), Some("old"), 1).unwrap().unwrap();
        for (later, cookie) in (0..).zip(cookies) {
            store.add_sign_in(&new(cookie), account, NOW + later).unwrap();
        }
        (store, account)
    }

    fn holds(store: &Store, cookie: &str) -> bool {
        store.sign_in(TokenHash::of(cookie), NOW + 10).unwrap().is_some()
    }

    #[test]
    fn a_sign_in_ends_with_its_time_or_its_account() {
        let (mut store, _) = signed_in(&["cookie"]);
        let sign_in = TokenHash::of("cookie");
        let end = NOW + SIGN_IN;
        assert_eq!(store.sign_in(sign_in, end - 1).unwrap(), Some(test_name("Ada")));
        assert_eq!(store.sign_in(sign_in, end).unwrap(), None);
        store.add_account(&test_name("Bob"), None, 1).unwrap();
        store.set_role("Bob", Role::Admin).unwrap();
        assert_eq!(store.remove_account("ada", None).unwrap(), Changed::Done);
        assert_eq!(store.sign_in(sign_in, end - 1).unwrap(), None);
    }

    #[test]
    fn row_2_an_account_has_so_many_sign_ins_and_a_new_one_ends_the_oldest() {
        let (mut store, account) = signed_in(&[]);
        let mut ended = Vec::new();
        for number in 0..=MOST_SIGN_INS {
            let sign_in = new(&number.to_string());
            ended.extend(store.add_sign_in(&sign_in, account, NOW).unwrap());
        }
        assert_eq!(ended, [TokenHash::of("0")], "its connections have to end, too");
        assert!(!holds(&store, "0"));
        assert!((1..=MOST_SIGN_INS).all(|number| holds(&store, &number.to_string())));
    }

    #[test]
    fn row_10_a_person_sees_the_own_sign_ins_and_which_one_asks() {
        let (mut store, account) = signed_in(&["phone", "laptop"]);
        let bob = store.add_account(&test_name("Bob"), None, 1).unwrap().unwrap();
        store.add_sign_in(&new("Bob's"), bob, NOW).unwrap();
        let later = NOW + SEEN_EVERY;
        store.sign_in(TokenHash::of("phone"), later).unwrap();
        let seen = store.sign_ins(account, TokenHash::of("phone"), NOW + 10).unwrap();
        let brief: Vec<_> = seen
            .iter()
            .map(|one| (one.created_at - NOW, one.seen_at.unwrap() - NOW, one.this))
            .collect();
        assert_eq!(brief, [(1, 1, false), (0, SEEN_EVERY, true)]);
        assert_eq!(seen[0].browser.as_deref(), Some("Firefox on Linux"));
        assert_eq!(seen[0].network.as_deref(), Some("192.0.2.0/24"));
    }

    #[test]
    fn row_10_one_sign_in_ends_or_all_others_and_nobody_elses() {
        let (mut store, account) = signed_in(&["phone", "laptop", "lost"]);
        let (ada, bob) = (test_name("Ada"), test_name("Bob"));
        let other = store.add_account(&bob, None, 1).unwrap().unwrap();
        store.add_sign_in(&new("Bob's"), other, NOW).unwrap();
        let lost = store.sign_ins(account, TokenHash::of("phone"), NOW + 10).unwrap()[0].id.clone();
        assert_eq!(store.end_sign_in(&bob, &lost).unwrap(), [], "it is Ada's");
        assert_eq!(store.end_sign_in(&ada, "").unwrap(), []);
        assert_eq!(store.end_sign_in(&ada, &lost).unwrap(), [TokenHash::of("lost")]);
        assert_eq!(store.end_sign_in(&ada, &lost).unwrap(), [], "ended before");
        let ended = store.end_other_sign_ins(&ada, TokenHash::of("phone")).unwrap();
        assert_eq!(ended, [TokenHash::of("laptop")]);
        assert!(holds(&store, "phone") && holds(&store, "Bob's"));
    }

    #[test]
    fn row_10_a_new_password_ends_all_other_sign_ins_and_all_links() {
        let (mut store, account) = signed_in(&["phone", "laptop"]);
        let link = TokenHash::of("link");
        store.add_link(link, account, LinkKind::SignIn, NOW + 100, 5).unwrap();
        let this = TokenHash::of("phone");
        let mut change = |before| store.change_password(account, (before, "new"), this).unwrap();
        assert_eq!(change("other"), None, "changed meanwhile");
        assert_eq!(change("old"), Some(vec![TokenHash::of("laptop")]));
        assert_eq!(store.spend_link(link, NOW).unwrap(), None);
        assert!(holds(&store, "phone") && !holds(&store, "laptop"));
    }

    #[test]
    fn row_10_a_password_link_works_once_and_in_time_and_ends_all_sign_ins() {
        let (mut store, account) = signed_in(&["phone", "laptop"]);
        let (first, link) = (TokenHash::of("first"), TokenHash::of("link"));
        for token in [first, link] {
            store.add_link(token, account, LinkKind::Password, NOW + 100, 1).unwrap();
        }
        let mut spend =
            |token, at| store.spend_password_link(token, "new", &new("new browser"), at).unwrap();
        assert_eq!(spend(first, NOW), None, "the newer one has withdrawn it");
        assert_eq!(spend(link, NOW + 100), None, "expired");
        assert_eq!(spend(link, NOW + 99).unwrap().len(), 2);
        assert_eq!(spend(link, NOW + 99), None, "used");
        assert!(holds(&store, "new browser") && !holds(&store, "phone"));
        assert_eq!(store.account("Ada").unwrap().unwrap().password.as_deref(), Some("new"));
    }

    #[test]
    fn row_10_a_link_is_good_for_what_it_was_made_for() {
        let (mut store, account) = signed_in(&[]);
        let (enter, reset) = (TokenHash::of("enter"), TokenHash::of("reset"));
        store.add_link(enter, account, LinkKind::SignIn, NOW + 100, 5).unwrap();
        store.add_link(reset, account, LinkKind::Password, NOW + 100, 1).unwrap();
        assert_eq!(store.user_of_password_link(enter, NOW).unwrap(), None);
        let spent = store.spend_password_link(enter, "new", &new("cookie"), NOW).unwrap();
        assert_eq!(spent, None);
        assert_eq!(store.spend_link(reset, NOW).unwrap(), None);
        assert!(store.spend_link(enter, NOW).unwrap().is_some());
        assert_eq!(store.user_of_password_link(reset, NOW).unwrap(), Some(test_name("Ada")));
    }
}
