//! A limit on messages per second.

use std::time::Instant;

/// A token bucket: `per_second` messages on average, `burst` at once.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl RateLimit {
    pub(crate) fn new(per_second: f64, burst: f64, now: Instant) -> Self {
        Self { per_second, burst, tokens: burst, filled: now }
    }

    /// Whether one more message is within the limit; if so, it is counted.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.filled = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_a_flood_is_cut_to_the_rate() {
        let start = Instant::now();
        let mut limit = RateLimit::new(10.0, 5.0, start);
        let passed =
            (0..1_000).filter(|&ms| limit.allows(start + Duration::from_millis(ms))).count();
        assert!((14..=15).contains(&passed), "{passed}");
    }
}
