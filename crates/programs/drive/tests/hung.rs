//! A drive that hangs while its car moves: the guard takes over.

#![allow(
    clippy::unwrap_used,
    dead_code,
    clippy::print_stdout,
    reason = "tests; the measured times are for the reader"
)]

mod common;

use common::{Drive, Driver, await_that};
use rccar_protocol::state::DriveState;
use std::time::{Duration, Instant};

/// The guard waits 100 ms; the rest is for a busy machine.
const LIMIT: Duration = Duration::from_millis(350);
const STOPS: u64 = 10;

#[test]
fn the_guard_writes_neutral_in_time_and_the_drive_comes_back_tripped() {
    let (drive, lines) = Drive::start_heard();
    let mut times = Vec::new();
    for stop in 0..STOPS {
        let mut driver = Driver::connect(&drive.socket(), 100 + stop);
        driver.drive_off();
        let stopped = Instant::now();
        drive.signal("STOP");
        let heard = lines
            .iter()
            .find(|(_, line)| line.contains("the drive hangs while the car moves"))
            .unwrap();
        assert!(heard.0 > stopped, "that line is of this stop");
        times.push(heard.0.duration_since(stopped));
        drive.signal("CONT");
        drive.await_status("it has tripped", |status| status.state == DriveState::Tripped);
    }
    times.sort();
    println!("SIGSTOP to neutral by the guard, {STOPS} stops: {times:?}");
    assert!(times.last().unwrap() <= &LIMIT, "{times:?}");
}

#[test]
fn a_guard_that_ends_is_started_again_and_none_is_left_behind() {
    let (drive, lines) = Drive::start_heard();
    let guard = || drive.children().first().copied();
    await_that("there is a guard", || guard().is_some());
    let first = guard().unwrap();
    common::kill(first, "KILL");
    await_that("it is noticed", || lines.try_iter().any(|(_, line)| line.contains("it has ended")));
    await_that("there is another", || guard().is_some_and(|next| next != first));
    let next = guard().unwrap();
    let (status, ..) = drive.terminate();
    assert!(status.success());
    await_that("it ends with the drive", || !common::is_alive(next));
}
