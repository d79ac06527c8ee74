//! Datagrams that only an attacker sends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use stun::attributes::AttrType;
use stun::message::{
    METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_REFRESH,
    METHOD_SEND, Method,
};
use support::{Client, message, peer_address, relay, until};
use turn::proto::PROTO_UDP;
use turn::proto::channum::ChannelNumber;
use turn::proto::data::Data;
use turn::proto::lifetime::Lifetime;
use turn::proto::reqtrans::RequestedTransport;

/// Enough to change every byte of every sample several times.
const ROUNDS: u32 = 20_000;

/// Sent at a time, so that the socket's receive buffer does not drop them unseen.
const BURST: u32 = 50;

/// SplitMix64 with a fixed seed: the same datagrams at each run.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(7)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 1).unwrap() % limit
    }

    fn bytes(&mut self, below: usize) -> Vec<u8> {
        (0..self.below(below)).map(|_| self.byte()).collect()
    }
}

/// Well-formed datagrams of every kind, some of them from a client with good credentials and an
/// allocation.
async fn samples(client: &mut Client) -> Vec<Vec<u8>> {
    assert_eq!(client.allocate().await.code(), 0);
    let peer = peer_address(&"203.0.113.1:9".parse().unwrap());
    let transport = RequestedTransport { protocol: PROTO_UDP };
    let channel = ChannelNumber(0x4000);
    let lifetime = Lifetime(std::time::Duration::from_secs(600));
    let mut samples = vec![vec![0x40, 0, 0, 4, 1, 2, 3, 4], message(METHOD_BINDING, &[]).raw];
    for unsigned in [
        message(METHOD_ALLOCATE, &[&transport]),
        message(METHOD_SEND, &[&peer, &Data(vec![1, 2, 3])]),
    ] {
        samples.push(unsigned.raw);
    }
    for signed in [
        client.signed(METHOD_ALLOCATE, &[&transport]),
        client.signed(METHOD_REFRESH, &[&lifetime]),
        client.signed(METHOD_CREATE_PERMISSION, &[&peer, &peer]),
        client.signed(METHOD_CHANNEL_BIND, &[&channel, &peer]),
    ] {
        samples.push(signed.raw);
    }
    samples
}

fn mutate(rng: &mut Random, datagram: &mut Vec<u8>) {
    for _ in 0..=rng.below(4) {
        let at = rng.below(datagram.len().max(1));
        match rng.below(6) {
            0 => datagram.truncate(at),
            1 => datagram.extend_from_within(at.min(datagram.len())..),
            2 => datagram.extend(std::iter::repeat_n(0xFF, rng.below(64))),
            // The lengths of the message and of its attributes, which readers trust.
            3 if datagram.len() > 24 => datagram[(2 + at / 4 * 4) % 24] = rng.byte(),
            _ if !datagram.is_empty() => {
                let at = at.min(datagram.len() - 1);
                datagram[at] = rng.byte();
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn mutated_and_random_datagrams_leave_the_relay_answering() {
    let relay = relay(|_| ());
    let mut rng = Random::new();
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    let samples = samples(&mut client).await;
    let attacker = Client::new(relay.local_addrs()[0], "driver").await;
    let mut probe = Client::new(relay.local_addrs()[0], "nobody").await;
    for round in 0..ROUNDS {
        let mut datagram =
            if round % 5 == 0 { rng.bytes(200) } else { samples[rng.below(samples.len())].clone() };
        mutate(&mut rng, &mut datagram);
        // Half of them from the socket with the allocation: its state is what a bug would reach.
        if round % 2 == 0 {
            client.send(&datagram).await
        } else {
            attacker.send(&datagram).await
        }
        if round % BURST == 0 {
            assert_eq!(probe.bind().await.code(), 0);
        }
    }
    assert_eq!(probe.bind().await.code(), 0);
    let stats = relay.stats();
    assert!(stats.malformed > u64::from(ROUNDS / 10), "{stats:?}");
    assert_eq!(stats.panics, 0, "{stats:?}");
}

#[tokio::test]
async fn authenticated_requests_with_broken_attributes_are_refused() {
    let relay = relay(|_| ());
    let mut rng = Random::new();
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    assert_eq!(client.allocate().await.code(), 0);
    for _ in 0..2_000 {
        let types =
            [0x000C, 0x000D, 0x0012, 0x0013, 0x0017, 0x0018, 0x0019, 0x001A, 0x0022, 0x8022];
        let broken: Vec<Broken> = (0..rng.below(4))
            .map(|_| Broken(types[rng.below(types.len())], rng.bytes(40)))
            .collect();
        let attributes: Vec<&dyn stun::message::Setter> =
            broken.iter().map(|one| one as &dyn stun::message::Setter).collect();
        let methods: [Method; 4] =
            [METHOD_ALLOCATE, METHOD_REFRESH, METHOD_CREATE_PERMISSION, METHOD_CHANNEL_BIND];
        // Every request is answered, whatever is in it.
        client.request(methods[rng.below(methods.len())], &attributes).await.code();
    }
    assert_eq!(relay.stats().panics, 0);
}

#[tokio::test]
async fn data_without_allocation_permission_or_channel_is_dropped_and_counted() {
    let relay = relay(|_| ());
    let mut client = Client::new(relay.local_addrs()[0], "driver").await;
    let peer = "203.0.113.1:9".parse().unwrap();
    client.send_indication(b"x", peer).await;
    client.send_channel(0x4000, b"x").await;
    client.allocate().await;
    client.send_indication(b"x", peer).await;
    client.send_channel(0x4000, b"x").await;
    until(&relay, |stats| stats.dropped_clients == 4).await;
    assert_eq!(relay.stats().packets_to_peers, 0);
}

struct Broken(u16, Vec<u8>);

impl stun::message::Setter for Broken {
    fn add_to(&self, message: &mut stun::message::Message) -> Result<(), stun::Error> {
        message.add(AttrType(self.0), &self.1);
        Ok(())
    }
}
