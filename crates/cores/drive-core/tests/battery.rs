//! When a battery counts as low and empty, and what follows for the car.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; each uses a part of the common tools")]

mod common;

use common::{Bench, throttle_of};
use proptest::prelude::*;
use rccar_drive_core::battery::{
    Allowance, Battery, BatteryAction, BatterySettings, MIN_PATIENCE, STALE,
};
use rccar_drive_core::{Machine, Motor, Settings};
use rccar_protocol::state::{BatteryLevel, DriveState, StopReason};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// A sensor is read twice a second.
const PERIOD: Duration = Duration::from_millis(500);
/// Two cells with 3.8, 3.55, 3.45 and 3.2 V each.
const GOOD: u16 = 7_600;
const LOW: u16 = 7_100;
const LIMITED: u16 = 6_900;
const EMPTY: u16 = 6_400;

/// A battery, and the time.
struct Meter {
    battery: Battery,
    now: MonotonicMicros,
}

impl Meter {
    fn new() -> Self {
        let battery = Battery::new(BatterySettings::default()).unwrap();
        Self { battery, now: MonotonicMicros(1_000_000) }
    }

    /// Reads the same value for some seconds.
    fn read(&mut self, seconds: u32, reading: impl Into<Option<u16>>) -> BatteryLevel {
        let reading = reading.into();
        for _ in 0..seconds * 2 {
            self.now = self.now.plus(PERIOD);
            self.battery.handle_reading(self.now, reading);
        }
        self.battery.level()
    }
}

#[test]
fn a_battery_runs_down_level_by_level_and_comes_back_charged() {
    let mut meter = Meter::new();
    assert_eq!(meter.battery.level(), BatteryLevel::Unknown);
    assert_eq!(meter.read(1, GOOD), BatteryLevel::Good);
    assert_eq!(meter.read(10, LOW), BatteryLevel::Good, "not for long enough yet");
    assert_eq!(meter.read(1, LOW), BatteryLevel::Low);
    assert_eq!(meter.read(11, LIMITED), BatteryLevel::Limited);
    assert_eq!(meter.battery.allowance(), Allowance::Share(5_000));
    assert_eq!(meter.read(11, EMPTY), BatteryLevel::Empty);
    assert_eq!(meter.battery.allowance(), Allowance::Nothing);
    // A battery that rests recovers, but does not charge itself.
    assert_eq!(meter.read(60, 7_399), BatteryLevel::Empty);
    assert_eq!(meter.read(10, 7_400), BatteryLevel::Empty, "not for long enough yet");
    assert_eq!(meter.read(1, 7_400), BatteryLevel::Good);
    assert_eq!(meter.battery.allowance(), Allowance::Full);
}

#[test]
fn a_drive_that_is_to_do_less_stays_at_that_level_and_comes_back_from_it() {
    for (action, level, allowance) in [
        (BatteryAction::Warn, BatteryLevel::Low, Allowance::Full),
        (BatteryAction::Limit, BatteryLevel::Limited, Allowance::Share(5_000)),
        (BatteryAction::Stop, BatteryLevel::Empty, Allowance::Nothing),
    ] {
        let settings = BatterySettings { action, ..BatterySettings::default() };
        let mut meter = Meter { battery: Battery::new(settings).unwrap(), ..Meter::new() };
        meter.read(1, GOOD);
        assert_eq!(meter.read(60, EMPTY), level);
        assert_eq!(meter.battery.allowance(), allowance);
        assert_eq!(meter.read(22, GOOD), BatteryLevel::Good);
    }
}

#[test]
fn a_sag_while_accelerating_is_not_an_empty_battery() {
    let mut meter = Meter::new();
    for _ in 0..20 {
        assert_eq!(meter.read(1, GOOD), BatteryLevel::Good);
        assert_eq!(meter.read(9, EMPTY), BatteryLevel::Good);
    }
}

#[test]
fn a_low_voltage_counts_for_the_level_below_which_it_stayed() {
    let mut meter = Meter::new();
    meter.read(1, GOOD);
    for _ in 0..3 {
        meter.read(2, EMPTY);
        meter.read(2, LIMITED);
    }
    assert_eq!(meter.battery.level(), BatteryLevel::Limited);
}

