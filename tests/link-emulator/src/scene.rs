//! Uplinks that make it hard for the picture.

use crate::{Loss, Path, Rate, Trace};
use std::sync::Arc;
use std::time::Duration;

/// An uplink of the car's, and for how long it is watched.
#[derive(Debug, Clone)]
pub struct Scene {
    pub name: &'static str,
    pub up: Path,
    pub seconds: u64,
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

    /// One of four invented drives past cells (see [`Trace::invented`]): 1 and 2 are mild, 3 and 4
    /// hard.
    #[must_use]
    pub fn drive(number: usize) -> Self {
        let (name, seed, low) = match number {
            1 => ("drive 1, mild", 1, 500),
            2 => ("drive 2, mild", 2, 500),
            3 => ("drive 3, hard", 3, 150),
            _ => ("drive 4, hard", 4, 150),
        };
        let trace = Trace::invented(seed, s(60), low, 3_300);
        Self { name, up: path(25, Rate::Trace(Arc::new(trace))), seconds: 60 }
    }

    /// Nothing passes for some time.
    #[must_use]
    pub fn outage(name: &'static str, length: Duration) -> Self {
        let steps = vec![(s(0), 2_500), (s(10), 0), (s(10) + length, 2_500)];
        Self { name, up: path(25, Rate::Steps(steps)), seconds: 25 }
    }

    /// Kilobits that the uplink can carry in this time.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.up.rate.carries(Duration::ZERO, s(self.seconds)) / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_carries_what_its_rate_says() {
        let kbits = |link: Scene| link.capacity().round();
        assert!((kbits(Scene::steps()) - (10.0 * 2_500.0 + 20.0 * 800.0 + 25_000.0)).abs() < 1.0);
        assert!((kbits(Scene::policer()) - 60_000.0).abs() < 1.0);
        for link in [1, 2, 3, 4].map(Scene::drive) {
            let mean = link.capacity() / 60.0;
            assert!((500.0..3_000.0).contains(&mean), "{}: {mean}", link.name);
        }
    }
}
