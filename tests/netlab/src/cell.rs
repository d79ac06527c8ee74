//! One cell of the matrix: a car and a driver, each behind a kind of access.

use crate::access::{Access, Expected};
use crate::lab::Lab;
use crate::wait::until;
use rccar_link_emulator::Profile;
use std::time::{Duration, Instant};

/// Connects, watches, drives, and checks the path of the packets.
///
/// # Panics
/// One of these fails, or the path is not the one of [`Access::expected`].
pub async fn cell(lab: &mut Lab, car: Access, driver: Access) {
    lab.start_world((car, Profile::cable()), (driver, Profile::cable())).await;
    let started = Instant::now();
    let peer = lab.connect().await;
    peer.await_live().await;
    let live = started.elapsed();
    peer.arm().await;
    peer.drive(0.0, 0.2);
    until("the motor turns", || peer.throttle() > 0.05).await;

    // The host's counter is a second witness beside the stack's own word.
    let (relayed, frames, since) =
        (lab.relayed_packets(), peer.seen().frames.count(), Instant::now());
    until("ten more frames", || peer.seen().frames.count() >= frames + 10).await;
    let (relayed, took) = (lab.relayed_packets() - relayed, since.elapsed());
    let (pair, expected) = (peer.pair().await, car.expected(driver));
    eprintln!(
        "RESULT | {car} | {driver} | {expected:?} | {pair} | live after {} ms | {relayed} relayed",
        live.as_millis()
    );
    let gap = peer.seen().frames.longest_gap(since);
    assert!(gap < Duration::from_secs(2), "{gap:?} without a frame in {took:?}");
    match expected {
        Expected::Direct => {
            assert!(!pair.is_relayed(), "a direct path exists, but it is {pair}");
            // ICE checks of unused pairs may be relayed, but no video.
            assert!(relayed < 10, "{relayed} packets were relayed for ten frames");
        }
        Expected::Relay => {
            assert!(pair.is_relayed(), "no direct path should exist, but it is {pair}");
            assert!(relayed >= 10, "only {relayed} packets were relayed for ten frames");
        }
    }
    assert_eq!(peer.seen().sessions.len(), 1, "one session is enough: {:?}", peer.seen().ends);
}
