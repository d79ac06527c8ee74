//! A link that makes it hard for the picture, and what came of it.

use crate::watched::{Viewed, Watched};
use crate::{Access, Lab, Picture};
use rccar_link_emulator::{Loss, Path, Profile, Rate, Scene};
use std::fmt;
use std::time::Duration;

/// The encoder's highest rate in every scene, in kbit/s.
const MOST_KBPS: u32 = 2_500;

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

impl Lab {
    /// Plays a scene with the real programs and Chromium. The way to the driver is otherwise a
    /// cable.
    ///
    /// # Panics
    /// There is no picture.
    pub async fn play(&mut self, scene: &Scene) -> Played {
        let lab = self;
        lab.picture(Picture { fps: 30, kbps: MOST_KBPS, restless: true, ..Picture::default() });
        lab.car_log("info,rccar_car::video=debug");
        let wide = Path { rate: Rate::Steady(MOST_KBPS), loss: Loss::None, ..scene.up.clone() };
        let down = Path::of(scene.up.delay);
        let profile = |up| Profile { up, down: down.clone() };
        let car = (Access::Cgnat, profile(wide));
        lab.start_world(car, (Access::PortRestricted, Profile::cable())).await;
        let lab = &*lab;
        let up = || lab.uplink("wwan0").link().counters()[0].clone();
        let before = std::cell::Cell::new((0, 0));
        let watched = lab
            .watch(scene.seconds, || {
                lab.uplink("wwan0").link().set(profile(scene.up.clone()));
                let counters = up();
                before.set((counters.delivered_bytes, counters.lost + counters.tail_dropped));
            })
            .await;
        let after = up();
        let (bytes, lost) = before.get();
        #[allow(clippy::cast_precision_loss, reason = "figures for the reader")]
        let (carried, seconds) =
            ((after.delivered_bytes - bytes) as f64 * 8.0 / 1e3, scene.seconds as f64);
        let log = std::fs::read_to_string(lab.folder().join("rccar-car.log")).unwrap_or_default();
        Played {
            name: scene.name,
            all: watched.seen(0..scene.seconds),
            watched,
            carried: carried / seconds,
            capacity: scene.capacity() / seconds,
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
