//! Binary frames: `control.json`, `telemetry.json`, `setpoint.json`, `status.json`.

use super::load;
use rccar_protocol::control::{ControlFrame, InputSource, Shown};
use rccar_protocol::drive_hello::DriveHello;
use rccar_protocol::sensors::{Computer, HeatLevel, Position, Share, SupplyLevel};
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::state::{BatteryLevel, DriveState, LimitCause, SpeedLimit, StopReason};
use rccar_protocol::status::DriveStatus;
use rccar_protocol::telemetry::{Echo, TelemetryFrame};
use rccar_protocol::units::{
    CentiDegrees, MonotonicMicros, Odometry, Steering, Switch, Switches, Throttle,
};
use rccar_protocol::word::Word;
use rccar_protocol::{FrameBytes, FrameError, Layout};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

#[test]
fn control_frames_read_and_write_as_the_vectors_say() {
    check::<Control, _>("control.json", Layout::V1, ControlFrame::decode, ControlFrame::encode);
    check::<Control, _>("control-2.json", Layout::V2, ControlFrame::decode, ControlFrame::encode);
}

#[test]
fn telemetry_frames_read_and_write_as_the_vectors_say() {
    check::<Telemetry, _>(
        "telemetry.json",
        Layout::V1,
        TelemetryFrame::decode,
        TelemetryFrame::encode,
    );
    check::<Telemetry, _>(
        "telemetry-2.json",
        Layout::V2,
        TelemetryFrame::decode,
        TelemetryFrame::encode,
    );
}

#[test]
fn set_points_read_and_write_as_the_vectors_say() {
    check::<Set, _>("setpoint.json", Layout::V1, SetPoint::decode, SetPoint::encode);
    check::<Set, _>("setpoint-2.json", Layout::V2, SetPoint::decode, SetPoint::encode);
}

#[test]
fn drive_status_reads_and_writes_as_the_vectors_say() {
    check::<Status, _>("status.json", Layout::V1, DriveStatus::decode, DriveStatus::encode);
    check::<Status, _>("status-2.json", Layout::V2, DriveStatus::decode, DriveStatus::encode);
}

#[test]
fn hellos_of_car_and_drive_read_and_write_as_the_vectors_say() {
    for Hello { name, hex, canonical, setpoint, status, calibration, error } in
        load::<Hello>("drive-hello.json")
    {
        let bytes = hex::decode(&hex).unwrap();
        assert!(DriveHello::is_one(&bytes), "{name}");
        match (setpoint, status, error) {
            (Some(setpoint), Some(status), None) => {
                let hello = DriveHello { setpoint, status, calibration };
                assert_eq!(DriveHello::decode(&bytes), Ok(hello), "{name}: read");
                assert_eq!(hello.encode()[..] == bytes, canonical, "{name}: written");
            }
            (None, None, Some(refusal)) => {
                assert_eq!(
                    Refusal::from(DriveHello::decode(&bytes).expect_err(&name)),
                    refusal,
                    "{name}"
                );
            }
            _ => panic!("{name}: needs either versions or an error"),
        }
    }
}

