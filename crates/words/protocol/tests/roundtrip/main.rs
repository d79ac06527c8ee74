//! Properties that hold for every value, not only for those of the vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod strategies;

use proptest::prelude::*;
use rccar_protocol::Layout;
use rccar_protocol::calibration::{FromDrive, ToDrive};
use rccar_protocol::control::ControlFrame;
use rccar_protocol::events::{CarEvent, DriverEvent};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::{FromCar, FromDriver, Json, ToCar, ToDriver, parse};
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::telemetry::{TELEMETRY_SIZE, TelemetryFrame};
use rccar_protocol::units::{CentiDegrees, FULL_SCALE, MonotonicMicros, Steering, Throttle};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use strategies::{control, layout, near_frames, near_messages, setpoint, status, telemetry};

/// Version 1 has the reasons of release 0.1.0 only.
fn in_v1(reason: StopReason, instead: StopReason) -> StopReason {
    let later = [StopReason::BatteryEmpty, StopReason::OldPicture, StopReason::Calibrating];
    if later.contains(&reason) { instead } else { reason }
}

/// It has their states, too.
fn state_in_v1(state: DriveState) -> DriveState {
    if state == DriveState::Jogging { DriveState::Braking } else { state }
}

proptest! {
    #[test]
    fn every_control_frame_survives_the_wire(frame in control()) {
        prop_assert_eq!(ControlFrame::decode(&frame.encode(Layout::V2)), Ok(frame));
        let without =
            ControlFrame { shown: None, jog: false, lights: false, horn: false, ..frame };
        prop_assert_eq!(ControlFrame::decode(&frame.encode(Layout::V1)), Ok(without));
    }

    #[test]
    fn every_telemetry_frame_survives_the_wire(frame in telemetry(), layout in layout()) {
        let mut read = frame;
        if layout == Layout::V1 {
            read.reason = in_v1(frame.reason, StopReason::None);
            (read.battery_level, read.speed_limit) = (None, None);
            (read.state, read.switches) = (state_in_v1(frame.state), None);
            (read.speed_mm_s, read.computer, read.position) = (None, None, None);
        }
        prop_assert_eq!(TelemetryFrame::decode(&frame.encode(layout)), Ok(read));
    }

    #[test]
    fn every_set_point_survives_the_wire(frame in setpoint(), layout in layout()) {
        let mut read = frame;
        if layout == Layout::V1 {
            read.not_input = in_v1(frame.not_input, StopReason::Silent);
            read.picture_at = None;
            (read.jog, read.lights, read.horn) = (false, false, false);
        }
        prop_assert_eq!(SetPoint::decode(&frame.encode(layout)), Ok(read));
    }

    #[test]
    fn every_drive_status_survives_the_wire(frame in status(), layout in layout()) {
        let mut read = frame;
        if layout == Layout::V1 {
            read.reason = in_v1(frame.reason, StopReason::None);
            (read.battery_level, read.speed_limit) = (None, None);
            (read.state, read.switches) = (state_in_v1(frame.state), None);
            read.speed_mm_s = None;
        }
        prop_assert_eq!(DriveStatus::decode(&frame.encode(layout)), Ok(read));
    }

    #[test]
    fn bytes_are_refused_or_written_back_with_the_same_meaning(bytes in near_frames()) {
        let layout = Layout::of(&bytes).unwrap_or_default();
        let unchanged = layout == Layout::V1;
        if let Ok(frame) = ControlFrame::decode(&bytes) {
            prop_assert!(!unchanged || frame.encode(layout)[..] == bytes);
            prop_assert_eq!(ControlFrame::decode(&frame.encode(layout)), Ok(frame));
        }
        if let Ok(frame) = TelemetryFrame::decode(&bytes) {
            prop_assert!(!unchanged || frame.encode(layout)[..] == bytes);
            prop_assert_eq!(TelemetryFrame::decode(&frame.encode(layout)), Ok(frame));
        }
        if let Ok(frame) = SetPoint::decode(&bytes) {
            prop_assert!(!unchanged || frame.encode(layout)[..] == bytes);
            prop_assert_eq!(SetPoint::decode(&frame.encode(layout)), Ok(frame));
        }
        if let Ok(frame) = DriveStatus::decode(&bytes) {
            prop_assert!(!unchanged || frame.encode(layout)[..] == bytes);
            prop_assert_eq!(DriveStatus::decode(&frame.encode(layout)), Ok(frame));
        }
    }

    #[test]
    fn what_a_later_release_adds_changes_nothing(
        frame in telemetry(),
        status in status(),
        kind in 224u8..,
        bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut greased = frame.encode(Layout::V2);
        greased.push_group(kind, &bytes);
        prop_assert_eq!(greased.len(), frame.encode(Layout::V2).len() + 2 + bytes.len());
        prop_assert_eq!(TelemetryFrame::decode(&greased), Ok(frame));
        let mut greased = status.encode(Layout::V2);
        greased.push_group(kind, &bytes);
        prop_assert_eq!(DriveStatus::decode(&greased), Ok(status));
    }

    #[test]
    fn one_flipped_bit_never_gives_a_frame_that_reads_back_differently(
        frame in telemetry(),
        bit in 0..TELEMETRY_SIZE * 8,
    ) {
        let mut bytes = frame.encode(Layout::V1).to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = TelemetryFrame::decode(&bytes) {
            prop_assert_ne!(other, frame);
            prop_assert_eq!(&other.encode(Layout::V1)[..], bytes);
        }
    }

    #[test]
    fn arbitrary_text_is_refused_without_a_panic(text in any::<String>()) {
        read_as_everything(&text)?;
    }

    #[test]
    fn text_with_the_shape_of_a_message_is_refused_or_written_back_with_the_same_meaning(
        text in near_messages(),
    ) {
        read_as_everything(&text)?;
    }

    #[test]
    fn a_newer_frame_is_newer_across_the_wrap(seq: u32, ahead in 1u32..1 << 31) {
        let later = ControlFrame { seq: seq.wrapping_add(ahead), ..ControlFrame::default() };
        let earlier = ControlFrame { seq, ..ControlFrame::default() };
        prop_assert!(later.is_newer_than(earlier.seq));
        prop_assert!(!earlier.is_newer_than(later.seq));
        prop_assert!(!later.is_newer_than(later.seq));
    }

    #[test]
    fn ratios_stay_within_full_scale_whatever_they_are_made_of(
        ratio in prop_oneof![any::<f32>(), -1.5f32..1.5],
    ) {
        let steering = Steering::saturating_from_f32(ratio);
        let throttle = Throttle::saturating_from_f32(ratio);
        prop_assert!(steering.permyriad().unsigned_abs() <= FULL_SCALE.unsigned_abs());
        prop_assert_eq!(steering.permyriad(), throttle.permyriad());
        if ratio.is_nan() {
            prop_assert_eq!(steering, Steering::NEUTRAL);
        } else {
            // Half a step of 1/10000, and the precision of an f32 near 1.
            let error = (steering.ratio() - ratio.clamp(-1.0, 1.0)).abs();
            prop_assert!(error <= 0.000_051, "{}", steering.ratio());
        }
    }

    #[test]
    fn neutral_is_judged_for_every_band(value in -FULL_SCALE..=FULL_SCALE, band: i16) {
        let within = i32::from(value).abs() <= i32::from(band).abs();
        prop_assert_eq!(Throttle::from_permyriad(value).unwrap().is_neutral(band), within);
    }

    #[test]
    fn angles_wrap_into_half_a_turn_and_keep_their_direction(angle in -1e4f64..1e4) {
        let wrapped = CentiDegrees::from_radians(angle).radians();
        prop_assert!(wrapped.abs() <= std::f64::consts::PI);
        // Rounded to 1/100 degree.
        prop_assert!((wrapped.sin() - angle.sin()).abs() < 1e-4, "{wrapped}");
        prop_assert!((wrapped.cos() - angle.cos()).abs() < 1e-4, "{wrapped}");
    }

    #[test]
    fn any_angle_gives_a_legal_heading(angle: f64) {
        prop_assert!(CentiDegrees::new(CentiDegrees::from_radians(angle).value()).is_ok());
    }

    #[test]
    fn times_never_overflow(at: u64, micros: u64) {
        let duration = std::time::Duration::from_micros(micros);
        let time = MonotonicMicros(at);
        prop_assert_eq!(time.plus(duration).0, at.saturating_add(micros));
        prop_assert_eq!(time.minus(duration).0, at.saturating_sub(micros));
        prop_assert_eq!(
            time.plus(duration).since(time).as_micros(),
            u128::from(at.saturating_add(micros) - at)
        );
    }

    #[test]
    fn rtp_time_advances_by_90_ticks_each_millisecond_and_wraps(
        at in 0u64..1 << 50,
        millis in 0u64..1 << 20,
    ) {
        let later = MonotonicMicros(at + millis * 1_000);
        let ticks = u32::try_from(millis * 90 % (1 << 32)).unwrap();
        prop_assert_eq!(later.rtp(), MonotonicMicros(at).rtp().wrapping_add(ticks));
    }
}

#[test]
fn an_angle_that_is_no_number_is_zero() {
    for angle in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(CentiDegrees::from_radians(angle), CentiDegrees::default(), "{angle}");
    }
}

fn read_as_everything(text: &str) -> Result<(), TestCaseError> {
    read_as::<FromDriver>(text)?;
    read_as::<ToDriver>(text)?;
    read_as::<FromCar>(text)?;
    read_as::<ToCar>(text)?;
    read_as::<CarEvent>(text)?;
    read_as::<DriverEvent>(text)?;
    read_as::<ToDrive>(text)?;
    read_as::<FromDrive>(text)
}

fn read_as<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    text: &str,
) -> Result<(), TestCaseError> {
    if let Ok(message) = parse::<T>(text) {
        prop_assert_eq!(parse::<T>(&message.to_json()), Ok(message));
    }
    Ok(())
}
