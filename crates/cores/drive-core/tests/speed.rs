//! A wheel with a sensor: what it does, and what the core makes of its edges.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use rccar_drive_core::speed::{MOST_SPEED, STANDS_AFTER, SpeedSettings, Speedometer};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// One magnet on a wheel of 1/10 scale.
const ONE: SpeedSettings = SpeedSettings { pulses_per_turn: 1, circumference_mm: 200 };
/// A disc with 20 slots.
const DISC: SpeedSettings = SpeedSettings { pulses_per_turn: 20, circumference_mm: 200 };

struct Wheel {
    meter: Speedometer,
    settings: SpeedSettings,
    now: MonotonicMicros,
    number: u32,
}

impl Wheel {
    fn new(settings: SpeedSettings) -> Self {
        let meter = Speedometer::new(settings).unwrap();
        // So that the numbers wrap.
        Self { meter, settings, now: MonotonicMicros(5_000_000), number: u32::MAX - 3 }
    }

    fn period(&self, mm_s: u64) -> Duration {
        let way = u64::from(self.settings.circumference_mm) * 1_000
            / u64::from(self.settings.pulses_per_turn);
        Duration::from_micros(way * 1_000 / mm_s)
    }

    fn edge(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.meter.handle_edge(self.now, self.number);
    }

    fn turn(&mut self, mm_s: u64, time: Duration) -> Option<u16> {
        let until = self.now.plus(time);
        let period = self.period(mm_s);
        while self.now < until {
            self.now = self.now.plus(period);
            self.edge();
        }
        self.meter.speed(self.now)
    }

    fn rest(&mut self, time: Duration) -> Option<u16> {
        self.now = self.now.plus(time);
        self.meter.speed(self.now)
    }
}

fn close(got: Option<u16>, wanted: u64) -> bool {
    got.is_some_and(|got| u64::from(got).abs_diff(wanted) * 100 <= wanted)
}

#[test]
fn a_wheel_that_turns_evenly_has_its_speed() {
    for settings in [ONE, DISC] {
        for mm_s in [200, 1_000, 5_000, 20_000] {
            let got = Wheel::new(settings).turn(mm_s, Duration::from_secs(2));
            assert!(close(got, mm_s), "{settings:?}: {got:?}, not {mm_s}");
        }
    }
}

#[test]
fn a_wheel_that_stands_has_none_and_one_pulse_is_no_speed() {
    let mut wheel = Wheel::new(ONE);
    assert_eq!(wheel.rest(Duration::from_secs(9)), Some(0));
    wheel.edge();
    assert_eq!(wheel.rest(Duration::from_millis(1)), Some(0));
}

#[test]
fn between_pulses_the_speed_falls_until_the_wheel_stands() {
    let mut wheel = Wheel::new(ONE);
    let mut before = wheel.turn(2_000, Duration::from_secs(1));
    for _ in 0..150 {
        let now = wheel.rest(Duration::from_millis(10));
        assert!(now <= before, "{now:?} after {before:?}");
        before = now;
    }
    assert_eq!(before, Some(0));
    // The pause is not part of the next speed.
    wheel.rest(Duration::from_secs(20));
    wheel.edge();
    assert_eq!(wheel.meter.speed(wheel.now), Some(0));
    assert!(close(wheel.turn(2_000, Duration::from_millis(300)), 2_000));
}

#[test]
fn a_change_of_speed_is_there_after_a_fifth_of_a_second() {
    let mut wheel = Wheel::new(DISC);
    wheel.turn(1_000, Duration::from_secs(1));
    assert!(close(wheel.turn(6_000, Duration::from_millis(250)), 6_000));
    assert!(close(wheel.turn(3_000, Duration::from_millis(250)), 3_000));
}

#[test]
fn bounces_do_not_count() {
    let mut wheel = Wheel::new(ONE);
    for _ in 0..20 {
        wheel.now = wheel.now.plus(wheel.period(2_000));
        wheel.edge();
        for _ in 0..3 {
            wheel.now = wheel.now.plus(Duration::from_micros(300));
            wheel.edge();
        }
        wheel.now = wheel.now.minus(Duration::from_micros(900));
    }
    // The time of the last pulse, not of its bounces.
    let got = wheel.meter.speed(wheel.now);
    assert!(close(got, 2_000), "{got:?}");
}

#[test]
fn edges_that_were_lost_on_the_way_count() {
    let mut wheel = Wheel::new(DISC);
    for _ in 0..100 {
        for _ in 0..4 {
            wheel.now = wheel.now.plus(wheel.period(4_000));
            wheel.number = wheel.number.wrapping_add(1);
        }
        wheel.meter.handle_edge(wheel.now, wheel.number);
    }
    let got = wheel.meter.speed(wheel.now);
    assert!(close(got, 4_000), "{got:?}");
}

#[test]
fn a_line_that_floats_is_noise_and_no_speed_until_it_is_opened_again() {
    for hertz in [4_000, 50_000] {
        let mut wheel = Wheel::new(DISC);
        for _ in 0..hertz + 200 {
            wheel.now = wheel
                .now
                .plus(Duration::from_nanos(1_000_000_000 / hertz).max(Duration::from_micros(1)));
            wheel.edge();
        }
        let noisy = hertz > 4_100;
        assert_eq!(
            (wheel.meter.is_noisy(), wheel.meter.speed(wheel.now).is_none()),
            (noisy, noisy),
            "{hertz}"
        );
        wheel.rest(Duration::from_secs(5));
        assert_eq!(wheel.meter.is_noisy(), noisy, "it does not forget by itself");
        wheel.meter.restart();
        assert_eq!(wheel.meter.speed(wheel.now), Some(0));
        assert!(close(wheel.turn(2_000, Duration::from_millis(300)), 2_000));
    }
}

#[test]
fn settings_out_of_range_name_themselves() {
    for (pulses_per_turn, circumference_mm, key) in [
        (0, 200, "speed.pulses_per_turn"),
        (41, 200, "speed.pulses_per_turn"),
        (1, 19, "speed.circumference_mm"),
        (1, 3_001, "speed.circumference_mm"),
    ] {
        let settings = SpeedSettings { pulses_per_turn, circumference_mm };
        assert_eq!(Speedometer::new(settings).unwrap_err().key, key);
    }
    assert!(SpeedSettings { pulses_per_turn: 40, circumference_mm: 200 }.check().is_ok());
}

proptest! {
    #[test]
    fn whatever_comes_the_speed_is_believable_and_ends(
        edges in prop::collection::vec((0u64..3_000_000, any::<u32>()), 0..200),
        pulses_per_turn in 1u16..=40,
    ) {
        let settings = SpeedSettings { pulses_per_turn, circumference_mm: 200 };
        let mut meter = Speedometer::new(settings).unwrap();
        let mut last = MonotonicMicros::default();
        for (at, number) in edges {
            // Also backward in time.
            meter.handle_edge(MonotonicMicros(at), number);
            last = last.max(MonotonicMicros(at));
            let speed = meter.speed(last);
            prop_assert!(speed.is_none_or(|speed| u64::from(speed) <= MOST_SPEED));
        }
        let later = meter.speed(last.plus(STANDS_AFTER));
        prop_assert!(later.is_none_or(|speed| speed == 0));
    }
}
