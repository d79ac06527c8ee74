//! Days of random faults that can be repeated: random numbers, an agenda of what happens, and a
//! record of the rungs that were climbed.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests; not each needs all of it"
)]

use rccar_modem_core::Rung;
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;
use std::time::Duration;

pub const START: MonotonicMicros = MonotonicMicros(0);
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// Time from the start until `at`; `None` is never.
pub fn due(at: Option<MonotonicMicros>) -> Duration {
    at.map_or(Duration::MAX, |at| at.since(START))
}

/// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators".
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    pub fn seconds(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most * 1000))
    }

    pub fn dice(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).unwrap()
    }
}

/// The time, and what the world will do when.
pub struct Agenda<T> {
    seed: u64,
    now: Duration,
    due: Vec<(Duration, T)>,
    /// Turns in which no time passed.
    spins: u32,
}

impl<T> Agenda<T> {
    pub fn new(seed: u64) -> Self {
        Self { seed, now: Duration::ZERO, due: Vec::new(), spins: 0 }
    }

    pub fn now(&self) -> Duration {
        self.now
    }

    pub fn add(&mut self, after: Duration, what: T) {
        self.due.push((self.now + after, what));
    }

    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.due.retain(|(_, what)| keep(what));
    }

    /// Lets time pass until `machine_at` or until the world acts, but not beyond `end`. Returns
    /// what the world does then.
    pub fn advance(
        &mut self,
        machine_at: Duration,
        end: Duration,
        machine: &impl Debug,
    ) -> Option<T> {
        let world_at = self.due.iter().map(|(at, _)| *at).min().unwrap_or(Duration::MAX);
        let next = machine_at.min(world_at).max(self.now);
        self.spins = if next == self.now { self.spins + 1 } else { 0 };
        assert!(self.spins < 1000, "seed {}: time stands still: {machine:?}", self.seed);
        self.now = next.min(end);
        let index = self.due.iter().position(|(at, _)| *at <= self.now)?;
        Some(self.due.remove(index).1)
    }
}

/// The rungs that were climbed, and when.
pub struct Climbed {
    seed: u64,
    times: BTreeMap<Rung, Vec<Duration>>,
}

impl Climbed {
    pub fn new(seed: u64) -> Self {
        Self { seed, times: BTreeMap::new() }
    }

    /// Panics if the same rung was climbed less than `apart` before.
    pub fn note(&mut self, now: Duration, rung: Rung, apart: Duration) {
        let times = self.times.entry(rung).or_default();
        if let Some(last) = times.last() {
            assert!(now - *last >= apart, "seed {}: {rung:?} after {:?}", self.seed, now - *last);
        }
        times.push(now);
    }

    pub fn of(&self, rung: Rung) -> &[Duration] {
        self.times.get(&rung).map_or(&[], Vec::as_slice)
    }

    pub fn counts(&self) -> BTreeMap<Rung, usize> {
        self.times.iter().map(|(rung, times)| (*rung, times.len())).collect()
    }
}

/// Lives through a day for each seed and prints how often each rung was climbed in all.
pub fn live_through_all(day: fn(u64) -> BTreeMap<Rung, usize>) {
    let mut total: BTreeMap<Rung, usize> = BTreeMap::new();
    for seed in seeds() {
        for (rung, count) in day(seed) {
            *total.entry(rung).or_default() += count;
        }
    }
    println!("climbed: {total:?}");
}

/// A hundred other days at each run, or the one of `RCCAR_SEED`. A test that fails names its seed.
fn seeds() -> Range<u64> {
    let seeds = match std::env::var("RCCAR_SEED") {
        Ok(seed) => {
            let seed = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
            now * 1000..now * 1000 + 100
        }
    };
    println!("seeds {seeds:?}; RCCAR_SEED=… repeats one");
    seeds
}
