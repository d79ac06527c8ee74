//! Whether a queue is somebody else's, or no queue at all but a longer path.
//!
//! A queue of the car's own falls or grows while the car sends less or more than the bottleneck
//! carries. One that stays where it is does not depend on the car. To send still less would not
//! shorten it.

/// A queue is watched in two parts of this length (µs), one after the other.
const PART: i64 = 500_000;
/// It falls by less than this part of it from one to the other, or than these (µs): it stays. A
/// queue of the car's own falls by 40 ms and more, as the car sends 0.92 of the capacity or less.
const FALL: i64 = 8;
const LEAST_FALL: i64 = 8_000;
const MOST_FALL: i64 = 30_000;
/// One that grows by more than this (µs) is behind a link that has become narrow.
const GROWS: i64 = 40_000;
/// A second one so soon after the first (µs): somebody sends without an end.
const AGAIN: i64 = 6_000_000;
/// Nothing has stood in the queue for so long (µs): they have gone.
const GONE: i64 = 3_000_000;
/// The delay is as it was before they came, within this (µs).
const AS_BEFORE: i64 = 12_000;

#[derive(Debug, Default)]
pub(crate) struct Company {
    watch: Option<Watch>,
    found_at: Option<i64>,
    shared: bool,
    stood_at: i64,
    /// Delay of the path before.
    before: Option<i64>,
}

/// Least queues in the two parts.
#[derive(Debug)]
struct Watch {
    since: i64,
    first: i64,
    second: i64,
}

impl Company {
    /// A report: the delay of the empty path, and how long the queue was at least, if one stands.
    /// `true`: it is not the car's, and is to be taken for a part of the path.
    pub(crate) fn handle_queue(&mut self, now: i64, base: i64, standing: Option<i64>) -> bool {
        let delay = base.saturating_add(standing.unwrap_or(0));
        if self.before.is_some_and(|before| delay < before.saturating_add(AS_BEFORE)) {
            *self = Self::default();
        }
        let Some(standing) = standing else {
            self.watch = None;
            self.shared &= now.saturating_sub(self.stood_at) < GONE;
            return false;
        };
        self.stood_at = now;
        let watch =
            self.watch.get_or_insert(Watch { since: now, first: standing, second: i64::MAX });
        let time = now.saturating_sub(watch.since);
        if time < PART {
            watch.first = watch.first.min(standing);
            return false;
        }
        watch.second = watch.second.min(standing);
        if time < 2 * PART {
            return false;
        }
        let (fallen, most) = (watch.first - watch.second, watch.first / FALL);
        self.watch = None;
        // Once somebody is known to be there, a queue that grows is theirs, too.
        let is_foreign = match self.shared {
            true => fallen < most,
            false => (-GROWS..=most.clamp(LEAST_FALL, MOST_FALL)).contains(&fallen),
        };
        if is_foreign {
            self.before = Some(self.before.map_or(base, |before| before.min(base)));
            let last = self.found_at.replace(now);
            self.shared |= last.is_some_and(|last| now.saturating_sub(last) < AGAIN);
        }
        is_foreign
    }

    /// Somebody else keeps the queue full.
    pub(crate) fn is_there(&self) -> bool {
        self.shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: i64 = -9_000_000;
    const REPORT: i64 = 50_000;

    /// Reports from `from` on with these queues: when one was found not to be the car's.
    fn play(company: &mut Company, from: i64, queues: impl Iterator<Item = i64>) -> Vec<i64> {
        let reports = (0..).map(|n| from + n * REPORT).zip(queues);
        reports
            .filter(|(now, queue)| {
                company.handle_queue(*now, BASE, (*queue > 12_000).then_some(*queue))
            })
            .map(|(now, _)| now)
            .collect()
    }

    #[test]
    fn a_queue_that_drains_or_grows_is_the_cars() {
        for step in [-5_000, 5_000] {
            let queues = (0..40).map(|n| 250_000 + n * step);
            assert_eq!(play(&mut Company::default(), 0, queues), [0; 0]);
        }
    }

    #[test]
    fn a_queue_that_stays_for_a_second_is_the_path() {
        let mut company = Company::default();
        let queues = (0..21).map(|n| 60_000 + n % 3 * 2_000);
        assert_eq!(play(&mut company, 0, queues), [1_000_000]);
        assert!(!company.is_there());
    }

    #[test]
    fn one_that_comes_back_is_somebody_until_the_delay_is_as_before() {
        let mut company = Company::default();
        play(&mut company, 0, (0..21).map(|_| 60_000));
        play(&mut company, 2_000_000, (0..21).map(|_| 80_000));
        assert!(company.is_there());
        // Between two bursts of theirs nothing stands.
        company.handle_queue(3_500_000, BASE + 140_000, None);
        assert!(company.is_there());
        company.handle_queue(3_550_000, BASE, None);
        assert!(!company.is_there());
    }

    #[test]
    fn somebody_has_gone_when_nothing_stands_for_three_seconds() {
        let mut company = Company::default();
        play(&mut company, 0, (0..21).map(|_| 60_000));
        play(&mut company, 2_000_000, (0..21).map(|_| 80_000));
        company.handle_queue(3_000_000 + GONE, BASE + 140_000, None);
        assert!(!company.is_there());
    }
}
