//! Backoff after failed sign-ins.

use crate::limits::subscriber;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Failures without a wait: people mistype.
const FREE_FAILURES: u32 = 5;
/// Wait after the last free failure; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait. A stranger who fails on purpose keeps the owner out for no longer, and a link from
/// the command line always works.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Failures are forgotten when no other has come for this time.
const FORGET_AFTER: Duration = Duration::from_secs(3_600);
/// Entries kept; beyond it the oldest go. An attacker with so many addresses is freed from the
/// waits of addresses, but not from those of a name.
const MAX_ENTRIES: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Name(String),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts failures by account name and by address. Attempts under way count as well: parallel
/// guesses wait like any others.
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
    pub(crate) fn begin(
        &self,
        name: Option<&str>,
        address: IpAddr,
        now: Instant,
    ) -> Result<Counted, Duration> {
        let mut failures = self.lock();
        let keys = keys(name, address);
        if let Some(wait) = keys.iter().filter_map(|key| failures.get(key)?.wait(now)).max() {
            return Err(wait);
        }
        failures.retain(|_, entry| now.saturating_duration_since(entry.last) < FORGET_AFTER);
        if failures.len() >= MAX_ENTRIES
            && let Some(oldest) =
                failures.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| key.clone())
        {
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

    /// Forgets the failures of the name. Those of the address stay: otherwise an attacker could
    /// clear them by signing in to an account of his own.
    pub(crate) fn succeeded(&self, attempt: Counted) {
        let mut failures = self.lock();
        for (key, _) in attempt.keys.iter().filter(|(key, _)| matches!(key, Key::Name(_))) {
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
    fn wait(&self, now: Instant) -> Option<Duration> {
        let beyond = self.count.checked_sub(FREE_FAILURES)?;
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(beyond)).min(LONGEST_WAIT);
        (self.last + wait).checked_duration_since(now).filter(|left| !left.is_zero())
    }
}

fn keys(name: Option<&str>, address: IpAddr) -> Vec<Key> {
    let name = name.map(|name| Key::Name(name.to_lowercase()));
    name.into_iter().chain([Key::Address(subscriber(address))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn waits_double_up_to_a_limit() {
        let (throttle, mut now) = (Throttle::default(), Instant::now());
        let mut waits = vec![];
        for _ in 0..20 {
            if let Err(wait) = throttle.begin(Some("ada"), HERE, now) {
                waits.push(wait.as_secs());
                now += wait;
                drop(throttle.begin(Some("ada"), HERE, now).unwrap());
            }
        }
        assert_eq!(waits[..4], [1, 2, 4, 8]);
        assert_eq!(*waits.last().unwrap(), LONGEST_WAIT.as_secs());
    }

    #[test]
    fn a_name_waits_wherever_it_is_tried_and_an_address_for_whatever_name() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = |name, address| {
            throttle.begin(Some(name), address, now).map(|attempt| throttle.undo(attempt))
        };
        let last = (0..5).map(|_| throttle.begin(Some("ada"), HERE, now).unwrap()).last().unwrap();
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
            (0..100).filter_map(|_| throttle.begin(Some("ada"), HERE, now).ok()).collect();
        assert_eq!(under_way.len(), 5);
    }

    #[test]
    fn what_is_undone_leaves_no_trace() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        (0..100).for_each(|_| throttle.undo(throttle.begin(Some("ada"), HERE, now).unwrap()));
        assert!(throttle.lock().is_empty());
        (0..5).for_each(|_| drop(throttle.begin(None, HERE, now).unwrap()));
        let later = now + FIRST_WAIT;
        throttle.undo(throttle.begin(None, HERE, later).unwrap());
        assert!(throttle.begin(None, HERE, later).is_ok(), "the failures are as old as before");
    }
}
