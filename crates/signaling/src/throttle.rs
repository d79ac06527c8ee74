//! Backoff after failed sign-ins.

use crate::limits::subscriber;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Failures without a wait: people mistype.
const FREE_FAILURES: u32 = 5;
/// Wait after the first failure beyond; doubles with each one more.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait. A stranger who fails on purpose keeps the owner out for no longer, and a link from the command line always works.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// When failures are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(3_600);
/// Entries kept. Beyond it the oldest go, which frees an attacker with so many addresses from waits for the address only.
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

/// Counts failures by account name and by address.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

impl Throttle {
    /// How long this caller must wait, if at all.
    pub(crate) fn wait(&self, name: Option<&str>, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys(name, address).into_iter().filter_map(|key| failures.get(&key)?.wait(now));
        waits.max()
    }

    /// A sign-in failed.
    pub(crate) fn failed(&self, name: Option<&str>, address: IpAddr, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.retain(|_, entry| now - entry.last < FORGET_AFTER);
        if failures.len() >= MAX_ENTRIES
            && let Some(oldest) = failures.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| key.clone())
        {
            failures.remove(&oldest);
        }
        for key in keys(name, address) {
            let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
            *entry = Failures { count: entry.count.saturating_add(1), last: now };
        }
    }

    /// A sign-in succeeded: the name's failures are forgotten, the address's are not, or one's own account would pay for guessing at
    /// others.
    pub(crate) fn succeeded(&self, name: Option<&str>) {
        if let Some(name) = name {
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(&Key::Name(name.to_lowercase()));
        }
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
        let (throttle, now) = (Throttle::default(), Instant::now());
        let mut waits = vec![];
        for _ in 0..20 {
            waits.push(throttle.wait(Some("ada"), HERE, now).map_or(0, |wait| wait.as_secs()));
            throttle.failed(Some("ada"), HERE, now);
        }
        assert_eq!(waits[..8], [0, 0, 0, 0, 0, 1, 2, 4]);
        assert_eq!(waits[19], LONGEST_WAIT.as_secs());
        assert_eq!(throttle.wait(Some("ada"), HERE, now + LONGEST_WAIT), None);
    }

    #[test]
    fn a_name_waits_wherever_it_is_tried_and_an_address_for_whatever_name() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        (0..6).for_each(|_| throttle.failed(Some("ada"), HERE, now));
        assert!(throttle.wait(Some("Ada"), THERE, now).is_some());
        assert!(throttle.wait(Some("bob"), HERE, now).is_some());
        assert!(throttle.wait(Some("bob"), THERE, now).is_none());
        throttle.succeeded(Some("ada"));
        assert!(throttle.wait(Some("ada"), THERE, now).is_none());
    }
}
