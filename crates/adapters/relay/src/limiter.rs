//! Limits answers to people who have not shown that they are at their address: over UDP anybody can
//! put another's address onto a request, and have the answer sent there (RFC 8656 section 21.1.4).
//!
//! Each source has a token bucket: a host's IPv4 address, or an IPv6 /64. The table has a fixed
//! size. Sources whose hash is the same share a bucket; the key of the hash is random, so nobody
//! can choose whose.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Answers in a row. A browser asks once for each of its addresses and each URL; a company's
/// browsers have one address together.
const BURST: u64 = 64;
/// Time for one more, in ms. A client whose request stays without an answer repeats it for half a
/// minute (RFC 8489 section 6.2.1).
const INTERVAL_MS: u64 = 62;
/// 8 bytes each: 128 KiB.
const BUCKETS: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Limiter {
    hasher: RandomState,
    started: Instant,
    /// For each bucket, when it will be full again, in ms after `started`.
    full_at: Box<[AtomicU64]>,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        let full_at = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { hasher: RandomState::new(), started: Instant::now(), full_at }
    }

    /// Takes a token of the source's bucket; `false` if there is none.
    pub(crate) fn allow(&self, source: IpAddr) -> bool {
        self.allow_after(source, self.started.elapsed())
    }

    fn allow_after(&self, source: IpAddr, elapsed: Duration) -> bool {
        let now = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let hash = self.hasher.hash_one(neighbourhood(source));
        let index = usize::try_from(hash % self.full_at.len() as u64).unwrap_or(0);
        let take = |full_at: u64| {
            let then = full_at.max(now).saturating_add(INTERVAL_MS);
            (then - now <= BURST * INTERVAL_MS).then_some(then)
        };
        self.full_at.get(index).is_some_and(|bucket| {
            bucket.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
        })
    }
}

fn neighbourhood(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn row_8_a_source_gets_a_burst_and_then_sixteen_answers_a_second() {
        let limiter = Limiter::new();
        let answers = |from: IpAddr, at: u64| {
            (0..1_000).filter(|_| limiter.allow_after(from, Duration::from_millis(at))).count()
        };
        assert_eq!(answers(ip("192.0.2.1"), 0), 64);
        assert_eq!(answers(ip("192.0.2.1"), 1_000), 16);
        assert_eq!(answers(ip("2001:db8::1"), 0), 64);
        assert_eq!(answers(ip("2001:db8::ffff:1"), 0), 0, "the same /64");
        assert_eq!(answers(ip("192.0.2.1"), 100_000), 64);
    }

    #[test]
    fn row_8_a_million_sources_take_no_more_memory_than_one() {
        let limiter = Limiter::new();
        for number in 0..1_000_000_u32 {
            limiter.allow_after(IpAddr::from(number.to_be_bytes()), Duration::ZERO);
        }
        assert_eq!(limiter.full_at.len(), BUCKETS);
    }
}
