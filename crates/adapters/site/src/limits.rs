//! Limits for one client: connections, messages, bytes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Limits on connections.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// WebSockets in total.
    pub connections: usize,
    /// WebSockets from one IPv4 address or one IPv6 /64. Networks behind one address hold many
    /// drivers.
    pub connections_per_address: usize,
    /// TCP connections that are no WebSockets, in total. Beyond it new ones wait in the kernel's
    /// queue.
    pub requests: usize,
    /// The same from one IPv4 address or one IPv6 /64. Behind a trusted proxy: requests in progress
    /// for one such address.
    pub requests_per_address: usize,
    /// Time for reading a request's body and answering it.
    pub request: Duration,
    /// Time after which a connection that is no WebSocket takes no further request. It is cut off
    /// [`Self::request`] later, so that a client cannot hold it by taking an answer byte by byte.
    pub requests_age: Duration,
    /// Bundles of releases that cars fetch at once, in total. Each takes a file descriptor besides
    /// its connection.
    pub downloads: usize,
    /// The same by one car.
    pub downloads_per_car: usize,
    /// Messages a second that a client may send in the long run.
    pub messages_per_second: f64,
    /// Messages that it may send at once.
    pub message_burst: f64,
    /// Bytes a second in the long run.
    pub bytes_per_second: f64,
    /// Bytes that it may send at once.
    pub byte_burst: f64,
    /// Time for the first message.
    pub handshake: Duration,
    /// Time between two WebSocket pings.
    pub ping_interval: Duration,
    /// Silence, pongs included, after which the connection counts as dead.
    pub dead_after: Duration,
}

impl Default for Limits {
    /// A trickling peer sends about 40 messages at once and then next to nothing, so 50 a second
    /// and bursts of 200 are far more than anybody needs. Pings every 20 s keep mobile NAT entries
    /// alive (RFC 4787 asks for 2 min, networks forget after 30 s); two lost ones and some delay
    /// make 45 s.
    ///
    /// A browser opens six connections to a host and is done with them in a second; ten people
    /// behind one address may do so at once. A sign-in waits for eight others at most, of a second
    /// each on a slow machine. The page with its 300 kB takes 60 s at 5 kB/s.
    ///
    /// RAUC fetches a bundle over one connection at a time; a car whose link broke may hold another
    /// until that is found dead. 64 downloads share 100 Mbit/s at 1.5 Mbit/s each, which is what 4G
    /// gives a car anyway.
    fn default() -> Self {
        Self {
            connections: 1_024,
            connections_per_address: 64,
            requests: 1_024,
            requests_per_address: 64,
            request: Duration::from_secs(15),
            requests_age: Duration::from_secs(60),
            downloads: 64,
            downloads_per_car: 4,
            messages_per_second: 50.0,
            message_burst: 200.0,
            bytes_per_second: 1024.0 * 1024.0 / 10.0,
            byte_burst: 1024.0 * 1024.0,
            handshake: Duration::from_secs(10),
            ping_interval: Duration::from_secs(20),
            dead_after: Duration::from_secs(45),
        }
    }
}

/// How many messages of one client in a row may be refused before it is sent away: ten seconds of
/// the allowed rate.
const MAX_REFUSED: u32 = 500;
/// Least time between two errors to a client that floods.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accept,
    Refuse {
        /// Whether to answer with an error: once in `TELL_INTERVAL`.
        tell: bool,
    },
    SendAway,
}

/// The budget of one connection: two token buckets.
#[derive(Debug)]
pub(crate) struct Budget {
    messages: Bucket,
    bytes: Bucket,
    refused: u32,
    told: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            messages: Bucket::new(limits.messages_per_second, limits.message_burst, now),
            bytes: Bucket::new(limits.bytes_per_second, limits.byte_burst, now),
            refused: 0,
            told: None,
        }
    }

    pub(crate) fn charge(&mut self, size: usize, now: Instant) -> Verdict {
        self.messages.refill(now);
        self.bytes.refill(now);
        // A full bucket: the client was calm for `burst / rate`, by default 4 s.
        if self.messages.is_full() {
            self.refused = 0;
        }
        // Sizes are below a megabyte: exact in f64.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let size = size as f64;
        if self.messages.tokens >= 1.0 && self.bytes.tokens >= size {
            self.messages.tokens -= 1.0;
            self.bytes.tokens -= size;
            return Verdict::Accept;
        }
        self.refused += 1;
        if self.refused > MAX_REFUSED {
            return Verdict::SendAway;
        }
        let tell = self.told.is_none_or(|told| now - told >= TELL_INTERVAL);
        if tell {
            self.told = Some(now);
        }
        Verdict::Refuse { tell }
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    rate: f64,
    burst: f64,
    filled: Instant,
}

