//! Who may use the relay: the ends of sessions, for as long as the host knows them and their people
//! are let in.
//!
//! **The relay serves nobody whose session was ended, whose sign-in or account is gone, or whose
//! car was struck**, whatever credentials they hold. A session that the host has only forgotten,
//! because an end had no connection to it for a while, may still be driven: its ends keep what they
//! have on the relay, and the host goes on to ask whether its people are let in.

use rccar_protocol::text::{CarId, Name, SessionId};
use rccar_relay::users::{Share, Users};
use rccar_site::{IceEnd, IcePeer, TokenHash};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Forgotten sessions that are remembered here. Beyond it, those without an allocation go first.
const MAX_FORGOTTEN: usize = 1024;

const DRIVER: &str = "driver";
const CAR: &str = "car";

#[derive(Debug, Default)]
pub(crate) struct Grants(Mutex<BTreeMap<SessionId, Grant>>);

#[derive(Debug, Default)]
struct Grant {
    driver: Option<(Name, TokenHash)>,
    car: Option<(CarId, Option<Name>)>,
    /// When its newest credentials expire, in seconds since 1970.
    until: u64,
    /// The rooms no longer know it.
    forgotten: bool,
}

impl Grant {
    fn ends(&self) -> impl Iterator<Item = IceEnd<'_>> {
        let driver = self.driver.as_ref();
        let car = self.car.as_ref();
        driver
            .map(|(user, sign_in)| IceEnd::Driver { user, sign_in: *sign_in })
            .into_iter()
            .chain(car.map(|(car, owner)| IceEnd::Car { car, owner: owner.as_ref() }))
    }
}

impl Grants {
    /// Lets the peer use the relay. Returns its name there.
    pub(crate) fn add(&self, peer: IcePeer<'_>, until: u64) -> String {
        let mut grants = self.lock();
        let grant = grants.entry(peer.session).or_default();
        (grant.until, grant.forgotten) = (until, false);
        let end = match peer.end {
            IceEnd::Driver { user, sign_in } => {
                grant.driver = Some((user.clone(), sign_in));
                DRIVER
            }
            IceEnd::Car { car, owner } => {
                grant.car = Some((car.clone(), owner.cloned()));
                CAR
            }
        };
        // Names are sent in the clear. The session's number does not say who drives.
        format!("{}:{end}", peer.session)
    }

