//! The commands that a person types.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of the common tools")]

mod common;

use common::{Drive, rccar_drive};
use std::process::Output;

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn status_prints_the_state_of_the_running_drive() {
    let drive = Drive::start();
    let output = rccar_drive(&["status", "--config", &drive.config()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let text = text(&output);
    assert!(
        text.contains("state     disarmed\n") && text.contains("speed     0.00 m/s\n"),
        "{text}"
    );
}

#[test]
fn status_says_so_when_nothing_runs() {
    let drive = Drive::start();
    let config =
        std::fs::read_to_string(drive.config()).unwrap().replace("drive.sock", "nobody.sock");
    std::fs::write(drive.config(), config).unwrap();
    let output = rccar_drive(&["status", "--config", &drive.config()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("is it running"), "{}", text(&output));
}

#[test]
fn a_second_drive_on_the_same_socket_is_refused() {
    let drive = Drive::start();
    let output = rccar_drive(&["--config", &drive.config()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("another rccar-drive is running"), "{}", text(&output));
    drive.status();
}

#[test]
fn check_config_accepts_the_documented_file_and_names_a_mistake() {
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    let output = rccar_drive(&["check-config", "--config", documented]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wrong.toml").display().to_string();
    std::fs::write(&path, "[throttle]\nmax_forward = 3\n").unwrap();
    let output = rccar_drive(&["check-config", "--config", &path]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output).contains("wrong.toml:2:") && text(&output).contains("throttle.max_forward"),
        "{}",
        text(&output)
    );
}

#[test]
fn neutral_needs_no_running_drive() {
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml");
    let output = rccar_drive(&["neutral", "--config", documented]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("neutral"));
}