impl Bucket {
    fn new(rate: f64, burst: f64, now: Instant) -> Self {
        Self { tokens: burst, rate, burst, filled: now }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + elapsed * self.rate).min(self.burst);
        self.filled = now;
    }

    fn is_full(&self) -> bool {
        self.tokens >= self.burst
    }
}

/// Counts connections, in total and by address.
#[derive(Debug)]
pub(crate) struct Gate {
    total: usize,
    per_address: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GateError {
    #[error("the host has no room for more connections")]
    Full,
    #[error("too many connections from your address")]
    TooManyFromAddress,
}

/// A place inside the gate, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Gate {
    /// For WebSockets.
    pub(crate) fn for_sockets(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            total: limits.connections,
            per_address: limits.connections_per_address,
            inside: Mutex::default(),
        })
    }

    /// For everything else, by address only. The server keeps the total: it lets clients wait for a
    /// place instead of refusing them.
    pub(crate) fn for_requests(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            total: usize::MAX,
            per_address: limits.requests_per_address,
            inside: Mutex::default(),
        })
    }

    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, GateError> {
        let address = subscriber(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.total >= self.total {
            return Err(GateError::Full);
        }
        let count = inside.by_address.entry(address).or_default();
        if *count >= self.per_address {
            return Err(GateError::TooManyFromAddress);
        }
        *count += 1;
        inside.total += 1;
        Ok(Place { gate: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.total -= 1;
        if let Some(count) = inside.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                inside.by_address.remove(&self.address);
            }
        }
    }
}

/// The part of an address that one subscriber cannot change at will: an IPv6 customer has a /64 or
/// more (RFC 6177).
pub(crate) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::V6(octets.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_refused_told_once_a_second_and_sent_away() {
        let now = Instant::now();
        let mut budget = Budget::new(&Limits::default(), now);
        assert!((0..200).all(|_| budget.charge(10, now) == Verdict::Accept));
        assert_eq!(budget.charge(10, now), Verdict::Refuse { tell: true });
        assert_eq!(budget.charge(10, now), Verdict::Refuse { tell: false });
        assert!((2..MAX_REFUSED).all(|_| budget.charge(10, now) != Verdict::SendAway));
        assert_eq!(budget.charge(10, now), Verdict::SendAway);
    }

    #[test]
    fn patience_comes_back_with_calm() {
        let mut now = Instant::now();
        let mut budget = Budget::new(&Limits::default(), now);
        for _ in 0..5 {
            assert!((0..200).all(|_| budget.charge(1, now) == Verdict::Accept));
            assert!((0..400).all(|_| matches!(budget.charge(1, now), Verdict::Refuse { .. })));
            now += Duration::from_secs(4);
        }
    }

    #[test]
    fn large_messages_use_up_the_bytes_first() {
        let now = Instant::now();
        let mut budget = Budget::new(&Limits::default(), now);
        assert!((0..16).all(|_| budget.charge(64 * 1024, now) == Verdict::Accept));
        assert_eq!(budget.charge(64 * 1024, now), Verdict::Refuse { tell: true });
    }

    #[test]
    fn one_subscriber_does_not_take_all_places() {
        let gate = Gate::for_sockets(&Limits {
            connections: 4,
            connections_per_address: 2,
            ..Limits::default()
        });
        let enter = |address: &str| gate.enter(address.parse().unwrap());
        let _first = enter("2001:db8::1").unwrap();
        let second = enter("2001:db8::2").unwrap();
        assert_eq!(enter("2001:db8::3").unwrap_err(), GateError::TooManyFromAddress);
        drop(second);
        let _third = enter("2001:db8::3").unwrap();
        let _others = [enter("192.0.2.1").unwrap(), enter("192.0.2.2").unwrap()];
        assert_eq!(enter("192.0.2.3").unwrap_err(), GateError::Full);
    }
}
