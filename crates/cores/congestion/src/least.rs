//! The least of a delay: what it is while nothing waits.

/// Clocks drift apart by up to 100 µs in a second, and paths change: a minimum counts for 10 to
/// 15 s.
const BUCKET: i64 = 5_000_000;

/// The least delay of the last seconds, in microseconds. Its two ends may be of clocks that do not
/// agree.
#[derive(Debug, Default)]
pub(crate) struct Least {
    buckets: [Option<i64>; 3],
    since: Option<i64>,
}

impl Least {
    pub(crate) fn handle_time(&mut self, now: i64) {
        let since = *self.since.get_or_insert(now);
        if now - since > BUCKET {
            let [first, second, _] = self.buckets;
            self.buckets = [None, first, second];
            self.since = Some(now);
        }
    }

    pub(crate) fn handle(&mut self, delay: i64) {
        let [newest, ..] = &mut self.buckets;
        *newest = Some(newest.map_or(delay, |least| least.min(delay)));
    }

    /// What was seen before counts no more.
    pub(crate) fn replace(&mut self, delay: i64) {
        self.buckets = [Some(delay), None, None];
    }

    pub(crate) fn get(&self) -> Option<i64> {
        self.buckets.iter().flatten().copied().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_is_forgotten_after_ten_to_fifteen_seconds() {
        let mut base = Least::default();
        base.handle_time(0);
        base.handle(-7);
        let mut forgotten = None;
        for second in 1..30 {
            base.handle_time(second * 1_000_000);
            base.handle(100);
            if base.get() == Some(100) {
                forgotten.get_or_insert(second);
            }
        }
        assert!(matches!(forgotten, Some(10..=18)), "{forgotten:?}");
    }
}