    pub(crate) fn remove(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    /// The rooms no longer know the session. `used` are the sessions with an allocation: the others
    /// that are forgotten go when their credentials expire, and when there are too many.
    pub(crate) fn forget(&self, session: SessionId, used: &BTreeSet<SessionId>, unix_now: u64) {
        let mut grants = self.lock();
        if let Some(grant) = grants.get_mut(&session) {
            grant.forgotten = true;
        }
        grants.retain(|session, grant| {
            !grant.forgotten || grant.until > unix_now || used.contains(session)
        });
        let forgotten: Vec<_> =
            grants.iter().filter(|(_, grant)| grant.forgotten).map(|(id, _)| *id).collect();
        let (with, without): (Vec<_>, Vec<_>) =
            forgotten.into_iter().partition(|session| used.contains(session));
        let most = MAX_FORGOTTEN.saturating_sub(with.len());
        without.into_iter().skip(most).for_each(|session| drop(grants.remove(&session)));
    }

    /// Ends the sessions that have such an end. Returns whether there were any.
    pub(crate) fn revoke(&self, is_meant: &dyn Fn(&IceEnd<'_>) -> bool) -> bool {
        let mut grants = self.lock();
        let before = grants.len();
        grants.retain(|_, grant| !grant.ends().any(|end| is_meant(&end)));
        grants.len() < before
    }

    /// The drivers of the sessions that the rooms no longer know.
    pub(crate) fn forgotten(&self) -> Vec<(Name, TokenHash)> {
        let grants = self.lock();
        let forgotten = grants.values().filter(|grant| grant.forgotten);
        forgotten.filter_map(|grant| grant.driver.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Grant>> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Users for Grants {
    fn share(&self, user: &str) -> Option<Share> {
        let (session, end) = user.split_once(':')?;
        let grants = self.lock();
        let grant = grants.get(&session_of(session)?)?;
        match end {
            DRIVER => {
                let (user, _) = grant.driver.as_ref()?;
                Some(Share { account: format!("user {user}"), owner: None })
            }
            CAR => {
                let (car, owner) = grant.car.as_ref()?;
                let owner = owner.as_ref().map(ToString::to_string);
                Some(Share { account: format!("car {car}"), owner })
            }
            _ => None,
        }
    }

    /// The ends of a session tell the relay by [`Grants`] when they go.
    fn outlast_credentials(&self) -> bool {
        true
    }
}

/// The session in a name on the relay.
pub(crate) fn session_of(user: &str) -> Option<SessionId> {
    let session = user.split_once(':').map_or(user, |(session, _)| session);
    SessionId::try_from(session.to_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_site::Token;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn session(number: u64) -> SessionId {
        SessionId::from_random(number)
    }

    fn driver<'a>(number: u64, user: &'a Name, sign_in: TokenHash) -> IcePeer<'a> {
        let end = IceEnd::Driver { user, sign_in };
        IcePeer { session: session(number), end, reached: None }
    }

    fn car<'a>(number: u64, car: &'a CarId, owner: &'a Name) -> IcePeer<'a> {
        let end = IceEnd::Car { car, owner: Some(owner) };
        IcePeer { session: session(number), end, reached: None }
    }

    #[test]
    fn row_5_shares_are_of_accounts_cars_and_owners_and_not_of_sessions() {
        let (grants, ada, bob) = (Grants::default(), name("Ada"), name("Bob"));
        let blitz = CarId::new("eh7ddx5bksrgcytl7bkai36se4").unwrap();
        let sign_in = Token::generate().unwrap().hash();
        let first = grants.add(driver(1, &ada, sign_in), 600);
        let second = grants.add(driver(2, &ada, sign_in), 600);
        let third = grants.add(car(1, &blitz, &bob), 600);
        assert_eq!(first, "0000000000000001:driver");
        assert_eq!(grants.share(&first), grants.share(&second));
        assert_eq!(grants.share(&first).unwrap().owner, None);
        assert_eq!(grants.share(&third).unwrap().owner.as_deref(), Some("Bob"));
        assert_ne!(grants.share(&first).unwrap().account, grants.share(&third).unwrap().account);
        for stranger in ["0000000000000002:car", "0000000000000003:driver", "", "1", ":driver"] {
            assert_eq!(grants.share(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn row_5_sessions_sign_ins_accounts_and_cars_end_what_they_gave() {
        let (grants, ada, bob) = (Grants::default(), name("Ada"), name("Bob"));
        let blitz = CarId::new("eh7ddx5bksrgcytl7bkai36se4").unwrap();
        let [one, other] = [(); 2].map(|()| Token::generate().unwrap().hash());
        let add = || {
            grants.add(driver(1, &ada, one), 600);
            grants.add(car(1, &blitz, &bob), 600);
            grants.add(driver(2, &ada, other), 600);
            grants.add(driver(3, &bob, other), 600);
        };
        let left = || -> Vec<u64> { grants.lock().keys().map(|session| session.0.get()).collect() };
        add();
        grants.remove(session(2));
        assert_eq!(left(), [1, 3]);
        add();
        assert!(
            grants
                .revoke(&|end| matches!(end, IceEnd::Driver { sign_in, .. } if *sign_in == other))
        );
        assert_eq!(left(), [1]);
        add();
        assert!(grants.revoke(&|end| matches!(end, IceEnd::Driver { user, .. } if **user == ada)));
        assert_eq!(left(), [3]);
        assert_eq!(grants.share("0000000000000001:car"), None, "the other end goes, too");
        add();
        assert!(grants.revoke(&|end| matches!(end, IceEnd::Car { car, .. } if **car == blitz)));
        assert_eq!(left(), [2, 3]);
        assert!(!grants.revoke(&|_| false));
    }

    #[test]
    fn row_5_a_forgotten_session_lasts_while_it_is_used_and_is_asked_about() {
        let (grants, ada) = (Grants::default(), name("Ada"));
        let sign_in = Token::generate().unwrap().hash();
        for number in 1..=2 {
            grants.add(driver(number, &ada, sign_in), 600);
        }
        assert!(grants.forgotten().is_empty());
        let used = BTreeSet::from([session(1)]);
        grants.forget(session(1), &used, 0);
        assert_eq!(grants.forgotten(), [(ada, sign_in)]);
        grants.forget(session(2), &used, 600);
        assert!(grants.share("0000000000000001:driver").is_some());
        assert!(grants.share("0000000000000002:driver").is_none(), "expired, and nobody uses it");
        grants.forget(session(1), &BTreeSet::new(), 600);
        assert!(grants.lock().is_empty());
    }

    #[test]
    fn row_5_forgotten_sessions_do_not_pile_up() {
        let (grants, ada) = (Grants::default(), name("Ada"));
        let sign_in = Token::generate().unwrap().hash();
        let used = BTreeSet::from([session(3000)]);
        for number in (1..=3000).rev() {
            grants.add(driver(number, &ada, sign_in), 600);
            grants.forget(session(number), &used, 0);
        }
        assert_eq!(grants.lock().len(), MAX_FORGOTTEN);
        assert!(grants.lock().contains_key(&session(3000)), "it is used");
    }
}
