//! With whom cars are shared.

use super::accounts::stored_name;
use super::cars::{account_of, car_row};
use super::{DbError, Store};
use rccar_protocol::signaling::CarRole;
use rccar_protocol::text::{CarId, Name};
use rccar_site::{EnrolledCar, Person, Role, ShareInfo, Shared, SharesInfo};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts that one car may be shared with: a class and its teachers. More share it with
/// everybody.
pub(crate) const MOST_SHARES: u32 = 100;

/// The outcome of a wish to share a car.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sharing {
    Done(EnrolledCar),
    NoSuchCar,
    NoSuchUser,
    TooMany,
}

impl Store {
    /// What somebody may do with a car. `None`: for this person there is no such car.
    pub(crate) fn car_role(
        &self,
        person: &Person,
        car: &CarId,
    ) -> Result<Option<CarRole>, DbError> {
        let sql = "SELECT owner IS NOT NULL AND owner IS accounts.id, everybody, shares.role
                   FROM cars LEFT JOIN accounts ON accounts.name = ?2
                   LEFT JOIN shares ON shares.car = cars.id AND shares.account = accounts.id
                   WHERE cars.id = ?1 AND revoked IS NULL";
        let row = |row: &rusqlite::Row<'_>| {
            Ok((
                row.get::<_, bool>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, Option<String>>(2)?,
            ))
        };
        let mut query = self.connection.prepare_cached(sql)?;
        let found = query.query_row(params![car.as_str(), person.name.as_str()], row).optional()?;
        Ok(found.and_then(|(owns, everybody, own)| {
            if owns || person.role == Role::Admin {
                return Some(CarRole::Owner);
            }
            let roles: Vec<_> =
                [everybody, own].iter().flatten().map(|role| stored(role)).collect();
            let driver = roles.contains(&CarRole::Driver).then_some(CarRole::Driver);
            driver.or(roles.first().copied())
        }))
    }

    pub(crate) fn admins(&self) -> Result<BTreeSet<Name>, DbError> {
        let sql = "SELECT name FROM accounts WHERE role = 'admin'";
        let mut query = self.connection.prepare(sql)?;
        let names = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        names.into_iter().map(stored_name).collect()
    }

    pub(crate) fn shares(&self, car: &CarId) -> Result<SharesInfo, DbError> {
        let Shared { everybody, people } = shared_of(&self.connection, car.as_str())?;
        let people = people.into_iter().map(|(name, role)| ShareInfo { name, role }).collect();
        Ok(SharesInfo { everybody, people })
    }

    /// Shares a car with an account, or with everybody (`None`). Without a role it is no longer
    /// shared with them.
    pub(crate) fn share(
        &mut self,
        car: &CarId,
        with: Option<&Name>,
        role: Option<CarRole>,
    ) -> Result<Sharing, DbError> {
        let role = role.map(word);
        self.atomically(|connection| {
            let id = car.as_str();
            if car_row(connection, car)?.is_none_or(|row| row.revoked) {
                return Ok(Sharing::NoSuchCar);
            }
            match with {
                None => {
                    let sql = "UPDATE cars SET everybody = ?2 WHERE id = ?1";
                    connection.execute(sql, params![id, role])?;
                }
                Some(name) => {
                    let Some(account) = account_of(connection, name.as_str())? else {
                        return Ok(Sharing::NoSuchUser);
                    };
                    let sql = "DELETE FROM shares WHERE car = ?1 AND account = ?2";
                    connection.execute(sql, params![id, account])?;
                    if let Some(role) = role {
                        let sql = "SELECT count(*) FROM shares WHERE car = ?1";
                        let shares: u32 = connection.query_row(sql, [id], |row| row.get(0))?;
                        if shares >= MOST_SHARES {
                            return Ok(Sharing::TooMany);
                        }
                        let sql = "INSERT INTO shares (car, account, role) VALUES (?1, ?2, ?3)";
                        connection.execute(sql, params![id, account, role])?;
                    }
                }
            }
            let row = car_row(connection, car)?.ok_or(DbError::Lost)?;
            Ok(Sharing::Done(row.known(shared_of(connection, id)?)?))
        })
    }
}

