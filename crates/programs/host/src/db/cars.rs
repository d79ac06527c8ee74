//! Cars and their enrolment.

use super::accounts::stored_name;
use super::shares::{all_shared, end_shares, shared_of};
use super::{DbError, Store};
use crate::config::Caps;
use rccar_protocol::text::{CarId, Name};
use rccar_site::{CarRegistration, EnrolledCar, Shared, TokenHash};
use rusqlite::{Connection, OptionalExtension, params};

/// A car as the command line lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CarRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: Option<String>,
    pub(crate) revoked: bool,
}

/// The outcome of a car's attempt to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Enrolled {
    /// It was enrolled before.
    Known(EnrolledCar),
    /// Its token has enrolled it now.
    New(EnrolledCar),
    /// It is revoked, and it has no new token.
    Revoked,
    /// Unknown, and no valid token.
    No,
}

/// The outcome of a wish for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Made,
    /// The account has as many cars, tokens included, as it may have.
    TooManyCars,
    /// It has as many open tokens as it may have.
    TooManyTokens,
}

/// The outcome of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Claimed {
    Done(EnrolledCar),
    /// It is enrolled already, or there is no such user.
    No,
    /// The account has as many cars as it may have.
    TooManyCars,
}

/// Enrols a car, for the first time or again, with a new owner and name.
const KNOW: &str = "INSERT INTO cars (id, key, name, owner, created) VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (id) DO UPDATE
                    SET name = excluded.name, owner = excluded.owner, revoked = NULL,
                        former_owner = NULL";

impl Store {
    /// `owner` is the name of an account; the car of one that does not exist gets no owner.
    pub(crate) fn add_enrolment(
        &mut self,
        token: TokenHash,
        owner: Option<&str>,
        name: Option<&Name>,
        (now, expires): (u64, u64),
        caps: Caps,
    ) -> Result<Token, DbError> {
        self.atomically(|connection| {
            let account: Option<i64> = match owner {
                Some(owner) => account_of(connection, owner)?,
                None => None,
            };
            if let Some(account) = account {
                let (cars, tokens) = holdings(connection, account, now)?;
                if tokens >= caps.max_open_tokens.into() {
                    return Ok(Token::TooManyTokens);
                }
                if cars + tokens >= caps.max_cars.into() {
                    return Ok(Token::TooManyCars);
                }
            }
            let sql = "INSERT INTO enrolments (hash, owner, name, expires) VALUES (?1, ?2, ?3, ?4)";
            connection.execute(sql, params![token.0, account, name.map(Name::as_str), expires])?;
            Ok(Token::Made)
        })
    }