/// A driver of release 0.1.0 has words of version 1 only. It reads one of those for each word that
/// only a later release has.
#[test]
fn what_version_1_cannot_say_is_said_in_its_words() {
    let later = Word::new("other-99").unwrap();
    let telemetry = TelemetryFrame {
        state: DriveState::Other(later),
        reason: StopReason::Other(later),
        ..TelemetryFrame::default()
    };
    let read = TelemetryFrame::decode(&telemetry.encode(Layout::V1)).unwrap();
    assert_eq!((read.state, read.reason), (DriveState::Braking, StopReason::None));
    let empty = DriveStatus {
        reason: StopReason::BatteryEmpty,
        battery_level: Some(BatteryLevel::Empty),
        speed_limit: Some(SpeedLimit { share: 0, cause: LimitCause::Battery }),
        ..DriveStatus::default()
    };
    let read = DriveStatus::decode(&empty.encode(Layout::V1)).unwrap();
    assert_eq!((read.reason, read.battery_level), (StopReason::None, None));
    assert_eq!(read.speed_limit, None);
    // An unknown reason why this is not input must not become "none": that would be input.
    let set_point = SetPoint { not_input: StopReason::Other(later), ..SetPoint::default() };
    assert_eq!(
        SetPoint::decode(&set_point.encode(Layout::V1)).unwrap().not_input,
        StopReason::Silent
    );
    // Nor may an unknown word that is spelled like the number of "none".
    let zero = SetPoint {
        not_input: StopReason::Other(Word::new("other-0").unwrap()),
        ..SetPoint::default()
    };
    for layout in Layout::ALL {
        assert_ne!(SetPoint::decode(&zero.encode(layout)).unwrap().not_input, StopReason::None);
    }
    let control = ControlFrame { source: InputSource::Other(later), ..ControlFrame::default() };
    assert_eq!(
        ControlFrame::decode(&control.encode(Layout::V1)).unwrap().source,
        InputSource::Gamepad
    );
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    name: String,
    hex: String,
    #[serde(default = "yes")]
    canonical: bool,
    setpoint: Option<u32>,
    status: Option<u32>,
    #[serde(default)]
    calibration: u32,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector<T> {
    name: String,
    hex: String,
    /// Writing the frame gives `hex` again.
    #[serde(default = "yes")]
    canonical: bool,
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
    layout: Layout,
    decode: fn(&[u8]) -> Result<F, FrameError>,
    encode: fn(&F, Layout) -> FrameBytes,
) {
    for Vector { name, hex, canonical, frame, error } in load::<Vector<T>>(file) {
        let bytes = hex::decode(&hex).unwrap_or_else(|error| panic!("{file}, {name}: {error}"));
        match (frame, error) {
            (Some(frame), None) => {
                let frame: F = frame.into();
                let written = encode(&frame, layout);
                assert_eq!(
                    hex::encode(&*written) == hex,
                    canonical,
                    "{file}, {name}: written as {written:?}"
                );
                assert_eq!(decode(&bytes).as_ref(), Ok(&frame), "{file}, {name}: read");
                assert_eq!(
                    decode(&written).as_ref(),
                    Ok(&frame),
                    "{file}, {name}: written and read"
                );
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
    #[serde(default)]
    jog: bool,
    #[serde(default)]
    lights: bool,
    #[serde(default)]
    horn: bool,
    source: InputSource,
    seq: u32,
    sent_us: u32,
    sample_age_ms: u16,
    steering: Steering,
    throttle: Throttle,
    shown: Option<ShownFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShownFields {
    rtp: u32,
    for_ms: u16,
}

impl From<Control> for ControlFrame {
    fn from(c: Control) -> Self {
        let Control {
            visible,
            focused,
            arm,
            brake,
            jog,
            lights,
            horn,
            source,
            seq,
            sent_us,
            sample_age_ms,
            steering,
            throttle,
            shown,
        } = c;
        let shown = shown.map(|ShownFields { rtp, for_ms }| Shown { rtp, for_ms });
        Self {
            visible,
            focused,
            arm,
            brake,
            jog,
            lights,
            horn,
            source,
            seq,
            sent_us,
            sample_age_ms,
            steering,
            throttle,
            shown,
        }
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
        Self {
            speed_mm_s,
            x_mm,
            y_mm,
            heading: CentiDegrees::new(heading).expect("vectors of legal frames are legal"),
        }
    }
}

/// A switch that the car does not have is `null`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchFields {
    lights: Option<bool>,
    horn: Option<bool>,
}

impl From<SwitchFields> for Switches {
    fn from(SwitchFields { lights, horn }: SwitchFields) -> Self {
        let switch = |on: Option<bool>| match on {
            None => Switch::Absent,
            Some(false) => Switch::Off,
            Some(true) => Switch::On,
        };
        Self { lights: switch(lights), horn: switch(horn) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitFields {
    share: u16,
    cause: LimitCause,
}

impl From<LimitFields> for SpeedLimit {
    fn from(LimitFields { share, cause }: LimitFields) -> Self {
        Self { share, cause }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComputerFields {
    temperature: Option<i16>,
    heat: HeatLevel,
    supply: SupplyLevel,
    wear: Option<u32>,
    load: Option<u32>,
    uptime_s: u32,
}

impl From<ComputerFields> for Computer {
    fn from(fields: ComputerFields) -> Self {
        let ComputerFields { temperature, heat, supply, wear, load, uptime_s } = fields;
        let [wear, load] = [wear, load].map(|share| share.map(Share::saturating));
        Self { temperature, heat, supply, wear, load, uptime_s }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionFields {
    latitude: i32,
    longitude: i32,
    age_s: u16,
}

impl From<PositionFields> for Position {
    fn from(fields: PositionFields) -> Self {
        Self::new(fields.latitude, fields.longitude, fields.age_s)
            .expect("vectors of legal frames are legal")
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
    #[serde(default)]
    battery_level: Option<BatteryLevel>,
    #[serde(default)]
    speed_limit: Option<LimitFields>,
    #[serde(default)]
    switches: Option<SwitchFields>,
    odometry: Option<Pose>,
    #[serde(default)]
    speed_mm_s: Option<i16>,
    #[serde(default)]
    computer: Option<ComputerFields>,
    #[serde(default)]
    position: Option<PositionFields>,
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
            battery_level: t.battery_level,
            switches: t.switches.map(Into::into),
            speed_limit: t.speed_limit.map(Into::into),
            odometry: t.odometry.map(Into::into),
            speed_mm_s: t.speed_mm_s,
            computer: t.computer.map(Into::into),
            position: t.position.map(Into::into),
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
    #[serde(default)]
    jog: bool,
    #[serde(default)]
    lights: bool,
    #[serde(default)]
    horn: bool,
    seq: u32,
    sampled_at: Big,
    session: Big,
    steering: Steering,
    throttle: Throttle,
    #[serde(default)]
    picture_at: Option<Big>,
}

impl From<Set> for SetPoint {
    fn from(s: Set) -> Self {
        let Set {
            not_input,
            arm,
            brake,
            jog,
            lights,
            horn,
            seq,
            sampled_at: Big(at),
            session: Big(session),
            steering,
            throttle,
            picture_at,
        } = s;
        let picture_at = picture_at.map(|Big(at)| MonotonicMicros(at));
        Self {
            picture_at,
            not_input,
            arm,
            brake,
            jog,
            lights,
            horn,
            seq,
            sampled_at: MonotonicMicros(at),
            session,
            steering,
            throttle,
        }
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
    #[serde(default)]
    battery_level: Option<BatteryLevel>,
    #[serde(default)]
    speed_limit: Option<LimitFields>,
    #[serde(default)]
    switches: Option<SwitchFields>,
    odometry: Option<Pose>,
    #[serde(default)]
    speed_mm_s: Option<i16>,
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
            battery_level: s.battery_level,
            switches: s.switches.map(Into::into),
            speed_limit: s.speed_limit.map(Into::into),
            odometry: s.odometry.map(Into::into),
            speed_mm_s: s.speed_mm_s,
        }
    }
}