/// Ends all shares of a car: it gets another owner, or is given away.
pub(super) fn end_shares(connection: &Connection, car: &CarId) -> Result<(), DbError> {
    connection.execute("DELETE FROM shares WHERE car = ?1", [car.as_str()])?;
    connection.execute("UPDATE cars SET everybody = NULL WHERE id = ?1", [car.as_str()])?;
    Ok(())
}

pub(super) fn shared_of(connection: &Connection, car: &str) -> Result<Shared, DbError> {
    let sql = "SELECT everybody FROM cars WHERE id = ?1";
    let mut query = connection.prepare_cached(sql)?;
    let everybody: Option<String> = query.query_row([car], |row| row.get(0)).optional()?.flatten();
    let sql = "SELECT name, shares.role FROM shares
               JOIN accounts ON accounts.id = account WHERE car = ?1";
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query([car])?;
    let mut people = BTreeMap::new();
    while let Some(row) = rows.next()? {
        people.insert(stored_name(row.get(0)?)?, stored(&row.get::<_, String>(1)?));
    }
    Ok(Shared { everybody: everybody.as_deref().map(stored), people })
}

/// The shares of all cars, by car.
pub(super) fn all_shared(connection: &Connection) -> Result<BTreeMap<String, Shared>, DbError> {
    let mut all: BTreeMap<String, Shared> = BTreeMap::new();
    let mut query =
        connection.prepare("SELECT id, everybody FROM cars WHERE everybody IS NOT NULL")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let everybody = Some(stored(&row.get::<_, String>(1)?));
        all.insert(row.get(0)?, Shared { everybody, ..Shared::default() });
    }
    let sql = "SELECT car, name, shares.role FROM shares JOIN accounts ON accounts.id = account";
    let mut query = connection.prepare(sql)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let people = &mut all.entry(row.get(0)?).or_default().people;
        people.insert(stored_name(row.get(1)?)?, stored(&row.get::<_, String>(2)?));
    }
    Ok(all)
}

/// A word that this program does not know gives no more than to see the car.
fn stored(text: &str) -> CarRole {
    if text == "driver" { CarRole::Driver } else { CarRole::Spectator }
}

