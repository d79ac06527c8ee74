//! Backoff after failed sign-ins.

use crate::limits::subscriber;
use crate::token::TokenHash;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Failures without a wait: people mistype.
const FREE_FAILURES: u32 = 5;
/// Wait after the last free failure; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait. A stranger who fails on purpose keeps new browsers out for no longer, and a link
/// from the command line always works.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Failures with an access code, of all clients together, without a wait.
const FREE_CODES: u32 = 20;
/// Wait after each further one. It does not grow, or a neighbour could keep the owner out: some
/// 40,000 guesses a day do not find a code of 40 bits in a lifetime.
const WAIT_FOR_CODES: Duration = Duration::from_secs(2);
/// Failures are forgotten when no other has come for this time.
const FORGET_AFTER: Duration = Duration::from_secs(3_600);
/// Entries kept; beyond it the oldest go. An attacker with so many addresses is freed from the
/// waits of addresses, but not from those of a name.
const MAX_ENTRIES: usize = 10_000;

/// Who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who<'a> {
    /// For this name, from a browser that was never signed in to it.
    Named { name: &'a str, address: IpAddr },
    /// With a link, or what else has no name.
    Unnamed { address: IpAddr },
    /// With the access code that everybody uses.
    Coded { address: IpAddr },
    /// From a browser that was signed in to this name before. What strangers do, wherever they are,
    /// is not its fault.
    Known(TokenHash),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
    Browser(TokenHash),
    /// Everybody who tries an access code.
    Code,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts failures by account name, by address, by known browser, and of an access code. Attempts
/// under way count as well: parallel guesses wait like any others.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

/// An attempt. It counts as a failure unless it is given to [`Throttle::succeeded`] or
/// [`Throttle::undo`].
#[derive(Debug)]
#[must_use = "an attempt that is dropped has failed"]
pub(crate) struct Counted {
    at: Instant,
    /// The entries that it was counted in, each with the time of the failure before.
    keys: Vec<(Key, Instant)>,
}

impl Throttle {
    /// Counts an attempt. An error is the time that the client has to wait first.
    pub(crate) fn begin(&self, who: Who<'_>, now: Instant) -> Result<Counted, Duration> {
        let mut failures = self.lock();
        let keys = keys(who);
        if let Some(wait) = keys.iter().filter_map(|key| failures.get(key)?.wait(key, now)).max() {
            return Err(wait);
        }
        failures.retain(|_, entry| now.saturating_duration_since(entry.last) < FORGET_AFTER);
        while failures.len() + keys.len() > MAX_ENTRIES {
            // Addresses go first: an attacker has more of these than names.
            let age =
                |(key, entry): &(&Key, &Failures)| (!matches!(key, Key::Address(_)), entry.last);
            let Some((oldest, _)) = failures.iter().min_by_key(age) else { break };
            let oldest = oldest.clone();
            failures.remove(&oldest);
        }
        let count = |key: Key| {
            let entry = failures.entry(key.clone()).or_insert(Failures { count: 0, last: now });
            let before = std::mem::replace(&mut entry.last, now);
            entry.count = entry.count.saturating_add(1);
            (key, before)
        };
        Ok(Counted { at: now, keys: keys.into_iter().map(count).collect() })
    }

    /// Forgets the failures of the name or the browser. Those of the address stay: otherwise an
    /// attacker could clear them by signing in to an account of his own.
    pub(crate) fn succeeded(&self, attempt: Counted) {
        let mut failures = self.lock();
        let own = |key: &Key| matches!(key, Key::Name(_) | Key::Browser(_));
        for (key, _) in attempt.keys.iter().filter(|(key, _)| own(key)) {
            failures.remove(key);
        }
        drop(failures);
        self.undo(attempt);
    }

    /// Takes an attempt back that came to no verdict.
    pub(crate) fn undo(&self, attempt: Counted) {
        let mut failures = self.lock();
        for (key, before) in attempt.keys {
            let Some(entry) = failures.get_mut(&key) else { continue };
            entry.count = entry.count.saturating_sub(1);
            // If it differs, a later attempt has set its own time.
            if entry.last == attempt.at {
                entry.last = before;
            }
            if entry.count == 0 {
                failures.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Failures>> {
        // Nothing panics while it is locked.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures {
    fn wait(&self, key: &Key, now: Instant) -> Option<Duration> {
        let wait = if *key == Key::Code {
            self.count.checked_sub(FREE_CODES).map(|_| WAIT_FOR_CODES)?
        } else {
            let beyond = self.count.checked_sub(FREE_FAILURES)?;
            FIRST_WAIT.saturating_mul(2_u32.saturating_pow(beyond)).min(LONGEST_WAIT)
        };
        (self.last + wait).checked_duration_since(now).filter(|left| !left.is_zero())
    }
}

fn keys(who: Who<'_>) -> Vec<Key> {
    let by = |address| Key::Address(subscriber(address));
    match who {
        Who::Named { name, address } => vec![Key::Name(name.to_lowercase()), by(address)],
        Who::Unnamed { address } => vec![by(address)],
        Who::Coded { address } => vec![Key::Code, by(address)],
        Who::Known(browser) => vec![Key::Browser(browser)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn named(name: &str, address: IpAddr) -> Who<'_> {
        Who::Named { name, address }
    }

    #[test]
    fn waits_double_up_to_a_limit() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let mut waits = vec![];
        for _ in 0..20 {
            if let Err(wait) = throttle.begin(named("ada", HERE), now) {
                waits.push(wait.as_secs());
                now += wait;
                drop(throttle.begin(named("ada", HERE), now).unwrap());
            }
        }
        assert_eq!(waits[..4], [1, 2, 4, 8]);
        assert_eq!(*waits.last().unwrap(), LONGEST_WAIT.as_secs());
    }

    #[test]
    fn a_name_waits_wherever_it_is_tried_and_an_address_for_whatever_name() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = |name, address| {
            throttle.begin(named(name, address), now).map(|attempt| throttle.undo(attempt))
        };
        let last = (0..5).map(|_| throttle.begin(named("ada", HERE), now).unwrap()).last().unwrap();
        assert!(tried("Ada", THERE).is_err());
        assert!(tried("bob", HERE).is_err());
        assert!(tried("bob", THERE).is_ok());
        throttle.succeeded(last);
        assert!(tried("ada", THERE).is_ok());
    }

    #[test]
    fn attempts_under_way_count_as_failures() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let under_way: Vec<_> =
            (0..100).filter_map(|_| throttle.begin(named("ada", HERE), now).ok()).collect();
        assert_eq!(under_way.len(), 5);
    }

    #[test]
    fn what_is_undone_leaves_no_trace() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        (0..100).for_each(|_| throttle.undo(throttle.begin(named("ada", HERE), now).unwrap()));
        assert!(throttle.lock().is_empty());
        (0..5).for_each(|_| drop(throttle.begin(Who::Unnamed { address: HERE }, now).unwrap()));
        let later = now + FIRST_WAIT;
        throttle.undo(throttle.begin(Who::Unnamed { address: HERE }, later).unwrap());
        assert!(
            throttle.begin(Who::Unnamed { address: HERE }, later).is_ok(),
            "the failures are as old as before"
        );
    }

    #[test]
    fn row_10_strangers_do_not_lock_out_a_browser_that_was_signed_in_before() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let (known, other) = (TokenHash::of("known"), TokenHash::of("other"));
        // A stranger who goes on for an hour, from the same address as the owner.
        for _ in 0..200 {
            match throttle.begin(named("ada", HERE), now) {
                Ok(attempt) => drop(attempt),
                Err(wait) => now += wait,
            }
        }
        drop(throttle.begin(named("ada", HERE), now));
        assert!(throttle.begin(named("ada", THERE), now).is_err(), "another new browser waits");
        throttle.succeeded(throttle.begin(Who::Known(known), now).unwrap());
        assert!(throttle.begin(named("ada", THERE), now).is_err(), "and goes on to wait");
        // A known browser that guesses waits like anybody, and nobody else does for it.
        let tried = (0..100).filter(|_| throttle.begin(Who::Known(known), now).is_ok()).count();
        assert_eq!(tried, 5);
        assert!(throttle.begin(Who::Known(other), now).is_ok());
    }

    #[test]
    fn row_10_many_addresses_take_a_bounded_memory_and_free_no_name() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        for _ in 0..5 {
            drop(throttle.begin(named("ada", HERE), now).unwrap());
        }
        for number in 0..10_010 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + number));
            drop(throttle.begin(named("bob", address), now + Duration::from_secs(1)));
            drop(throttle.begin(Who::Unnamed { address }, now + Duration::from_secs(1)));
            assert!(throttle.lock().len() <= MAX_ENTRIES);
        }
        assert!(throttle.begin(named("ada", THERE), now).is_err());
    }

    #[test]
    fn row_12_an_access_code_is_guessed_a_few_times_however_many_addresses_guess() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let (mut now, mut tried, mut waits) = (start, 0, vec![]);
        // 250 neighbours who try 5 times each, in 1.6 s.
        for guess in 0..1_250_u32 {
            now = start + Duration::from_micros(1_280) * guess;
            let address = IpAddr::V4(std::net::Ipv4Addr::from(0xc0a8_0001 + guess % 250));
            match throttle.begin(Who::Coded { address }, now) {
                Ok(attempt) => {
                    drop(attempt);
                    tried += 1;
                }
                Err(wait) => waits.push(wait),
            }
        }
        assert_eq!(tried, 20);
        assert!(waits.iter().all(|wait| *wait <= WAIT_FOR_CODES), "nobody is kept out for long");
        let owner = throttle.begin(Who::Coded { address: THERE }, now + WAIT_FOR_CODES).unwrap();
        throttle.succeeded(owner);
        assert!(throttle.begin(Who::Coded { address: THERE }, now).is_err(), "still guarded");
    }
}
