//! Values to try: every legal frame, and bytes and text that come close to being legal.

use proptest::prelude::*;
use rccar_protocol::Layout;
use rccar_protocol::control::{CONTROL_SIZE, ControlFrame, InputSource, Shown};
use rccar_protocol::sensors::{Computer, HeatLevel, Position, Share, SupplyLevel};
use rccar_protocol::setpoint::{SETPOINT_SIZE, SetPoint};
use rccar_protocol::state::{BatteryLevel, DriveState, LimitCause, SpeedLimit, StopReason};
use rccar_protocol::status::{DriveStatus, STATUS_HEAD, STATUS_SIZE};
use rccar_protocol::telemetry::{Echo, TELEMETRY_HEAD, TELEMETRY_SIZE, TelemetryFrame};
use rccar_protocol::units::{
    CentiDegrees, FULL_SCALE, MonotonicMicros, Odometry, Steering, Switch, Switches, Throttle,
};

/// Bytes that pass the checks of size and version in a good part of the cases.
pub(crate) fn near_frames() -> impl Strategy<Value = Vec<u8>> {
    fn sized(version: u8, size: usize) -> impl Strategy<Value = Vec<u8>> {
        // Small bytes make legal enumerations, flags and numbers likely.
        prop::collection::vec(prop_oneof![4 => Just(0u8), 2 => 0u8..12, 1 => any::<u8>()], size - 1)
            .prop_map(move |rest| [&[version], &rest[..]].concat())
    }
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        sized(1, CONTROL_SIZE),
        sized(1, TELEMETRY_SIZE),
        sized(1, SETPOINT_SIZE),
        sized(1, STATUS_SIZE),
        grouped(CONTROL_SIZE),
        grouped(TELEMETRY_HEAD),
        grouped(SETPOINT_SIZE),
        grouped(STATUS_HEAD),
    ]
}

/// Frames of version 2 whose groups are mostly right.
fn grouped(head: usize) -> impl Strategy<Value = Vec<u8>> {
    let group = (0u8..8, prop_oneof![Just(2usize), Just(6), Just(12), 0usize..20]);
    let groups = prop::collection::btree_map(
        group.clone().prop_map(|(kind, _)| kind),
        group.prop_map(|(_, size)| size),
        0..4,
    );
    let head = prop::collection::vec(prop_oneof![6 => Just(0u8), 1 => any::<u8>()], head - 1);
    (head, groups, any::<u8>()).prop_map(|(head, groups, fill)| {
        let groups = groups.into_iter().flat_map(|(kind, size)| {
            let mut group = vec![kind, u8::try_from(size).unwrap()];
            group.resize(2 + size, fill);
            group
        });
        [2].into_iter().chain(head).chain(groups).collect()
    })
}

pub(crate) fn layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(&Layout::ALL[..])
}

/// Messages of the vectors with up to three places changed, so that a good part stays legal.
pub(crate) fn near_messages() -> impl Strategy<Value = String> {
    let messages: Vec<String> =
        ["signaling.json", "events.json", "drive.json"].into_iter().flat_map(texts).collect();
    let piece = prop_oneof![
        Just(String::new()),
        prop::sample::select(
            &["0", "1", "-1", "1e9", "null", "true", "{}", "[]", "\"", ",", "\\u0000", "\"x\":1,"]
                [..]
        )
        .prop_map(String::from),
        any::<char>().prop_map(String::from),
    ];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0usize..4, piece), 0..=3);
    (prop::sample::select(messages), edits).prop_map(|(text, edits)| {
        edits.into_iter().fold(text, |text, (at, length, piece)| {
            let mut letters: Vec<char> = text.chars().collect();
            let from = at.index(letters.len() + 1);
            letters.splice(from..letters.len().min(from + length), piece.chars());
            letters.into_iter().collect()
        })
    })
}

/// Accepted messages of a file of vectors.
fn texts(file: &str) -> Vec<String> {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors").join(file);
    let vectors: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    vectors
        .iter()
        .filter(|vector| vector.get("error").is_none())
        .filter_map(|vector| Some(vector["json"].as_str()?.into()))
        .collect()
}

