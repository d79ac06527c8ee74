//! Randomness that can be repeated.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::print_stdout, reason = "tests; not each needs all of it")]

use std::ops::Range;
use std::time::Duration;

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators".
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

/// Another hundred days every time, and the seed is told by whatever fails; or the one of `RCCAR_SEED`.
pub fn seeds() -> Range<u64> {
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