fn word(role: CarRole) -> &'static str {
    if role == CarRole::Driver { "driver" } else { "spectator" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Caps;
    use crate::db::MIGRATIONS;
    use crate::{test_name, test_store};
    use rccar_protocol::identity::CarKey;
    use rccar_protocol::text::Software;
    use rccar_site::CarRegistration;

    const CAPS: Caps = Caps { max_cars: 3, max_open_tokens: 2, max_open_links: 1 };

    fn member(name: &str) -> Person {
        Person { name: test_name(name), role: Role::Member }
    }

    fn car() -> CarRegistration {
        CarRegistration {
            key: CarKey([1; 32]),
            name: test_name("red car"),
            software: Software::new("test/1").unwrap(),
            enrolment: None,
            prepares: false,
        }
    }

    /// Ada owns the car; Bob and Eve have accounts.
    fn store() -> (Store, CarId) {
        let mut store = test_store();
        for name in ["Root", "Ada", "Bob", "Eve"] {
            store.add_account(&test_name(name), None, 1).unwrap();
        }
        store.claim(&car(), &test_name("Ada"), 1, CAPS).unwrap();
        (store, car().key.id())
    }

    fn role(store: &Store, name: &str, car: &CarId) -> Option<CarRole> {
        store.car_role(&member(name), car).unwrap()
    }

    #[test]
    fn row_4_a_new_car_is_its_owners_alone_until_it_is_shared() {
        let (mut store, car) = store();
        assert_eq!(role(&store, "Ada", &car), Some(CarRole::Owner));
        assert_eq!(role(&store, "Bob", &car), None);
        let root = Person { name: test_name("Root"), role: Role::Admin };
        assert_eq!(store.car_role(&root, &car).unwrap(), Some(CarRole::Owner));
        let bob = test_name("Bob");
        let Sharing::Done(known) = store.share(&car, Some(&bob), Some(CarRole::Driver)).unwrap()
        else {
            panic!("not shared")
        };
        assert_eq!(known.shared.people, [(bob.clone(), CarRole::Driver)].into());
        assert_eq!(store.enrolled_cars().unwrap(), [known]);
        assert_eq!(role(&store, "Bob", &car), Some(CarRole::Driver));
        assert_eq!(role(&store, "Eve", &car), None);
        store.share(&car, None, Some(CarRole::Spectator)).unwrap();
        assert_eq!(role(&store, "Bob", &car), Some(CarRole::Driver), "the more of both");
        assert_eq!(role(&store, "Eve", &car), Some(CarRole::Spectator));
        store.share(&car, Some(&bob), None).unwrap();
        store.share(&car, None, None).unwrap();
        assert_eq!(role(&store, "Bob", &car), None);
    }

    #[test]
    fn row_4_a_car_that_changes_hands_is_shared_with_nobody() {
        let (mut store, id) = store();
        store.share(&id, Some(&test_name("Bob")), Some(CarRole::Driver)).unwrap();
        store.share(&id, None, Some(CarRole::Driver)).unwrap();
        store.revoke_car(&id, 2).unwrap();
        assert_eq!(role(&store, "Bob", &id), None, "given away");
        store.claim(&car(), &test_name("Eve"), 3, CAPS).unwrap();
        assert_eq!(role(&store, "Bob", &id), None);
        assert_eq!(role(&store, "Ada", &id), None);
    }

    #[test]
    fn row_4_somebody_of_the_same_name_does_not_get_the_rights_of_a_removed_account() {
        let (mut store, car) = store();
        let bob = test_name("Bob");
        store.share(&car, Some(&bob), Some(CarRole::Driver)).unwrap();
        store.remove_account("Bob", None).unwrap();
        store.add_account(&bob, None, 2).unwrap();
        assert_eq!(role(&store, "Bob", &car), None);
    }

    #[test]
    fn row_4_a_car_is_shared_with_so_many_accounts_and_no_more() {
        let (mut store, car) = store();
        let name = |number| test_name(&format!("user {number}"));
        for number in 0..=MOST_SHARES {
            store.add_account(&name(number), None, 1).unwrap();
        }
        for number in 0..MOST_SHARES {
            let shared = store.share(&car, Some(&name(number)), Some(CarRole::Driver)).unwrap();
            assert!(matches!(shared, Sharing::Done(_)), "{number}");
        }
        let more = store.share(&car, Some(&name(MOST_SHARES)), Some(CarRole::Driver)).unwrap();
        assert_eq!(more, Sharing::TooMany);
        let again = store.share(&car, Some(&name(0)), Some(CarRole::Spectator)).unwrap();
        assert!(matches!(again, Sharing::Done(_)), "another role takes no other place");
        let nobody = store.share(&car, Some(&test_name("Zoe")), None).unwrap();
        assert_eq!(nobody, Sharing::NoSuchUser);
    }

    #[test]
    fn row_4_in_a_database_of_before_everybody_drives_the_cars_that_are_there() {
        let connection = Connection::open_in_memory().unwrap();
        for step in &MIGRATIONS[..5] {
            connection.execute_batch(step).unwrap();
        }
        connection.pragma_update(None, "user_version", 5).unwrap();
        let id = car().key.id();
        let sql = "INSERT INTO cars (id, key, name, created) VALUES (?1, ?2, 'red', 1)";
        connection.execute(sql, params![id.as_str(), [1_u8; 32]]).unwrap();
        let store = Store::prepare(connection).unwrap();
        assert_eq!(role(&store, "Bob", &id), Some(CarRole::Driver));
    }
}
