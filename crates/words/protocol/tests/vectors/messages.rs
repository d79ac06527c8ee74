//! JSON messages: `signaling.json`, `events.json` and `drive.json`.

use super::load;
use rccar_protocol::calibration::{FromDrive, ToDrive};
use rccar_protocol::events::{CarEvent, DriverEvent};
use rccar_protocol::signaling::{ErrorCode, FromCar, FromDriver, Json, ToCar, ToDriver, parse};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Debug;

#[test]
fn signaling_messages_read_and_write_as_the_vectors_say() {
    check_all("signaling.json");
}

#[test]
fn events_read_and_write_as_the_vectors_say() {
    check_all("events.json");
}

#[test]
fn messages_of_car_and_drive_read_and_write_as_the_vectors_say() {
    check_all("drive.json");
}

#[test]
fn the_vectors_hold_a_refusal_and_an_acceptance_for_every_direction() {
    let mut seen = BTreeSet::new();
    for file in ["signaling.json", "events.json", "drive.json"] {
        seen.extend(
            load::<Vector>(file)
                .into_iter()
                .map(|vector| (vector.direction, vector.error.is_some())),
        );
    }
    let directions = [
        "car-event",
        "driver-event",
        "from-car",
        "from-drive",
        "from-driver",
        "to-car",
        "to-drive",
        "to-driver",
    ];
    let expected: BTreeSet<_> =
        directions.iter().flat_map(|d| [(d.to_string(), false), (d.to_string(), true)]).collect();
    assert_eq!(seen, expected);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    direction: String,
    json: String,
    canonical: Option<bool>,
    means: Option<String>,
    pad_to: Option<usize>,
    error: Option<ErrorCode>,
}

fn check_all(file: &str) {
    for vector in load::<Vector>(file) {
        match vector.direction.as_str() {
            "from-driver" => check::<FromDriver>(file, &vector),
            "to-driver" => check::<ToDriver>(file, &vector),
            "from-car" => check::<FromCar>(file, &vector),
            "to-car" => check::<ToCar>(file, &vector),
            "car-event" => check::<CarEvent>(file, &vector),
            "driver-event" => check::<DriverEvent>(file, &vector),
            "to-drive" => check::<ToDrive>(file, &vector),
            "from-drive" => check::<FromDrive>(file, &vector),
            other => panic!("{file}, {}: direction {other:?}", vector.name),
        }
    }
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(file: &str, vector: &Vector) {
    let what = format!("{file}, {}, {}", vector.direction, vector.name);
    let mut text = vector.json.clone();
    text.extend(std::iter::repeat_n(' ', vector.pad_to.unwrap_or(0).saturating_sub(text.len())));
    match (vector.canonical, &vector.means, vector.error) {
        (Some(true), None, None) => {
            let message: T = parse(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(message.to_json(), vector.json, "{what}");
        }
        (Some(false), Some(means), None) => {
            let message: T = parse(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(message.to_json(), *means, "{what}");
            assert_eq!(Ok(message), parse(means), "{what}");
        }
        (None, None, Some(code)) => {
            let error = parse::<T>(&text).expect_err(&format!("{what}: accepted"));
            assert_eq!(error.code, code, "{what}: {error}");
        }
        _ => panic!("{what}: needs `canonical`, `canonical` and `means`, or `error`"),
    }
}
