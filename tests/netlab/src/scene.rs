//! A link that makes it hard for the picture, and what came of it.

use crate::emulator::{Loss, Path, Profile, Rate, Trace};
use crate::watched::{Viewed, Watched};
use crate::{Access, Lab, Picture};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The encoder's highest rate in every scene, in kbit/s.
const MOST_KBPS: u32 = 2_500;

/// An uplink of the car's; the way to the driver is otherwise a cable.
#[derive(Debug, Clone)]
pub struct Scene {
    pub name: &'static str,
    pub up: Path,
    pub seconds: u64,
}

/// What came of a scene.
#[derive(Debug, Clone)]
pub struct Played {
    pub name: &'static str,
    pub watched: Watched,
    pub all: Viewed,
    /// What the uplink carried beside what it could have, in kbit/s on average.
    pub carried: f64,
    pub capacity: f64,
    /// Packets that the uplink lost, and packets that the car sent once more.
    pub lost: u64,
    pub resent: u64,
    /// Frames that were not sent because the picture was broken, and those that were left out
    /// because the link had no room.
    pub withheld: u64,
    pub left_out: u64,
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn path(one_way_ms: u64, rate: Rate) -> Path {
    Path { rate, ..Path::of(Duration::from_millis(one_way_ms)) }
}

impl Scene {
    /// From 2500 to 800 kbit/s and back.
    #[must_use]
    pub fn steps() -> Self {
        let steps = vec![(s(0), 2_500), (s(10), 800), (s(30), 2_500)];
        Self { name: "2500, 800, 2500", up: path(25, Rate::Steps(steps)), seconds: 40 }
    }

    /// Variable capacity of one path (RFC 8867 section 5.1).
    #[must_use]
    pub fn variable() -> Self {
        let steps = vec![(s(0), 1_000), (s(40), 2_500), (s(60), 600), (s(80), 1_000)];
        Self { name: "RFC 8867, 5.1", up: path(50, Rate::Steps(steps)), seconds: 100 }
    }

    /// Packets lost at random, in permille, at a round trip of 60 ms.
    #[must_use]
    pub fn loss(name: &'static str, permille: u32) -> Self {
        let loss = Loss::Random(f64::from(permille) / 1_000.0);
        Self { name, up: Path { loss, ..path(29, Rate::Steady(2_500)) }, seconds: 40 }
    }

    /// Packets lost four at a time.
    #[must_use]
    pub fn bursts() -> Self {
        let loss = Loss::Bursts { begin: 0.005, end: 0.25 };
        let up = Path { loss, ..path(29, Rate::Steady(2_500)) };
        Self { name: "bursts of loss", up, seconds: 40 }
    }

    /// Nothing waits: what is too much is dropped.
    #[must_use]
    pub fn policer() -> Self {
        let up = Path { queue: Duration::from_millis(15), ..path(25, Rate::Steady(1_500)) };
        Self { name: "policer, 1500", up, seconds: 40 }
    }

    /// A drive past cells that is invented (see [`Trace::invented`]).
    #[must_use]
    pub fn drive(name: &'static str, seed: u64, low: u32, high: u32) -> Self {
        let trace = Trace::invented(seed, s(60), low, high);
        Self { name, up: path(25, Rate::Trace(Arc::new(trace))), seconds: 60 }
    }

    /// Nothing passes for some time.
    #[must_use]
    pub fn outage(name: &'static str, length: Duration) -> Self {
        let steps = vec![(s(0), 2_500), (s(10), 0), (s(10) + length, 2_500)];
        Self { name, up: path(25, Rate::Steps(steps)), seconds: 25 }
    }

    /// Kilobits that the uplink can carry in the scene.
    fn capacity(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "seconds of a test")]
        let seconds = self.seconds as f64;
        match &self.up.rate {
            Rate::Unlimited => f64::INFINITY,
            Rate::Steady(kbps) => f64::from(*kbps) * seconds,
            Rate::Steps(steps) => {
                let ends = steps.iter().map(|(at, _)| *at).skip(1).chain([s(self.seconds)]);
                steps
                    .iter()
                    .zip(ends)
                    .map(|((at, kbps), end)| {
                        f64::from(*kbps) * end.saturating_sub(*at).as_secs_f64()
                    })
                    .sum()
            }
            Rate::Trace(trace) => trace.mean() * 8.0 / 1e3 * seconds,
        }
    }

    /// Plays it with the real programs and Chromium.
    ///
    /// # Panics
    /// There is no picture.
    pub async fn play(&self, lab: &mut Lab) -> Played {
        lab.picture(Picture { fps: 30, kbps: MOST_KBPS, restless: true, ..Picture::default() });
        lab.car_log("info,rccar_car::video=debug");
        let wide = Path { rate: Rate::Steady(MOST_KBPS), loss: Loss::None, ..self.up.clone() };
        let down = Path::of(self.up.delay);
        let profile = |up| Profile { up, down: down.clone() };
        let car = (Access::Cgnat, profile(wide));
        lab.start_world(car, (Access::PortRestricted, Profile::cable())).await;
        let lab = &*lab;
        let up = || lab.uplink("wwan0").link().counters()[0].clone();
        let before = std::cell::Cell::new((0, 0));
        let watched = lab
            .watch(self.seconds, || {
                lab.uplink("wwan0").link().set(profile(self.up.clone()));
                let counters = up();
                before.set((counters.delivered_bytes, counters.lost + counters.tail_dropped));
            })
            .await;
        let after = up();
        let (bytes, lost) = before.get();
        #[allow(clippy::cast_precision_loss, reason = "figures for the reader")]
        let (carried, seconds) =
            ((after.delivered_bytes - bytes) as f64 * 8.0 / 1e3, self.seconds as f64);
        let log = std::fs::read_to_string(lab.folder().join("rccar-car.log")).unwrap_or_default();
        Played {
            name: self.name,
            all: watched.seen(0..self.seconds),
            watched,
            carried: carried / seconds,
            capacity: self.capacity() / seconds,
            lost: after.lost + after.tail_dropped - lost,
            resent: last_number(&log, "resent"),
            withheld: last_number(&log, "withheld"),
            left_out: last_number(&log.replace("left_out: ", "left_out="), "left_out"),
        }
    }
}

/// The newest value with this name in the car's log.
fn last_number(log: &str, name: &str) -> u64 {
    let name = format!(" {name}=");
    let value = log.rsplit_once(&name).and_then(|(_, rest)| rest.split_whitespace().next());
    value.and_then(|value| value.trim_end_matches(',').parse().ok()).unwrap_or_default()
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_millis();
        let Viewed { age_p50, age_p95, age_max, frame_p95, freezes, frozen, fps } = self.all;
        write!(
            f,
            "| {} | {:.0} ({:.2}) | {}/{}/{} | {} | {}, {:.1} s | {:.1} | {}/{} | {}/{} |",
            self.name,
            self.carried,
            self.carried / self.capacity,
            ms(age_p50),
            ms(age_p95),
            ms(age_max),
            ms(frame_p95),
            freezes,
            frozen.as_secs_f64(),
            fps,
            self.resent,
            self.lost,
            self.withheld,
            self.left_out,
        )
    }
}
