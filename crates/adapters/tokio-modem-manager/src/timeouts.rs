//! How long calls wait for their answers.

use std::time::Duration;

/// How long each kind of call may take before it ends with
/// [`Error::Timeout`](crate::Error::Timeout).
///
/// D-Bus itself never gives up, and a modem whose firmware hangs never answers. The defaults are
/// longer than ModemManager's own limits. So a modem's failure is reported as ModemManager's error,
/// and only a daemon that does not answer ends in a time-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Calls that ModemManager answers from memory, or after one exchange with the modem.
    pub call: Duration,
    /// Enable, disable, power state and disconnect: several exchanges with the modem.
    pub control: Duration,
    /// [`Modem::connect`](crate::Modem::connect): it unlocks and enables the modem, waits up to
    /// 60 s for registration and up to 180 s for the network's answer.
    pub connect: Duration,
    /// [`Modem::scan`](crate::Modem::scan) and [`Modem::register`](crate::Modem::register).
    pub scan: Duration,
    /// [`Modem::probe`](crate::Modem::probe): ModemManager gives up on a silent modem after 10 s.
    pub probe: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(25),
            control: Duration::from_secs(60),
            connect: Duration::from_secs(250),
            scan: Duration::from_secs(300),
            probe: Duration::from_secs(12),
        }
    }
}
