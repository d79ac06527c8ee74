//! The drives that the controller is judged by.

use super::encoder::Picture;
use super::link::{Buffer, Capacity, Loss, Policer, Way};
use super::trace::lte;
use super::world::{Detour, Scene};
use super::{MILLI, Micros};
use rccar_congestion::Limits;
use rccar_link_emulator as emulator;
use std::time::Duration;

pub const LIMITS: Limits =
    Limits { least_bps: 150_000, start_bps: 500_000, most_bps: 4_000_000, fps: 30 };

/// Seeds that each scene is played with.
pub const SEEDS: [u64; 3] = [1, 2, 3];

const QUEUE: Buffer = Buffer::Seconds(0.3);
/// What an LTE modem was seen to hold: 71 kB.
const MODEM: Buffer = Buffer::Bytes(71_250.0);

fn way(capacity: Capacity, one_way: Micros) -> Way {
    Way {
        capacity,
        buffer: QUEUE,
        slot: MILLI / 4,
        there: one_way,
        back: one_way,
        loss: Loss::Nothing,
        policer: None,
        jitter: 0.0,
        emulated: None,
    }
}

fn scene(name: &'static str, seconds: f64, way: Way) -> Scene {
    Scene {
        name,
        seconds,
        way,
        limits: LIMITS,
        picture: Picture::Calm,
        cars: vec![0.0],
        upload: None,
        reports_lost: 0.0,
        drift_ppm: 0,
        detour: None,
    }
}

fn flat(rate: f64) -> Capacity {
    Capacity::Steps(vec![(0.0, rate)])
}

pub const UP_AGAIN: f64 = 26.0;

/// 2500 → 800 → 2500 kbit/s.
pub fn steps() -> Scene {
    let capacity = Capacity::Steps(vec![(0.0, 2.5e6), (12.0, 0.8e6), (UP_AGAIN, 2.5e6)]);
    scene("2500-800-2500 kbit/s", 40.0, way(capacity, 25 * MILLI))
}

/// RFC 8867, 5.1: variable available capacity with a single flow.
pub fn variable() -> Scene {
    let steps = vec![(0.0, 1e6), (40.0, 2.5e6), (60.0, 0.6e6), (80.0, 1e6)];
    scene("RFC 8867 5.1", 100.0, way(Capacity::Steps(steps), 50 * MILLI))
}

pub fn random_loss(part: f64) -> Scene {
    let name = if part < 0.02 { "1 % lost, 60 ms" } else { "5 % lost, 60 ms" };
    let mut scene = scene(name, 40.0, way(flat(2e6), 30 * MILLI));
    scene.way.loss = Loss::Random(part);
    scene
}

pub fn bursts() -> Scene {
    let mut scene = scene("80 ms lost every 4 s", 40.0, way(flat(2e6), 30 * MILLI));
    scene.way.loss = Loss::Bursts { every: 4.0, length: 0.08 };
    scene
}

/// 10 Mbit/s, but somebody drops what exceeds 1 Mbit/s.
pub fn policer() -> Scene {
    let mut scene = scene("policer, 1 Mbit/s", 40.0, way(flat(10e6), 25 * MILLI));
    scene.way.policer = Some(Policer { rate: 1e6, burst: 20e3 });
    scene
}

/// Seeds of the traces: two mild ones and two with cliffs.
pub const TRACES: [(&str, u64, bool); 4] = [
    ("LTE-like 1, mild", 1, false),
    ("LTE-like 2, mild", 2, false),
    ("LTE-like 3, hard", 6, true),
    ("LTE-like 4, hard", 15, true),
];
pub const TRACE_SECONDS: usize = 120;
pub const TRACE_MEAN: f64 = 1.9e6;

