//! A thousand real cars at a real host. `make bench-host` does the same with ten thousand.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::Host;
use common::fleet::{Enrolled, Fleet, prepare};
use std::time::{Duration, Instant};

const CARS: usize = 1_000;
const FEW: usize = 50;
/// On a machine that builds something else meanwhile; `make bench-host` has the figures.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the figures")]
async fn row_3_a_thousand_cars_enrol_at_once_and_all_are_back_after_the_host_was_killed() {
    let mut host = Host::start();
    prepare(&host, CARS, Enrolled::ByToken);
    let begun = Instant::now();
    let fleet = Fleet::start(&host, CARS);
    let enrolled = fleet.all_registered(CARS, begun, PATIENCE).await;

    host.kill();
    let begun = Instant::now();
    host.launch_again();
    // None is there twice or counts as there because nobody has noticed yet.
    while fleet.registered() == CARS {
        tokio::task::yield_now().await;
    }
    let back = fleet.all_registered(CARS, begun, PATIENCE).await;
    assert_eq!(fleet.refused(), 0, "none was lost");
    println!(
        "{CARS} cars: enrolled in {enrolled:?}, back {back:?} after the host was killed, {} \
         attempts failed",
        fleet.failed()
    );
    fleet.stop().await;
    let listed = host.admin(&["car", "list"]);
    assert_eq!(listed.lines().filter(|line| line.ends_with("enrolled")).count(), CARS);
}

/// kB of this program that are in memory for each idle car. A build for tests needs more than one
/// that is released: futures are as large, but nothing is thrown out. `make bench-host` holds the
/// aim of 8 kB.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the figures")]
async fn row_3_an_idle_car_takes_little_memory() {
    let host = Host::start();
    prepare(&host, CARS, Enrolled::Already);
    let before = host.resident_kb();
    // A few at a time: what a crowd takes while it registers is another matter.
    let mut fleets = Vec::new();
    for first in (0..CARS).step_by(FEW) {
        let fleet = Fleet::of(&host, first..first + FEW);
        fleet.all_registered(FEW, Instant::now(), PATIENCE).await;
        fleets.push(fleet);
    }
    // Two pings of each.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let each = (host.resident_kb() - before) / CARS as f64;
    println!("{each:.1} kB for each car, from {before} kB");
    assert!(each <= 12.0, "{each} kB");
    for fleet in fleets {
        fleet.stop().await;
    }
}
