//! What the owner can set.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Install what the host offers without being asked.
    pub automatic: bool,
    /// Take a release that is older than the running version, too.
    pub allow_downgrade: bool,
    /// Time between two checks, varied by ±20 %.
    pub check_interval: Duration,
    /// How long nobody must have driven before the car reboots by itself.
    pub park: Duration,
    /// Below this voltage (millivolts) the car neither installs nor reboots. Zero: not checked.
    pub min_battery_mv: u32,
    /// Bytes that may be fetched over metered links in a month.
    pub metered_cap: u64,
    /// Time since the start of the kernel in which a new version has to prove itself.
    pub health_limit: Duration,
    /// How often one version is tried.
    pub tries: u32,
    /// The wait after the first failure of a version. Each further failure makes it four times as
    /// long, up to `retry_longest`.
    pub retry_first: Duration,
    pub retry_longest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            automatic: true,
            allow_downgrade: false,
            check_interval: Duration::from_secs(3600),
            park: Duration::from_secs(5 * 60),
            min_battery_mv: 7000,
            metered_cap: 300_000_000,
            health_limit: Duration::from_secs(5 * 60),
            tries: 3,
            retry_first: Duration::from_secs(10 * 60),
            retry_longest: Duration::from_secs(24 * 3600),
        }
    }
}