pub fn lte_like((name, seed, hard): (&'static str, u64, bool)) -> Scene {
    let trace = lte(seed, TRACE_SECONDS, TRACE_MEAN, hard);
    let mut scene = scene(name, TRACE_SECONDS as f64, way(Capacity::Trace(trace), 25 * MILLI));
    scene.way.buffer = MODEM;
    // Grants come each 5 ms or so; the radio repeats what it loses, nearly always.
    scene.way.slot = 5 * MILLI;
    scene.way.loss = Loss::Random(0.002);
    scene
}

pub fn lost_reports() -> Scene {
    Scene { name: "steps, 10 % of reports lost", reports_lost: 0.1, ..steps() }
}

pub fn jitter() -> Scene {
    let mut scene = Scene { name: "steps, jitter 8 ms", ..steps() };
    scene.way.jitter = 8e3;
    scene
}

/// All at once.
pub fn shaken() -> Scene {
    let mut scene = Scene { name: "steps, jitter, losses", reports_lost: 0.05, ..jitter() };
    scene.way.loss = Loss::Random(0.01);
    scene
}

/// The browser's clock is faster or slower than the car's.
pub fn drift(ppm: i64) -> Scene {
    let name = if ppm > 0 { "clock 100 ppm faster" } else { "clock 100 ppm slower" };
    Scene { name, drift_ppm: ppm, ..scene(name, 60.0, way(flat(1.5e6), 25 * MILLI)) }
}

pub const DETOUR_AT: f64 = 15.0;

/// Another uplink, 200 ms longer; the car knows.
pub fn new_path() -> Scene {
    let detour = Some(Detour { at: DETOUR_AT, there: 225 * MILLI, told: true });
    Scene { detour, ..scene("new path, 200 ms longer", 40.0, way(flat(1.5e6), 25 * MILLI)) }
}

/// The network takes a way that is 60 ms longer, and nobody says so.
pub fn detour() -> Scene {
    let detour = Some(Detour { at: DETOUR_AT, there: 85 * MILLI, told: false });
    Scene { detour, ..scene("60 ms longer, unsaid", 40.0, way(flat(1.5e6), 25 * MILLI)) }
}

pub fn far_away() -> Scene {
    let mut way = way(flat(1.5e6), 300 * MILLI);
    way.back = 25 * MILLI;
    scene("300 ms one way", 40.0, way)
}

/// The second car comes 10 s after the first.
pub fn two_cars() -> Scene {
    let cars = vec![0.0, 10.0];
    Scene { cars, ..scene("two cars, 3 Mbit/s", 70.0, way(flat(3e6), 25 * MILLI)) }
}

pub const UPLOAD: (f64, f64) = (15.0, 45.0);

pub fn beside_upload() -> Scene {
    let upload = Some(UPLOAD);
    Scene { upload, ..scene("beside an upload, 2 Mbit/s", 60.0, way(flat(2e6), 25 * MILLI)) }
}

/// A scene of the network lab: its link, its limits and its picture that is never at rest.
pub fn lab(emulated: emulator::Scene) -> Scene {
    let emulator::Scene { name, up, seconds } = emulated;
    let slots = (0..seconds * 10).map(|slot| Duration::from_millis(slot * 100));
    let rates = slots.map(|from| up.rate.carries(from, from + Duration::from_millis(100)) * 10.0);
    let delay = up.delay.as_micros() as Micros;
    let mut scene = scene(name, seconds as f64, way(Capacity::Trace(rates.collect()), delay));
    scene.way.emulated = Some(up);
    scene.limits.most_bps = 2_500_000;
    scene.picture = Picture::Restless;
    scene
}

pub fn of_lab() -> Vec<Scene> {
    let second = Duration::from_secs(1);
    let mut all = vec![
        emulator::Scene::steps(),
        emulator::Scene::variable(),
        emulator::Scene::loss("lab: 1 % lost, 60 ms", 10),
        emulator::Scene::loss("lab: 5 % lost, 60 ms", 50),
        emulator::Scene::bursts(),
        emulator::Scene::policer(),
    ];
    all.extend([1, 2, 3, 4].map(emulator::Scene::drive));
    all.push(emulator::Scene::outage("400 ms of nothing", second * 2 / 5));
    all.push(emulator::Scene::outage("4 s of nothing", second * 4));
    all.into_iter().map(lab).collect()
}

pub fn all() -> Vec<Scene> {
    let mut all = vec![
        steps(),
        variable(),
        random_loss(0.01),
        random_loss(0.05),
        bursts(),
        policer(),
        lost_reports(),
        jitter(),
        shaken(),
        drift(100),
        drift(-100),
        new_path(),
        detour(),
        far_away(),
        two_cars(),
        beside_upload(),
    ];
    all.extend(TRACES.map(lte_like));
    all.extend(of_lab());
    all
}
