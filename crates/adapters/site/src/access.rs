//! Tokens that cars show over HTTP. The host checks them without having stored them.

use crate::token::Token;
use hmac::{Hmac, KeyInit, Mac};
use rccar_protocol::release::AccessToken;
use rccar_protocol::text::CarId;
use sha2::Sha256;
use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// How long a token works. An installation over a slow link takes an hour, all of it with the token
/// that it began with.
pub(crate) const LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// How often a car gets a new token: so early that an installation always begins with hours left.
pub(crate) const RENEWAL: Duration = Duration::from_secs(6 * 3_600);

/// Makes and checks tokens: `car.expiry.mac`, where the key of the MAC lives as long as the
/// process.
///
/// A token is good only while its car is enrolled, so revoking a car ends its access at once.
pub(crate) struct Access {
    /// `None` where nothing is offered to cars.
    key: Option<Token>,
    enrolled: RwLock<BTreeSet<CarId>>,
}

impl Access {
    pub(crate) fn new(key: Option<Token>) -> Self {
        Self { key, enrolled: RwLock::default() }
    }

    /// Replaces the list. The tokens of cars that are not in it stop working.
    pub(crate) fn set_enrolled(&self, cars: BTreeSet<CarId>) {
        *self.enrolled.write().unwrap_or_else(PoisonError::into_inner) = cars;
    }

    pub(crate) fn know(&self, car: &CarId) {
        // Most cars only come back: a read lock is enough for those.
        if !self.is_enrolled(car) {
            self.enrolled.write().unwrap_or_else(PoisonError::into_inner).insert(car.clone());
        }
    }

    pub(crate) fn forget(&self, car: &CarId) {
        self.enrolled.write().unwrap_or_else(PoisonError::into_inner).remove(car);
    }

    /// `None`: this program has no releases, so its cars need no tokens.
    pub(crate) fn issue(&self, car: &CarId) -> Option<AccessToken> {
        let key = self.key.as_ref()?;
        let signed = format!("{car}.{}", (unix_now() + LIFETIME).as_secs());
        let mac = hex::encode(mac(key, &signed).finalize().into_bytes());
        AccessToken::try_from(format!("{signed}.{mac}")).ok()
    }

    /// The car that a token is for. `None`: it is forged or has expired, or the car is not
    /// enrolled.
    pub(crate) fn check(&self, token: &str) -> Option<CarId> {
        let key = self.key.as_ref()?;
        let (signed, shown) = token.rsplit_once('.')?;
        // Compares in constant time.
        mac(key, signed).verify_slice(&hex::decode(shown).ok()?).ok()?;
        let (car, expires) = signed.split_once('.')?;
        let car = CarId::new(car).ok()?;
        let works = unix_now().as_secs() < expires.parse().ok()? && self.is_enrolled(&car);
        works.then_some(car)
    }

    pub(crate) fn is_enrolled(&self, car: &CarId) -> bool {
        self.enrolled.read().unwrap_or_else(PoisonError::into_inner).contains(car)
    }
}

fn mac(key: &Token, signed: &str) -> Hmac<Sha256> {
    // Any length of key is legal for HMAC (RFC 2104 section 2).
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_str().as_bytes())
        .unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(b"rccar access v1\0");
    mac.update(signed.as_bytes());
    mac
}

fn unix_now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn car(letter: char) -> CarId {
        CarId::new(letter.to_string().repeat(26)).unwrap()
    }

    fn access() -> Access {
        let access = Access::new(Some(Token::generate().unwrap()));
        access.set_enrolled([car('a')].into());
        access
    }

    #[test]
    fn a_token_works_for_its_car_while_the_car_is_enrolled() {
        let access = access();
        let token = access.issue(&car('a')).unwrap();
        assert_eq!(access.check(token.as_str()), Some(car('a')));
        access.set_enrolled([car('b')].into());
        assert_eq!(access.check(token.as_str()), None);
    }

    #[test]
    fn nobody_else_can_make_or_change_one() {
        let access = access();
        access.set_enrolled([car('a'), car('b')].into());
        let token = access.issue(&car('a')).unwrap().as_str().to_owned();
        let mut parts = token.split('.');
        let (expires, mac) = (parts.nth(1).unwrap(), parts.next().unwrap());
        let later: u64 = expires.parse::<u64>().unwrap() + 1;
        for forged in [
            token.replace(&car('a').to_string(), &car('b').to_string()),
            format!("{}.{later}.{mac}", car('a')),
            format!("{}.{expires}.", car('a')),
            format!("{}.{expires}.{}", car('a'), &mac[..2]),
            String::new(),
            "..".into(),
        ] {
            assert_eq!(access.check(&forged), None, "{forged}");
        }
        assert_eq!(self::access().check(&token), None, "another process has another key");
    }

    #[test]
    fn an_expired_one_is_refused() {
        let access = access();
        let signed = format!("{}.{}", car('a'), unix_now().as_secs());
        let mac = hex::encode(mac(access.key.as_ref().unwrap(), &signed).finalize().into_bytes());
        assert_eq!(access.check(&format!("{signed}.{mac}")), None);
    }

    #[test]
    fn without_releases_there_are_none() {
        assert_eq!(Access::new(None).issue(&car('a')), None);
    }
}
