//! A board that the configuration names and that is not there.

#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of the common tools")]

mod common;

use common::{Drive, Driver, rccar_drive};
use rccar_protocol::state::{DriveState, StopReason};

const NO_BOARD: &str = "actuator = \"pca9685\"\n[pca9685]\nbus = \"/dev/i2c-250\"\n";

const NOTHING: &str = "actuator = \"none\"\n";

#[test]
fn without_an_actuator_the_car_cannot_be_armed() {
    let drive = Drive::start_with(NOTHING);
    drive.await_status("the fault is reported", |status| {
        (&status.state, &status.reason) == (&DriveState::Tripped, &StopReason::ActuatorFault)
    });
}

#[test]
fn the_drive_runs_says_why_it_does_not_drive_and_ends_as_it_should() {
    let drive = Drive::start_with(NO_BOARD);
    let tripped = |status: &rccar_protocol::status::DriveStatus| {
        (&status.state, &status.reason) == (&DriveState::Tripped, &StopReason::ActuatorFault)
    };
    drive.await_status("the fault is reported", tripped);
    // A driver who does all that arms a car.
    let mut driver = Driver::connect(&drive.socket(), 7);
    let mut frames = 0;
    driver.send_until(false, 0, |_| {
        frames += 1;
        frames > 10
    });
    driver.send_until(true, 0, |status| {
        assert!(!status.state.may_move(), "{status:?}");
        frames += 1;
        frames > 60
    });
    assert!(tripped(&drive.status()));
    let (status, trace, socket_is_left) = drive.terminate();
    assert!(status.success() && !socket_is_left);
    let faults = trace.iter().filter(|line| line["event"] == "faulted").count();
    assert!(faults >= 1, "{trace:?}");
    let moved = |line: &&serde_json::Value| {
        line.get("output").is_some_and(|output| output["motor"] != "neutral")
    };
    assert_eq!(trace.iter().find(moved), None);
}

#[test]
fn neutral_says_which_bus_it_cannot_open() {
    let drive = Drive::start_with(NO_BOARD);
    let output = rccar_drive(&["neutral", "--config", &drive.config()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot open the I²C bus") && said.contains("/dev/i2c-250"), "{said}");
}
