//! How many cars a host bears: registration, return after a restart, memory, processor time. The
//! aims are those of docs/performance.md; a figure beyond its aim fails.
//!
//! `CARS` (10000), of which a process may have as many as it may open files.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::Host;
use common::fleet::{Enrolled, Fleet, prepare};
use common::scale::{Core, KINDS};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::time::{Duration, Instant};

/// All have to be registered, or back, in this time.
const AIM: Duration = Duration::from_secs(10);
/// Resident memory of the host for each idle car, in kB.
const AIM_KB: f64 = 8.0;
/// A run that misses its aim is told to its end.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long idle cars are watched: each pings twice.
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    // `cargo test --all-targets` and nextest ask for a list of tests.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
    let cars = std::env::var("CARS").map_or(10_000, |cars| cars.parse().unwrap());
    let sizes = [1_000, 10_000, 20_000];
    let mut cores = sizes.map(Core::new);
    for kind in KINDS {
        let costs = cores.each_mut().map(|core| core.cost(kind));
        println!("in the core, {kind}: {costs:?} with {sizes:?} cars");
    }
    drop(cores);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let missed = runtime.block_on(measure(cars));
    if !missed.is_empty() {
        println!("beyond the aim: {}", missed.join(", "));
        std::process::exit(1);
    }
}

async fn measure(cars: usize) -> Vec<String> {
    let mut missed = Vec::new();
    let mut check = |what: &str, time: Duration| {
        println!("{what}: {:.2} s", time.as_secs_f64());
        if time > AIM {
            missed.push(what.to_owned());
        }
    };

    let host = large_host();
    prepare(&host, cars, Enrolled::ByToken);
    let begun = Instant::now();
    let fleet = Fleet::start(&host, cars);
    let time = fleet.all_registered(cars, begun, PATIENCE).await;
    check(&format!("{cars} cars enrol at once, by token"), time);
    println!("  {} attempts failed, {:.2} s of processor time", fleet.failed(), host.cpu_s());
    fleet.stop().await;
    drop(host);

    let mut host = large_host();
    prepare(&host, cars, Enrolled::Already);
    // The first start above has made the file; this one finds the cars in it.
    host.stop();
    host.launch_again();
    let before = (host.resident_kb(), host.cpu_s());
    let begun = Instant::now();
    let fleet = Fleet::start(&host, cars);
    let time = fleet.all_registered(cars, begun, PATIENCE).await;
    check(&format!("{cars} known cars register at once"), time);
    println!(
        "  {} attempts failed, {:.2} s of processor time",
        fleet.failed(),
        host.cpu_s() - before.1
    );

    tokio::time::sleep(Duration::from_secs(5)).await;
    fleet.round_trips();
    let cpu = host.cpu_s();
    tokio::time::sleep(IDLE).await;
    let cpu = (host.cpu_s() - cpu) / IDLE.as_secs_f64();
    let (median, slow) = fleet.round_trips();
    let each = (host.resident_kb() - before.0) / cars as f64;
    println!(
        "idle: {each:.2} kB resident for each car, {:.1} % of a processor, {:.1} us for each \
         ping, round trip {:.2} ms (99 %: {:.2} ms)",
        cpu * 100.0,
        cpu * 5.0 / cars as f64 * 1e6,
        median.as_secs_f64() * 1e3,
        slow.as_secs_f64() * 1e3
    );
    let heavy = (each > AIM_KB).then(|| "memory of an idle car".to_owned());

    for (how, kill) in [("stopped", false), ("killed", true)] {
        let begun = Instant::now();
        if kill {
            host.kill();
        } else {
            host.stop();
        }
        let stopped = begun.elapsed();
        host.launch_again();
        println!(
            "the host is {how} in {:.2} s and up again after {:.2} s",
            stopped.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        );
        while fleet.registered() == cars {
            tokio::task::yield_now().await;
        }
        let time = fleet.all_registered(cars, begun, PATIENCE).await;
        check(&format!("all are back after the host was {how}"), time);
        println!("  {} attempts failed so far", fleet.failed());
        tokio::time::sleep(Duration::from_secs(31)).await;
    }
    assert_eq!(fleet.refused(), 0, "refused cars are lost ones");
    missed.extend(heavy);
    missed
}

fn large_host() -> Host {
    Host::start_with("max_connections = 20000\n")
}