#[test]
fn a_voltage_around_a_threshold_does_not_toggle() {
    let mut meter = Meter::new();
    meter.read(12, 7_199);
    assert_eq!(meter.battery.level(), BatteryLevel::Low);
    for _ in 0..5 {
        assert_eq!(meter.read(20, 7_201), BatteryLevel::Low);
        assert_eq!(meter.read(20, 7_199), BatteryLevel::Low);
    }
}

#[test]
fn a_battery_that_is_low_at_the_start_is_called_so_at_once_and_stops_only_after_its_time() {
    let mut meter = Meter::new();
    assert_eq!(meter.read(1, EMPTY), BatteryLevel::Low);
    assert_eq!(meter.battery.allowance(), Allowance::Full);
    assert_eq!(meter.read(10, EMPTY), BatteryLevel::Empty);
}

#[test]
fn a_sensor_that_vanishes_or_talks_nonsense_is_unknown_and_stops_nothing() {
    // Nothing; no wire; more cells than there are; fewer than there must be.
    for nonsense in [None, Some(0), Some(u16::MAX), Some(9_001), Some(1_999)] {
        let mut meter = Meter::new();
        meter.read(1, GOOD);
        assert_eq!(meter.read(3, nonsense), BatteryLevel::Good, "one gap is nothing");
        assert_eq!(meter.read(1, nonsense), BatteryLevel::Unknown);
        assert_eq!(meter.read(600, nonsense), BatteryLevel::Unknown);
        assert_eq!(meter.battery.allowance(), Allowance::Full);
        assert_eq!(meter.read(1, GOOD), BatteryLevel::Good);
    }
}

#[test]
fn a_sensor_that_vanishes_gives_nothing_back() {
    for (reading, level) in [(LIMITED, BatteryLevel::Limited), (EMPTY, BatteryLevel::Empty)] {
        let mut meter = Meter::new();
        assert_eq!(meter.read(12, reading), level);
        assert_eq!(meter.read(600, None), level);
    }
}

#[test]
fn a_silence_begins_the_time_again() {
    let mut meter = Meter::new();
    meter.read(9, EMPTY);
    meter.now = meter.now.plus(Duration::from_secs(60));
    meter.battery.handle_reading(meter.now, Some(EMPTY));
    assert_eq!(meter.battery.allowance(), Allowance::Full, "two readings are no minute");
}

fn driving() -> Bench {
    let mut bench = Bench::new(Settings::default());
    bench.arm();
    bench.drive(400, true, 3_000, 10_000);
    assert_eq!((bench.machine.state(), throttle_of(&bench.machine)), (DriveState::Armed, 5_000));
    bench
}

fn state(bench: &Bench) -> (DriveState, StopReason) {
    (bench.machine.state(), bench.machine.reason())
}

#[test]
fn a_limit_takes_its_share_at_once_and_gives_it_back_at_the_slew_rate() {
    let mut bench = driving();
    bench.machine.handle_battery(bench.now, Allowance::Share(4_000));
    assert_eq!(throttle_of(&bench.machine), 2_000);
    bench.drive(400, true, 3_000, 10_000);
    assert_eq!((state(&bench).0, throttle_of(&bench.machine)), (DriveState::Armed, 2_000));
    bench.drive(200, true, 3_000, -10_000);
    assert_eq!(throttle_of(&bench.machine), -1_200, "backward, too");
    bench.drive(400, true, 3_000, 10_000);
    bench.machine.handle_battery(bench.now, Allowance::Full);
    assert_eq!(throttle_of(&bench.machine), 2_000);
    bench.drive(40, true, 3_000, 10_000);
    assert!((2_001..=3_000).contains(&throttle_of(&bench.machine)));
    bench.drive(400, true, 3_000, 10_000);
    assert_eq!(throttle_of(&bench.machine), 5_000);
}

