//! Limits for one client: connections, messages, bytes.

use rccar_crowd::Shares;
use rccar_protocol::text::Name;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Limits on connections.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// WebSockets of people who are signed in and of cars that are registered, in total.
    pub connections: usize,
    /// The same from one IPv4 address or one IPv6 /64. Networks behind one address hold many
    /// drivers.
    pub connections_per_address: usize,
    /// The same of one account's pages.
    pub connections_per_account: usize,
    /// WebSockets of clients that have not said yet who they are, and of cars that wait to be
    /// claimed.
    pub strangers: Shares,
    /// TCP connections that are no WebSockets. Behind a trusted proxy: requests in progress.
    pub requests: Shares,
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
    /// A socket says who it is within a round trip, so that 32 from one address are as many as come
    /// back at once from a club. The wider networks get half as much again, and twice as much.
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
            connections_per_account: 64,
            strangers: Shares { total: 512, per_address: 32, per_site: 48, per_network: 64 },
            requests: Shares { total: 1_024, per_address: 64, per_site: 96, per_network: 128 },
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

/// Counts the WebSockets of those who are known: in total, by address, by account.
#[derive(Debug)]
pub(crate) struct Gate {
    total: usize,
    per_address: usize,
    per_account: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
    by_account: HashMap<Name, usize>,
}

/// Why a connection was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GateError {
    #[error("the host has no room for more connections")]
    Full,
    #[error("too many connections from your address")]
    TooManyFromAddress,
    #[error("too many pages of your account are open")]
    TooManyOfAccount,
}

/// A place inside the gate, held until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
    /// `None` for a car. In a box: most places are cars'.
    account: Option<Box<Name>>,
}

impl Gate {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            total: limits.connections,
            per_address: limits.connections_per_address,
            per_account: limits.connections_per_account,
            inside: Mutex::default(),
        })
    }

    /// `account`: whose page it is; `None` for a car.
    pub(crate) fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        account: Option<&Name>,
    ) -> Result<Place, GateError> {
        let address = subscriber(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.total >= self.total {
            return Err(GateError::Full);
        }
        if inside.by_address.get(&address).is_some_and(|count| *count >= self.per_address) {
            return Err(GateError::TooManyFromAddress);
        }
        if let Some(account) = account {
            let count = inside.by_account.get(account);
            if count.is_some_and(|count| *count >= self.per_account) {
                return Err(GateError::TooManyOfAccount);
            }
            *inside.by_account.entry(account.clone()).or_default() += 1;
        }
        *inside.by_address.entry(address).or_default() += 1;
        inside.total += 1;
        Ok(Place { gate: Arc::clone(self), address, account: account.cloned().map(Box::new) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.total -= 1;
        one_less(&mut inside.by_address, &self.address);
        if let Some(account) = &self.account {
            one_less(&mut inside.by_account, account);
        }
    }
}

fn one_less<K: Eq + std::hash::Hash>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
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
        let gate =
            Gate::new(&Limits { connections: 4, connections_per_address: 2, ..Limits::default() });
        let enter = |address: &str| gate.enter(address.parse().unwrap(), None);
        let _first = enter("2001:db8::1").unwrap();
        let second = enter("2001:db8::2").unwrap();
        assert_eq!(enter("2001:db8::3").unwrap_err(), GateError::TooManyFromAddress);
        drop(second);
        let _third = enter("2001:db8::3").unwrap();
        let _others = [enter("192.0.2.1").unwrap(), enter("192.0.2.2").unwrap()];
        assert_eq!(enter("192.0.2.3").unwrap_err(), GateError::Full);
    }

    #[test]
    fn row_7_one_account_does_not_take_all_places_wherever_it_comes_from() {
        let gate = Gate::new(&Limits { connections_per_account: 2, ..Limits::default() });
        let [ada, bob] = ["Ada", "Bob"].map(|name| Name::new(name).unwrap());
        let enter = |host: u8, account| gate.enter([192, 0, 2, host].into(), account);
        let mut pages = vec![enter(1, Some(&ada)).unwrap(), enter(2, Some(&ada)).unwrap()];
        assert_eq!(enter(3, Some(&ada)).unwrap_err(), GateError::TooManyOfAccount);
        pages.extend([enter(3, Some(&bob)).unwrap(), enter(3, None).unwrap()]);
        pages.remove(0);
        pages.push(enter(3, Some(&ada)).unwrap());
        drop(pages);
        let inside = gate.inside.lock().unwrap();
        assert!(inside.total == 0 && inside.by_account.is_empty() && inside.by_address.is_empty());
    }
}
