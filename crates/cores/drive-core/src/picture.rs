//! How much throttle the age of the driver's picture leaves.
//!
//! ```text
//!   share
//!    full ├───────╮
//!         │        ╲
//!   crawl ┤         ╰────────────────┐
//!       0 ┤                          └─── the car brakes, and cannot be armed
//!         └───────┬──┬───────────────┬──► age of the picture
//!              full  crawl          stop
//!             150 ms 250 ms        500 ms
//! ```
//!
//! The age is measured by one clock, the car's: from the capture of the frame that the driver saw
//! to this moment. So it holds everything between camera and wheels: encoder, uplink, decoder,
//! screen, the way back of the command, and each wait on the way. It goes on while no newer frame
//! is reported.

use crate::settings::{FULL, SettingsError, within};
use crate::timing::TICK;
use std::time::Duration;

/// Each limit can be set lower than its default, never higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSettings {
    /// Up to this age in ms the whole throttle is there.
    pub full_ms: u16,
    /// From this age in ms on, [`Self::crawl`] is left.
    pub crawl_ms: u16,
    /// From this age in ms on, the car stops.
    pub stop_ms: u16,
    /// Share of the throttle in 1/10000.
    pub crawl: u16,
}

impl Default for PictureSettings {
    /// At 3 m/s a car is half a metre from where a picture of 150 ms shows it; a driver on a good
    /// 4G link sees one of 100 to 150 ms. With a fifth of the throttle, a picture of half a second
    /// is not wrong by more than that either.
    fn default() -> Self {
        Self { full_ms: 150, crawl_ms: 250, stop_ms: 500, crawl: 2_000 }
    }
}

impl PictureSettings {
    pub fn check(&self) -> Result<(), SettingsError> {
        let most = Self::default();
        let order = "the ages must rise from full_ms over crawl_ms to stop_ms";
        within("picture.stop_ms", self.stop_ms, 1, most.stop_ms, "it must be 1 to 500")?;
        within("picture.crawl_ms", self.crawl_ms, 0, most.crawl_ms, "it must be at most 250")?;
        within("picture.crawl_ms", self.crawl_ms, 0, self.stop_ms, order)?;
        within("picture.full_ms", self.full_ms, 0, most.full_ms, "it must be at most 150")?;
        within("picture.full_ms", self.full_ms, 0, self.crawl_ms, order)?;
        within("picture.crawl", self.crawl, 0, most.crawl, "it must be at most 0.2")
    }

    /// The age at which [`Self::share`] changes next, and while it falls the one a [`TICK`] later;
    /// `None` if it stays as it is.
    pub(crate) fn next_change(&self, age: Duration) -> Option<Duration> {
        let [full, crawl, stop] =
            [self.full_ms, self.crawl_ms, self.stop_ms].map(|ms| Duration::from_millis(ms.into()));
        match age {
            age if age < full => Some(full),
            age if age < crawl => Some((age + TICK).min(crawl)),
            age if age < stop => Some(stop),
            _ => None,
        }
    }

    /// Share of the throttle in 1/10000 that a picture of this age leaves; `None` if the car has to
    /// stop. It never rises with the age.
    #[must_use]
    pub fn share(&self, age: Duration) -> Option<u16> {
        let age = age.as_micros();
        let [full, crawl, stop] =
            [self.full_ms, self.crawl_ms, self.stop_ms].map(|ms| u128::from(ms) * 1000);
        if age >= stop {
            return None;
        }
        if age <= full {
            return Some(FULL);
        }
        if age >= crawl {
            return Some(self.crawl);
        }
        let above_crawl = u128::from(FULL - self.crawl.min(FULL));
        let left = above_crawl * (crawl - age) / (crawl - full);
        Some(self.crawl.saturating_add(u16::try_from(left).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn share(millis: u64) -> Option<u16> {
        PictureSettings::default().share(Duration::from_millis(millis))
    }

    #[test]
    fn the_throttle_falls_to_crawl_and_then_to_nothing() {
        assert_eq!([0, 150].map(share), [Some(10_000); 2]);
        assert_eq!([200, 250, 499].map(share), [Some(6_000), Some(2_000), Some(2_000)]);
        assert_eq!([500, 100_000].map(share), [None; 2]);
    }

    #[test]
    fn limits_go_down_only() {
        let defaults = PictureSettings::default();
        assert_eq!(defaults.check(), Ok(()));
        for (wrong, key) in [
            (PictureSettings { full_ms: 151, ..defaults }, "picture.full_ms"),
            (PictureSettings { crawl_ms: 251, ..defaults }, "picture.crawl_ms"),
            (PictureSettings { stop_ms: 501, ..defaults }, "picture.stop_ms"),
            (PictureSettings { stop_ms: 0, ..defaults }, "picture.stop_ms"),
            (PictureSettings { crawl: 2_001, ..defaults }, "picture.crawl"),
            (PictureSettings { stop_ms: 200, ..defaults }, "picture.crawl_ms"),
            (PictureSettings { crawl_ms: 100, ..defaults }, "picture.full_ms"),
        ] {
            assert_eq!(wrong.check().unwrap_err().key, key);
        }
    }

    proptest! {
        #[test]
        fn an_older_picture_never_allows_more(
            full_ms in 0u16..=150, crawl_ms in 0u16..=250, stop_ms in 1u16..=500,
            crawl in 0u16..=2_000, younger in 0u64..600_000, more in 0u64..600_000,
        ) {
            let settings = PictureSettings { full_ms, crawl_ms, stop_ms, crawl };
            prop_assume!(settings.check().is_ok());
            let share = |micros| settings.share(Duration::from_micros(micros));
            let (young, old) = (share(younger), share(younger + more));
            prop_assert!(old <= young, "{young:?} {old:?}");
            prop_assert!(old.is_none_or(|share| share <= FULL));
        }
    }
}
