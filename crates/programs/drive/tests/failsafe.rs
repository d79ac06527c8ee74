//! A driver, the real program, and everything that can go wrong between them.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of the common tools")]

mod common;

use common::{Drive, Driver, ages_at, await_that, events};
use rccar_drive::query;
use rccar_protocol::Layout;
use rccar_protocol::drive_hello::DriveHello;
use rccar_protocol::setpoint::SETPOINT_SIZE;
use rccar_protocol::state::{DriveState, StopReason};
use std::time::Duration;

/// Time that a busy test machine may add to a deadline.
const NOISE: Duration = Duration::from_millis(100);

#[test]
fn a_driver_who_falls_silent_is_stopped_within_the_budgets() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    driver.drive_off();
    driver.send_until(true, 10_000, |status| {
        status.odometry.is_some_and(|odometry| odometry.speed_mm_s > 200)
    });
    drive.await_status("trips", |status| status.state == DriveState::Tripped);
    assert_eq!(drive.status().reason, StopReason::Silent);
    drive.await_status("rolls out", |status| {
        status.odometry.is_some_and(|odometry| odometry.speed_mm_s == 0)
    });
    let odometry = drive.status().odometry.unwrap();
    assert!(
        odometry.x_mm > 10 && odometry.heading.value() < 0,
        "it drove forward and to the right: {odometry:?}"
    );

    await_that("the trace is written", || events(&drive.trace()).contains(&"tripped".to_owned()));
    let trace = drive.trace();
    let brake = ages_at(&trace, "brake");
    assert!(
        brake
            .iter()
            .all(|&age| (Duration::from_millis(80)..Duration::from_millis(80) + NOISE)
                .contains(&age)),
        "{brake:?}"
    );
    let neutral = *ages_at(&trace, "neutral").last().unwrap();
    assert!(neutral <= Duration::from_millis(250) + NOISE, "{neutral:?}");
    let story = [
        "session-changed",
        "released",
        "arming-started",
        "armed",
        "hold-started",
        "brake-started",
        "tripped",
    ];
    assert_eq!(events(&trace), story);
}

#[test]
fn datagrams_that_are_not_set_points_change_nothing() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    driver.drive_off();
    let stranger = Driver::connect(&drive.socket(), 2);
    for size in [1, SETPOINT_SIZE - 1, SETPOINT_SIZE, SETPOINT_SIZE + 1, 1_000] {
        stranger.socket().send(&vec![0xff; size]).unwrap();
        driver.send(true, 10_000);
    }
    let mut ahead = driver.receive(Duration::from_secs(1)).unwrap().seq;
    ahead += 20;
    driver.send_until(true, 10_000, |status| status.seq > ahead);
    assert_eq!(drive.status().state, DriveState::Armed);
    assert!(
        stranger.receive(Duration::from_micros(1)).is_none(),
        "whoever sends garbage gets no status"
    );
}

#[test]
fn each_car_is_answered_in_the_version_of_its_set_points() {
    let drive = Drive::start();
    // A car of release 0.1.0, and one of today.
    for layout in Layout::ALL {
        let mut driver = Driver::connect(&drive.socket(), 7);
        driver.layout = layout;
        driver.drive_off();
        let status = driver.receive_bytes(Duration::from_secs(1)).unwrap();
        assert_eq!(Layout::of(&status), Some(layout));
    }
}

#[test]
fn a_question_is_answered_in_the_version_that_it_names() {
    let drive = Drive::start();
    let asker = Driver::connect(&drive.socket(), 1);
    for (question, layout) in [(&[][..], Layout::V1), (&[1], Layout::V1), (&[2], Layout::V2)] {
        asker.socket().send(question).unwrap();
        let answer = asker.receive_bytes(Duration::from_secs(1)).unwrap();
        assert_eq!(Layout::of(&answer), Some(layout), "{question:?}");
    }
    assert_eq!(drive.status().session, 0);
}

#[test]
fn a_drive_tells_which_versions_it_speaks_and_obeys_nobody_for_asking() {
    let drive = Drive::start();
    let asker = Driver::connect(&drive.socket(), 1);
    let question = DriveHello { setpoint: u32::MAX, status: u32::MAX, calibration: 0 };
    asker.socket().send(&question.encode()).unwrap();
    let answer = asker.receive_bytes(Duration::from_secs(1)).unwrap();
    assert_eq!(DriveHello::decode(&answer), Ok(DriveHello::ours()));
    assert!(
        asker.receive_bytes(Duration::from_millis(200)).is_none(),
        "who only asks gets no status"
    );
    assert_eq!(drive.status().session, 0);
}

#[test]
fn the_newest_sender_gets_the_status() {
    let drive = Drive::start();
    let mut first = Driver::connect(&drive.socket(), 1);
    first.send_until(false, 0, |status| status.session == 1);
    let mut second = Driver::connect(&drive.socket(), 2);
    second.send_until(false, 0, |status| status.session == 2);
    first.drain();
    for _ in 0..5 {
        assert_eq!(second.receive(Duration::from_secs(1)).unwrap().session, 2);
    }
    assert!(first.receive(Duration::from_micros(1)).is_none());
}

#[test]
fn a_question_for_the_status_does_not_take_it_over() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    driver.drive_off();
    let asked = query::ask(&drive.socket()).unwrap();
    driver.send_until(true, 10_000, |status| status.seq > asked.seq + 5);
}

#[test]
fn a_driver_who_never_reads_his_status_is_obeyed_all_the_same() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    let mut send_blindly = |arm, throttle, state| {
        await_that("the drive follows", || {
            driver.send(arm, throttle);
            std::thread::sleep(Duration::from_millis(10));
            drive.status().state == state
        });
    };
    send_blindly(false, 0, DriveState::Disarmed);
    send_blindly(true, 0, DriveState::Armed);
    for _ in 0..200 {
        send_blindly(true, 10_000, DriveState::Armed);
    }
}

#[test]
fn a_sender_that_was_restarted_has_to_arm_again() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    driver.drive_off();
    drop(driver);
    let mut restarted = Driver::connect(&drive.socket(), 2);
    let mut statuses = 0;
    restarted.send_until(true, 10_000, |status| {
        assert_eq!((status.state, status.throttle.permyriad()), (DriveState::Disarmed, 0));
        statuses += 1;
        statuses > 30
    });
    restarted.drive_off();
}

#[test]
fn a_sender_that_was_restarted_in_the_same_session_can_arm_again() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    driver.drive_off();
    drop(driver);
    drive.await_status("trips", |status| status.state == DriveState::Tripped);
    Driver::connect(&drive.socket(), 1).drive_off();
}

#[test]
fn sigterm_brakes_rests_and_exits_cleanly() {
    let drive = Drive::start();
    let mut driver = Driver::connect(&drive.socket(), 1);
    driver.drive_off();
    let (status, trace, socket_is_left) = drive.terminate();
    assert!(status.success());
    assert!(!socket_is_left);
    let outputs: Vec<_> = trace
        .iter()
        .map(|line| &line["output"]["motor"])
        .filter(|motor| !motor.is_null())
        .collect();
    assert_eq!(outputs[outputs.len() - 2..], ["brake", "neutral"]);
    assert_eq!(events(&trace)[4..], ["shutdown-started", "disarmed", "brake-released"]);
}
