//! What a driver sees of the computer's temperature and supply.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use rccar_car_core::computer::{Health, Reading, SAG_SHOWN, STALE};
use rccar_protocol::sensors::{HeatLevel, SupplyLevel};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const START: MonotonicMicros = MonotonicMicros(7_000_000);
const PERIOD: Duration = Duration::from_secs(2);

fn warm(temperature: i16) -> Reading {
    Reading { temperature: Some(temperature), ..Reading::default() }
}

fn supply(low: bool) -> Reading {
    Reading { supply_low: Some(low), ..Reading::default() }
}

#[test]
fn nothing_is_shown_before_the_first_reading_and_after_the_sensors_fell_silent() {
    let mut health = Health::default();
    assert_eq!(health.computer(START), None);
    assert!(health.handle_reading(START, warm(450)));
    assert_eq!(health.computer(START.plus(STALE)).unwrap().temperature, Some(450));
    assert_eq!(health.computer(START.plus(STALE + PERIOD)), None);
}

#[test]
fn a_sensor_that_is_gone_or_lies_leaves_no_figure_behind() {
    let mut health = Health::default();
    for nonsense in [None, Some(-401), Some(1_251), Some(i16::MAX), Some(i16::MIN)] {
        health.handle_reading(START, warm(850));
        assert_eq!(health.computer(START).unwrap().heat, HeatLevel::Hot);
        let gone = Reading { temperature: nonsense, ..Reading::default() };
        assert!(health.handle_reading(START.plus(PERIOD), gone));
        let computer = health.computer(START.plus(PERIOD)).unwrap();
        assert_eq!((computer.temperature, computer.heat), (None, HeatLevel::Unknown));
    }
}

#[test]
fn heat_rises_at_its_thresholds_and_falls_three_degrees_below() {
    let mut health = Health::default();
    let mut heat = |temperature| {
        health.handle_reading(START, warm(temperature));
        health.computer(START).unwrap().heat
    };
    use HeatLevel::{Good, Hot, Warm};
    let steps = [
        (749, Good),
        (750, Warm),
        (799, Warm),
        (800, Hot),
        (770, Hot),
        (769, Warm),
        (799, Warm),
        (800, Hot),
        (769, Warm),
        (720, Warm),
        (719, Good),
        (749, Good),
        (900, Hot),
        (500, Good),
    ];
    for (temperature, wanted) in steps {
        assert_eq!(heat(temperature), wanted, "{temperature}");
    }
}

#[test]
fn a_supply_that_sags_for_a_moment_is_seen_and_remembered() {
    let mut health = Health::default();
    let word = |health: &Health, at| health.computer(at).unwrap().supply;
    assert!(health.handle_reading(START, supply(false)));
    assert_eq!(word(&health, START), SupplyLevel::Good);
    let mut now = START.plus(PERIOD);
    assert!(health.handle_reading(now, supply(true)));
    let sagged_at = now;
    while now.since(sagged_at) < SAG_SHOWN {
        assert_eq!(word(&health, now), SupplyLevel::Sags);
        now = now.plus(PERIOD);
        health.handle_reading(now, supply(false));
    }
    now = now.plus(PERIOD);
    health.handle_reading(now, supply(false));
    assert_eq!(word(&health, now), SupplyLevel::Sagged);
    // A sensor that goes is no good supply.
    health.handle_reading(now, Reading::default());
    assert_eq!(word(&health, now), SupplyLevel::Unknown);
}

proptest! {
    #[test]
    fn words_change_only_when_it_says_so(
        readings in prop::collection::vec((any::<Option<i16>>(), any::<Option<bool>>()), 1..60),
    ) {
        let mut health = Health::default();
        let mut now = START;
        for (temperature, supply_low) in readings {
            now = now.plus(Duration::from_millis(1_500));
            let before = health.computer(now).map(|computer| (computer.heat, computer.supply));
            let reading = Reading { temperature, supply_low, ..Reading::default() };
            let changed = health.handle_reading(now, reading);
            let after = health.computer(now).map(|computer| (computer.heat, computer.supply));
            prop_assert!(before.is_none() || changed == (before != after));
        }
    }
}
