//! Counts the bytes over metered links in a month.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Meter {
    /// `None` until the clock can be trusted for the first time.
    pub month: Option<Month>,
    /// Bytes fetched over metered links.
    pub bytes: u64,
}

impl Meter {
    /// A new month begins from zero. Bytes that were fetched while the month was unknown count for
    /// the first known month.
    pub(crate) fn turn(&mut self, month: Option<Month>) {
        let Some(month) = month else { return };
        if self.month.is_some_and(|counted| counted != month) {
            self.bytes = 0;
        }
        self.month = Some(month);
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    pub(crate) fn left(&self, cap: u64) -> u64 {
        cap.saturating_sub(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVEMBER: Option<Month> = Some(Month { year: 2026, month: 11 });
    const DECEMBER: Option<Month> = Some(Month { year: 2026, month: 12 });

    #[test]
    fn a_new_month_begins_from_zero_and_an_unknown_one_does_not() {
        let mut meter = Meter::default();
        meter.add(10);
        meter.turn(NOVEMBER);
        assert_eq!(meter.left(100), 90);
        meter.turn(None);
        assert_eq!(meter.left(100), 90);
        meter.turn(DECEMBER);
        assert_eq!(meter.left(100), 100);
        meter.add(u64::MAX);
        assert_eq!(meter.left(100), 0);
    }
}