    /// Lets a car in that is enrolled, or that shows a valid token: this spends the token. A
    /// revoked car needs a new token.
    pub(crate) fn enrol(&mut self, car: &CarRegistration, now: u64) -> Result<Enrolled, DbError> {
        let id = car.key.id();
        // Nearly every car is known: reading takes no lock, and nobody has to wait for the disk.
        if let Some(row) = car_row(&self.connection, &id)?.filter(|row| !row.revoked) {
            return Ok(Enrolled::Known(row.known(shared_of(&self.connection, id.as_str())?)?));
        }
        self.atomically(|connection| {
            let known = car_row(connection, &id)?;
            // A known car that still shows its token does not spend it: it needs none.
            if let Some(row) = known.as_ref().filter(|row| !row.revoked) {
                return Ok(Enrolled::Known(row.known(shared_of(connection, id.as_str())?)?));
            }
            let sql =
                "DELETE FROM enrolments WHERE hash = ?1 AND expires > ?2 RETURNING owner, name";
            let token = car.enrolment.map(|token| {
                let row = |row: &rusqlite::Row<'_>| {
                    Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<String>>(1)?))
                };
                connection.prepare_cached(sql)?.query_row(params![token.0, now], row).optional()
            });
            let Some((owner, chosen)) = token.transpose()?.flatten() else {
                return Ok(if known.is_some() { Enrolled::Revoked } else { Enrolled::No });
            };
            let name = chosen.map(stored_name).transpose()?.unwrap_or_else(|| car.name.clone());
            let values = params![id.as_str(), car.key.0, name.as_str(), owner, now];
            connection.prepare_cached(KNOW)?.execute(values)?;
            end_shares(connection, &id)?;
            let row = car_row(connection, &id)?.ok_or(DbError::Lost)?;
            Ok(Enrolled::New(row.known(Shared::default())?))
        })
    }

    /// Makes this user the owner of an unknown or revoked car, under the name that the car asks
    /// for.
    pub(crate) fn claim(
        &mut self,
        car: &CarRegistration,
        user: &Name,
        now: u64,
        caps: Caps,
    ) -> Result<Claimed, DbError> {
        let id = car.key.id();
        self.atomically(|connection| {
            let owner = account_of(connection, user.as_str())?;
            let taken = car_row(connection, &id)?.is_some_and(|row| !row.revoked);
            let Some(owner) = owner.filter(|_| !taken) else { return Ok(Claimed::No) };
            let (cars, tokens) = holdings(connection, owner, now)?;
            if cars + tokens >= caps.max_cars.into() {
                return Ok(Claimed::TooManyCars);
            }
            let values = params![id.as_str(), car.key.0, car.name.as_str(), owner, now];
            connection.execute(KNOW, values)?;
            end_shares(connection, &id)?;
            let row = car_row(connection, &id)?.ok_or(DbError::Lost)?;
            Ok(Claimed::Done(row.known(Shared::default())?))
        })
    }

    /// All cars but the revoked ones.
    pub(crate) fn enrolled_cars(&self) -> Result<Vec<EnrolledCar>, DbError> {
        let mut shared = all_shared(&self.connection)?;
        let live = self.cars()?.into_iter().filter(|car| !car.revoked);
        live.map(|car| {
            let shared = shared.remove(&car.id).unwrap_or_default();
            car.known(shared)
        })
        .collect()
    }

    /// All cars, revoked ones as well.
    pub(crate) fn cars(&self) -> Result<Vec<CarRow>, DbError> {
        let mut query = self.connection.prepare(&format!("{ROWS} ORDER BY cars.name, cars.id"))?;
        let rows = query.query_map([], CarRow::read)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }

    /// Revokes a car. `false`: there is no such car, or it was revoked before.
    pub(crate) fn revoke_car(&mut self, id: &CarId, now: u64) -> Result<bool, DbError> {
        self.atomically(|connection| {
            let sql = "UPDATE cars SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL";
            let done = connection.execute(sql, params![id.as_str(), now])? > 0;
            end_shares(connection, id)?;
            Ok(done)
        })
    }
}

pub(super) fn account_of(connection: &Connection, name: &str) -> Result<Option<i64>, DbError> {
    let sql = "SELECT id FROM accounts WHERE name = ?1";
    Ok(connection.query_row(sql, [name], |row| row.get(0)).optional()?)
}

/// How many cars, revoked ones apart, and how many open tokens an account has.
fn holdings(connection: &Connection, account: i64, now: u64) -> Result<(u64, u64), DbError> {
    let sql = "SELECT (SELECT count(*) FROM cars WHERE owner = ?1 AND revoked IS NULL),
                      (SELECT count(*) FROM enrolments WHERE owner = ?1 AND expires > ?2)";
    let counts = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(connection.query_row(sql, params![account, now], counts)?)
}

const ROWS: &str = "SELECT cars.id, cars.name, accounts.name, revoked IS NOT NULL
                    FROM cars LEFT JOIN accounts ON accounts.id = owner";

pub(super) fn car_row(connection: &Connection, id: &CarId) -> Result<Option<CarRow>, DbError> {
    let mut query = connection.prepare_cached(&format!("{ROWS} WHERE cars.id = ?1"))?;
    Ok(query.query_row([id.as_str()], CarRow::read).optional()?)
}