#[test]
fn an_empty_battery_brakes_rests_and_cannot_be_armed() {
    let mut bench = driving();
    bench.machine.handle_battery(bench.now, Allowance::Nothing);
    let stopped = (DriveState::Disarmed, StopReason::BatteryEmpty);
    assert_eq!((state(&bench), bench.machine.output().motor), (stopped, Motor::Brake));
    bench.wait(170);
    assert_eq!((state(&bench), bench.machine.output()), (stopped, Default::default()));
    for _ in 0..3 {
        bench.arm();
        assert_eq!((state(&bench), bench.machine.output()), (stopped, Default::default()));
        bench.wait(1_000);
    }
    // The driver who still asks to arm when the battery is charged has to let go first.
    bench.drive(40, true, 0, 0);
    bench.machine.handle_battery(bench.now, Allowance::Full);
    assert_eq!(state(&bench), (DriveState::Disarmed, StopReason::None));
    bench.drive(1_000, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Disarmed);
    bench.arm();
    assert_eq!(bench.machine.state(), DriveState::Armed);
}

#[test]
fn an_empty_battery_ends_arming_and_says_so_to_the_next_driver() {
    let mut bench = Bench::new(Settings::default());
    bench.drive(40, false, 0, 0);
    bench.drive(100, true, 0, 0);
    assert_eq!(bench.machine.state(), DriveState::Arming);
    bench.machine.handle_battery(bench.now, Allowance::Nothing);
    assert_eq!(state(&bench), (DriveState::Disarmed, StopReason::BatteryEmpty));
    bench.session = 2;
    bench.drive(100, false, 0, 0);
    assert_eq!(state(&bench), (DriveState::Disarmed, StopReason::BatteryEmpty));
}

#[test]
fn a_trip_keeps_its_own_reason() {
    let mut bench = driving();
    bench.machine.handle_fault(bench.now);
    bench.machine.handle_battery(bench.now, Allowance::Nothing);
    assert_eq!(state(&bench), (DriveState::Tripped, StopReason::ActuatorFault));
    // The fault lasts for 100 ms.
    bench.drive(120, false, 0, 0);
    assert_eq!(state(&bench), (DriveState::Disarmed, StopReason::BatteryEmpty));
}

fn settings() -> impl Strategy<Value = BatterySettings> {
    let millivolts = (2_000u16..4_000, 0u16..600, 0u16..600, 0u16..500);
    let action =
        prop::sample::select(&[BatteryAction::Warn, BatteryAction::Limit, BatteryAction::Stop]);
    (1u8..=8, millivolts, 5u64..=60, 1_000u16..=10_000, action).prop_map(
        |(cells, (stop, to_limit, to_warn, hysteresis), patience, limited_speed, action)| {
            let warn = (stop + to_limit + to_warn).min(4_100);
            BatterySettings {
                cells,
                stop,
                limit: (stop + to_limit).min(warn),
                warn,
                hysteresis: hysteresis.min(4_100 - warn),
                patience: Duration::from_secs(patience),
                limited_speed,
                action,
            }
        },
    )
}

/// Voltages of a cell in mV (most of them near the thresholds), none, and times between readings.
fn readings() -> impl Strategy<Value = Vec<(Option<u16>, u64)>> {
    let cell = prop_oneof![
        4 => (2_800u16..4_300).prop_map(Some),
        1 => any::<u16>().prop_map(Some),
        1 => Just(None),
    ];
    let millis = prop_oneof![6 => 1u64..1_000, 1 => 1_000u64..20_000];
    prop::collection::vec((cell, millis), 0..200)
}

fn whole(settings: &BatterySettings, cell: u16) -> u16 {
    cell.saturating_mul(settings.cells.into())
}

