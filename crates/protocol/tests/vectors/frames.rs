//! Binary frames: `control.json`, `telemetry.json`, `setpoint.json`, `status.json`.

use super::load;
use rccar_protocol::FrameError;
use rccar_protocol::control::{ControlFrame, InputSource};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{DriveState, StopReason};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::telemetry::{Echo, TelemetryFrame};
use rccar_protocol::units::{CentiDegrees, MonotonicMicros, Odometry, Steering, Throttle};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

#[test]
fn control_frames_read_and_write_as_the_vectors_say() {
    check::<Control, _>("control.json", ControlFrame::decode, |frame| frame.encode().to_vec());
}

#[test]
fn telemetry_frames_read_and_write_as_the_vectors_say() {
    check::<Telemetry, _>("telemetry.json", TelemetryFrame::decode, |frame| frame.encode().to_vec());
}

#[test]
fn set_points_read_and_write_as_the_vectors_say() {
    check::<Set, _>("setpoint.json", SetPoint::decode, |frame| frame.encode().to_vec());
}

#[test]
fn drive_status_reads_and_writes_as_the_vectors_say() {
    check::<Status, _>("status.json", DriveStatus::decode, |frame| frame.encode().to_vec());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector<T> {
    name: String,
    hex: String,
    frame: Option<T>,
    error: Option<Refusal>,
}

#[derive(Deserialize, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
struct Refusal {
    kind: String,
    field: Option<String>,
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        let (kind, field) = match error {
            FrameError::Size { .. } => ("size", None),
            FrameError::Version { .. } => ("version", None),
            FrameError::Reserved { field } => ("reserved", Some(field)),
            FrameError::Range { field, .. } => ("range", Some(field)),
        };
        Self { kind: kind.into(), field: field.map(Into::into) }
    }
}

/// `T` is the JSON form of the frame `F`.
fn check<T: DeserializeOwned + Into<F>, F: PartialEq + Debug>(
    file: &str,
    decode: fn(&[u8]) -> Result<F, FrameError>,
    encode: fn(&F) -> Vec<u8>,
) {
    for Vector { name, hex, frame, error } in load::<Vector<T>>(file) {
        let bytes = hex::decode(&hex).unwrap_or_else(|error| panic!("{file}, {name}: {error}"));
        match (frame, error) {
            (Some(frame), None) => {
                let frame: F = frame.into();
                assert_eq!(hex::encode(encode(&frame)), hex, "{file}, {name}: written");
                assert_eq!(decode(&bytes).as_ref(), Ok(&frame), "{file}, {name}: read");
            }
            (None, Some(refusal)) => {
                let error = decode(&bytes).expect_err(&format!("{file}, {name}: accepted"));
                assert_eq!(Refusal::from(error), refusal, "{file}, {name}: {error}");
            }
            _ => panic!("{file}, {name}: needs either a frame or an error"),
        }
    }
}

/// A 64-bit number: JavaScript would round it, so it is a string in the vectors.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Big(u64);

impl TryFrom<String> for Big {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Control {
    visible: bool,
    focused: bool,
    arm: bool,
    brake: bool,
    source: InputSource,
    seq: u32,
    sent_us: u32,
    sample_age_ms: u16,
    steering: Steering,
    throttle: Throttle,
}

impl From<Control> for ControlFrame {
    fn from(c: Control) -> Self {
        let Control { visible, focused, arm, brake, source, seq, sent_us, sample_age_ms, steering, throttle } = c;
        Self { visible, focused, arm, brake, source, seq, sent_us, sample_age_ms, steering, throttle }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EchoFields {
    seq: u32,
    sent_us: u32,
    held_us: u32,
}

impl From<EchoFields> for Echo {
    fn from(EchoFields { seq, sent_us, held_us }: EchoFields) -> Self {
        Self { seq, sent_us, held_us }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pose {
    speed_mm_s: i16,
    x_mm: i32,
    y_mm: i32,
    heading: i16,
}

impl From<Pose> for Odometry {
    fn from(Pose { speed_mm_s, x_mm, y_mm, heading }: Pose) -> Self {
        Self { speed_mm_s, x_mm, y_mm, heading: CentiDegrees::new(heading).expect("vectors of legal frames are legal") }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Telemetry {
    state: DriveState,
    reason: StopReason,
    seq: u32,
    car_time: Big,
    echo: Option<EchoFields>,
    steering: Steering,
    throttle: Throttle,
    braking: bool,
    battery_mv: Option<u16>,
    odometry: Option<Pose>,
    dropped: u16,
}

impl From<Telemetry> for TelemetryFrame {
    fn from(t: Telemetry) -> Self {
        Self {
            state: t.state,
            reason: t.reason,
            seq: t.seq,
            car_time: MonotonicMicros(t.car_time.0),
            echo: t.echo.map(Into::into),
            steering: t.steering,
            throttle: t.throttle,
            braking: t.braking,
            battery_mv: t.battery_mv,
            odometry: t.odometry.map(Into::into),
            dropped: t.dropped,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    not_input: StopReason,
    arm: bool,
    brake: bool,
    seq: u32,
    sampled_at: Big,
    session: Big,
    steering: Steering,
    throttle: Throttle,
}

impl From<Set> for SetPoint {
    fn from(s: Set) -> Self {
        let Set { not_input, arm, brake, seq, sampled_at: Big(at), session: Big(session), steering, throttle } = s;
        Self { not_input, arm, brake, seq, sampled_at: MonotonicMicros(at), session, steering, throttle }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    state: DriveState,
    reason: StopReason,
    seq: u32,
    at: Big,
    session: Big,
    steering: Steering,
    throttle: Throttle,
    braking: bool,
    battery_mv: Option<u16>,
    odometry: Option<Pose>,
}

impl From<Status> for DriveStatus {
    fn from(s: Status) -> Self {
        Self {
            state: s.state,
            reason: s.reason,
            seq: s.seq,
            at: MonotonicMicros(s.at.0),
            session: s.session.0,
            steering: s.steering,
            throttle: s.throttle,
            braking: s.braking,
            battery_mv: s.battery_mv,
            odometry: s.odometry.map(Into::into),
        }
    }
}