impl CarRow {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, owner: row.get(2)?, revoked: row.get(3)? })
    }

    pub(super) fn known(&self, shared: Shared) -> Result<EnrolledCar, DbError> {
        let id = CarId::new(self.id.as_str()).map_err(|_| DbError::Damaged("car's identifier"))?;
        let owner = self.owner.clone().map(stored_name).transpose()?;
        Ok(EnrolledCar { id, name: stored_name(self.name.clone())?, owner, shared })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{test_name, test_store};
    use rccar_protocol::identity::CarKey;
    use rccar_protocol::text::Software;

    const CAPS: Caps = Caps { max_cars: 3, max_open_tokens: 2, max_open_links: 1 };

    fn car(seed: u8, token: Option<&str>) -> CarRegistration {
        let software = Software::new("test/1").unwrap();
        CarRegistration {
            key: CarKey([seed; 32]),
            name: test_name("red car"),
            software,
            enrolment: token.map(TokenHash::of),
            prepares: false,
        }
    }

    #[test]
    fn a_token_enrols_one_car_once_and_in_time() {
        let mut store = test_store();
        store.add_enrolment(TokenHash::of("token"), None, None, (0, 100), CAPS).unwrap();
        assert_eq!(store.enrol(&car(1, None), 1).unwrap(), Enrolled::No);
        assert_eq!(store.enrol(&car(1, Some("token")), 100).unwrap(), Enrolled::No, "expired");
        assert!(matches!(store.enrol(&car(1, Some("token")), 99).unwrap(), Enrolled::New(_)));
        assert_eq!(store.enrol(&car(2, Some("token")), 99).unwrap(), Enrolled::No);
        assert!(matches!(store.enrol(&car(1, Some("token")), 99).unwrap(), Enrolled::Known(_)));
    }

    #[test]
    fn the_owners_name_for_a_car_wins() {
        let mut store = test_store();
        store.add_account(&test_name("Ada"), None, 1).unwrap();
        store
            .add_enrolment(
                TokenHash::of("token"),
                Some("Ada"),
                Some(&test_name("blue car")),
                (0, 100),
                CAPS,
            )
            .unwrap();
        store.enrol(&car(1, Some("token")), 1).unwrap();
        assert_eq!(store.enrolled_cars().unwrap()[0].name, test_name("blue car"));
        assert_eq!(store.cars().unwrap()[0].owner.as_deref(), Some("Ada"));
    }

    #[test]
    fn a_revoked_car_needs_a_new_token() {
        let mut store = test_store();
        for token in ["one", "two"] {
            store.add_enrolment(TokenHash::of(token), None, None, (0, 100), CAPS).unwrap();
        }
        store.enrol(&car(1, Some("one")), 1).unwrap();
        assert!(store.revoke_car(&car(1, None).key.id(), 2).unwrap());
        assert!(!store.revoke_car(&car(1, None).key.id(), 2).unwrap());
        assert_eq!(store.enrol(&car(1, None), 3).unwrap(), Enrolled::Revoked);
        assert_eq!(store.enrol(&car(1, Some("one")), 3).unwrap(), Enrolled::Revoked);
        assert_eq!(store.enrolled_cars().unwrap(), []);
        assert!(matches!(store.enrol(&car(1, Some("two")), 3).unwrap(), Enrolled::New(_)));
    }

    #[test]
    fn an_unknown_car_is_claimed_once() {
        let mut store = test_store();
        for name in ["Ada", "Bob"] {
            store.add_account(&test_name(name), None, 1).unwrap();
        }
        let mut claim =
            |user: &str, now| store.claim(&car(1, None), &test_name(user), now, CAPS).unwrap();
        assert_eq!(claim("Eve", 1), Claimed::No, "no such user");
        let Claimed::Done(claimed) = claim("Ada", 1) else { panic!("not claimed") };
        assert_eq!((claimed.name, claimed.owner), (test_name("red car"), Some(test_name("Ada"))));
        assert_eq!(claim("Bob", 2), Claimed::No);
        assert!(matches!(store.enrol(&car(1, None), 3).unwrap(), Enrolled::Known(_)));
    }

    #[test]
    fn an_owner_gives_a_car_away_and_somebody_else_claims_it() {
        let mut store = test_store();
        let id = car(1, None).key.id();
        let names = ["Ada", "Bob"].map(test_name);
        for name in &names {
            store.add_account(name, None, 1).unwrap();
        }
        store.claim(&car(1, None), &names[0], 1, CAPS).unwrap();
        assert!(store.revoke_car(&id, 2).unwrap());
        assert!(!store.revoke_car(&id, 2).unwrap());
        assert_eq!(store.enrol(&car(1, None), 3).unwrap(), Enrolled::Revoked);
        let claimed = store.claim(&car(1, None), &names[1], 4, CAPS).unwrap();
        let Claimed::Done(claimed) = claimed else { panic!("{claimed:?}") };
        assert_eq!(claimed.owner, Some(test_name("Bob")));
        store.remove_account("Bob", None).unwrap();
        assert_eq!(
            store.enrolled_cars().unwrap()[0].owner,
            None,
            "a car outlives its owner's account"
        );
    }

    #[test]
    fn row_10_a_removed_account_keeps_its_cars_for_its_name_or_hands_them_on() {
        let mut store = test_store();
        let names = ["Ada", "Bob"].map(test_name);
        store.add_account(&test_name("Root"), None, 1).unwrap();
        let [_, bob] = names.clone().map(|name| store.add_account(&name, None, 1).unwrap());
        store.claim(&car(1, None), &names[0], 1, CAPS).unwrap();
        let owner = |store: &Store| store.enrolled_cars().unwrap()[0].owner.clone();
        store.remove_account("ada", None).unwrap();
        assert_eq!(owner(&store), None);
        store.add_account(&test_name("Eve"), None, 2).unwrap();
        assert_eq!(owner(&store), None, "another name's");
        store.add_account(&test_name("ADA"), None, 2).unwrap();
        assert_eq!(owner(&store), Some(test_name("ADA")));
        store.remove_account("Ada", bob).unwrap();
        assert_eq!(owner(&store), Some(test_name("Bob")));
        store.add_account(&names[0], None, 3).unwrap();
        assert_eq!(owner(&store), Some(test_name("Bob")), "handed on for good");
        // What was sent away meanwhile and claimed by somebody else is that one's.
        store.remove_account("Bob", None).unwrap();
        store.revoke_car(&car(1, None).key.id(), 4).unwrap();
        store.claim(&car(1, None), &names[0], 5, CAPS).unwrap();
        store.add_account(&names[1], None, 6).unwrap();
        assert_eq!(owner(&store), Some(test_name("Ada")));
    }

    #[test]
    fn row_2_an_account_has_so_many_open_tokens_and_so_many_cars_with_them_and_no_more() {
        let mut store = test_store();
        for name in ["Ada", "Bob"] {
            store.add_account(&test_name(name), None, 1).unwrap();
        }
        let mut next = 0;
        let mut ask = |store: &mut Store, owner: Option<&str>, now| {
            next += 1;
            let token = TokenHash::of(&next.to_string());
            store.add_enrolment(token, owner, None, (now, now + 10), CAPS).unwrap()
        };
        assert_eq!(ask(&mut store, Some("Ada"), 0), Token::Made);
        assert_eq!(ask(&mut store, Some("ada"), 0), Token::Made);
        assert_eq!(ask(&mut store, Some("Ada"), 0), Token::TooManyTokens);
        assert_eq!(ask(&mut store, Some("Bob"), 0), Token::Made, "another's do not count");
        assert!((0..5).all(|_| ask(&mut store, None, 0) == Token::Made), "nobody's do not, either");
        // The tokens have expired.
        assert_eq!(ask(&mut store, Some("Ada"), 10), Token::Made);

        let ada = test_name("Ada");
        let claim = |store: &mut Store, seed, now| {
            matches!(store.claim(&car(seed, None), &ada, now, CAPS).unwrap(), Claimed::Done(_))
        };
        assert!(claim(&mut store, 1, 10) && claim(&mut store, 2, 10));
        assert!(!claim(&mut store, 3, 10), "two cars and a token");
        assert_eq!(ask(&mut store, Some("Ada"), 10), Token::TooManyCars);
        assert!(claim(&mut store, 3, 20), "the token has expired");
        assert!(!claim(&mut store, 4, 20));
        store.revoke_car(&car(1, None).key.id(), 21).unwrap();
        assert!(claim(&mut store, 4, 21), "what was given away makes room");
    }
}