prop_compose! {
    fn steering()(value in -FULL_SCALE..=FULL_SCALE) -> Steering {
        Steering::from_permyriad(value).unwrap()
    }
}
prop_compose! {
    fn throttle()(value in -FULL_SCALE..=FULL_SCALE) -> Throttle {
        Throttle::from_permyriad(value).unwrap()
    }
}
prop_compose! {
    fn odometry()(
        speed_mm_s: i16, x_mm: i32, y_mm: i32, heading in -18_000i16..=18_000,
    ) -> Odometry {
        Odometry { speed_mm_s, x_mm, y_mm, heading: CentiDegrees::new(heading).unwrap() }
    }
}
prop_compose! {
    pub(crate) fn control()(
        flags: [bool; 7], source in prop::sample::select(InputSource::ALL),
        seq: u32, sent_us: u32, sample_age_ms: u16,
        steering in steering(), throttle in throttle(), shown: Option<(u32, u16)>,
    ) -> ControlFrame {
        let [visible, focused, arm, brake, jog, lights, horn] = flags;
        let shown = shown.map(|(rtp, for_ms)| Shown { rtp, for_ms });
        ControlFrame {
            visible, focused, arm, brake, jog, lights, horn, source, seq, sent_us, sample_age_ms,
            steering, throttle, shown,
        }
    }
}
fn battery_level() -> impl Strategy<Value = Option<BatteryLevel>> {
    prop::option::of(prop::sample::select(BatteryLevel::ALL))
}
fn switches() -> impl Strategy<Value = Switches> {
    let switch = || prop::sample::select(&[Switch::Absent, Switch::Off, Switch::On][..]);
    (switch(), switch()).prop_map(|(lights, horn)| Switches { lights, horn })
}
prop_compose! {
    fn speed_limit()(
        share in 0u16..10_000, cause in prop::sample::select(LimitCause::ALL),
    ) -> SpeedLimit {
        SpeedLimit { share, cause }
    }
}
prop_compose! {
    fn computer()(
        temperature in prop::option::of(-32_767i16..=i16::MAX),
        heat in prop::sample::select(HeatLevel::ALL),
        supply in prop::sample::select(SupplyLevel::ALL),
        wear in prop::option::of(0u32..=100), load in prop::option::of(0u32..=100), uptime_s: u32,
    ) -> Computer {
        let [wear, load] = [wear, load].map(|share| share.map(Share::saturating));
        Computer { temperature, heat, supply, wear, load, uptime_s }
    }
}
prop_compose! {
    fn position()(
        latitude in -900_000_000i32..=900_000_000, longitude in -1_800_000_000i32..=1_800_000_000,
        age_s: u16,
    ) -> Position {
        Position::new(latitude, longitude, age_s).unwrap()
    }
}
fn sensors() -> impl Strategy<Value = (Option<i16>, Option<Computer>, Option<Position>)> {
    (any::<Option<i16>>(), prop::option::of(computer()), prop::option::of(position()))
}
prop_compose! {
    fn echo()(seq: u32, sent_us: u32, held_us: u32) -> Echo { Echo { seq, sent_us, held_us } }
}
/// Together, because a composition takes twelve parts.
fn pose_and_limit() -> impl Strategy<Value = (Option<Odometry>, Option<SpeedLimit>)> {
    (prop::option::of(odometry()), prop::option::of(speed_limit()))
}
prop_compose! {
    pub(crate) fn telemetry()(
        state in prop::sample::select(DriveState::ALL),
        reason in prop::sample::select(StopReason::ALL), seq: u32, car_time: u64,
        echo in prop::option::of(echo()), steering in steering(), throttle in throttle(),
        braking: bool, battery_mv: Option<u16>, battery_level in battery_level(),
        switches in prop::option::of(switches()), (odometry, speed_limit) in pose_and_limit(),
        sensors in sensors(), dropped: u16,
    ) -> TelemetryFrame {
        let (speed_mm_s, computer, position) = sensors;
        let car_time = MonotonicMicros(car_time);
        TelemetryFrame {
            state, reason, seq, car_time, echo, steering, throttle, braking, battery_mv,
            battery_level, switches, odometry, speed_mm_s, computer, position, dropped, speed_limit,
        }
    }
}
prop_compose! {
    pub(crate) fn setpoint()(
        not_input in prop::sample::select(StopReason::ALL), flags: [bool; 5], seq: u32,
        sampled_at: u64, session: u64, steering in steering(), throttle in throttle(),
        picture_at: Option<u64>,
    ) -> SetPoint {
        let sampled_at = MonotonicMicros(sampled_at);
        let picture_at = picture_at.map(MonotonicMicros);
        let [arm, brake, jog, lights, horn] = flags;
        SetPoint {
            not_input, arm, brake, jog, lights, horn, seq, sampled_at, session, steering, throttle,
            picture_at,
        }
    }
}
prop_compose! {
    pub(crate) fn status()(
        state in prop::sample::select(DriveState::ALL),
        reason in prop::sample::select(StopReason::ALL), seq: u32, at: u64, session: u64,
        steering in steering(), throttle in throttle(), braking: bool, battery_mv: Option<u16>,
        (battery_level, speed_mm_s) in (battery_level(), any::<Option<i16>>()),
        switches in prop::option::of(switches()), (odometry, speed_limit) in pose_and_limit(),
    ) -> DriveStatus {
        let at = MonotonicMicros(at);
        DriveStatus {
            state, reason, seq, at, session, steering, throttle, braking, battery_mv,
            battery_level, switches, odometry, speed_mm_s, speed_limit,
        }
    }
}