proptest! {
    #[test]
    fn no_order_of_readings_wedges_it(settings in settings(), readings in readings()) {
        let mut battery = Battery::new(settings).unwrap();
        let mut now = MonotonicMicros(0);
        for (reading, millis) in readings {
            now = now.plus(Duration::from_millis(millis));
            battery.handle_reading(now, reading.map(|cell| whole(&settings, cell)));
        }
        let mut hold = |battery: &mut Battery, cell| {
            // From Limited to Good takes the time twice.
            for _ in 0..settings.patience.as_secs() * 4 + 10 {
                now = now.plus(PERIOD);
                battery.handle_reading(now, Some(whole(&settings, cell)));
            }
            battery.level()
        };
        prop_assert_eq!(hold(&mut battery, 4_200), BatteryLevel::Good);
        let deepest = match settings.action {
            BatteryAction::Warn => BatteryLevel::Low,
            BatteryAction::Limit => BatteryLevel::Limited,
            BatteryAction::Stop => BatteryLevel::Empty,
        };
        prop_assert_eq!(hold(&mut battery, settings.stop - 1), deepest);
        prop_assert_eq!(hold(&mut battery, 4_200), BatteryLevel::Good);
    }

    #[test]
    fn a_level_that_limits_was_below_its_threshold_all_the_time(
        settings in settings(),
        readings in readings(),
    ) {
        let mut battery = Battery::new(settings).unwrap();
        let mut now = MonotonicMicros(0);
        // Since when no plausible reading was at or above the thresholds of limit and stop.
        let mut below = [now; 2];
        for (reading, millis) in readings {
            now = now.plus(Duration::from_millis(millis));
            let before = battery.allowance();
            battery.handle_reading(now, reading.map(|cell| whole(&settings, cell)));
            let plausible = reading.filter(|cell| (1_000..=4_500).contains(cell));
            for (since, threshold) in below.iter_mut().zip([settings.limit, settings.stop]) {
                if plausible.is_some_and(|cell| cell >= threshold) {
                    *since = now;
                }
            }
            let since = match battery.allowance() {
                after if after == before => continue,
                Allowance::Full => continue,
                Allowance::Share(_) => below[0],
                Allowance::Nothing => below[1],
            };
            prop_assert!(now.since(since) >= settings.patience);
            prop_assert!(plausible.is_some(), "a sensor that says nothing changes nothing");
        }
    }

    #[test]
    fn one_low_reading_never_stops(
        patience in 5u64..60,
        cell in 0u16..3_300,
        held_ms in 0u64..3_000,
        before in 0u32..60,
    ) {
        let patience = Duration::from_secs(patience);
        prop_assert!(patience >= MIN_PATIENCE && MIN_PATIENCE > STALE);
        let settings = BatterySettings { patience, ..BatterySettings::default() };
        let mut battery = Battery::new(settings).unwrap();
        let mut now = MonotonicMicros(0);
        for _ in 0..before {
            now = now.plus(PERIOD);
            battery.handle_reading(now, Some(GOOD));
        }
        // The sensor says it once, and is asked two hundred times a second until it is stale.
        let until = now.plus(Duration::from_millis(held_ms));
        while now < until {
            now = now.plus(Duration::from_millis(5));
            battery.handle_reading(now, Some(cell * 2));
            prop_assert_eq!(battery.allowance(), Allowance::Full);
        }
        for _ in 0..600 {
            now = now.plus(PERIOD);
            battery.handle_reading(now, None);
            prop_assert_eq!(battery.allowance(), Allowance::Full);
        }
    }

    #[test]
    fn a_smaller_allowance_never_raises_the_throttle_and_none_ends_at_neutral(
        throttle in -10_000i16..=10_000,
        shares in prop::collection::vec(0u16..=10_000, 1..10),
        wait in 0u64..70,
    ) {
        let mut bench = Bench::new(Settings::default());
        bench.arm();
        bench.drive(400, true, 3_000, throttle);
        bench.wait(wait);
        for share in shares {
            let before = throttle_of(&bench.machine);
            bench.machine.handle_battery(bench.now, Allowance::Share(share));
            let after = throttle_of(&bench.machine);
            prop_assert!(after.abs() <= before.abs() && i32::from(after) * i32::from(before) >= 0);
            prop_assert!(u32::from(after.unsigned_abs()) <= 5_000 * u32::from(share) / 10_000);
        }
        bench.machine.handle_battery(bench.now, Allowance::Nothing);
        prop_assert!(!bench.machine.state().may_move());
        prop_assert_eq!(throttle_of(&bench.machine), 0);
        rests(&mut bench.machine, bench.now)?;
    }
}

fn rests(machine: &mut Machine, now: MonotonicMicros) -> Result<(), TestCaseError> {
    machine.handle_timeout(now.plus(Duration::from_millis(250)));
    prop_assert!(machine.is_at_rest());
    prop_assert_eq!(machine.output().motor, Motor::Neutral);
    Ok(())
}
