//! How long to wait for answers.

use std::time::Duration;

/// How long each kind of call may take before it ends with
/// [`Error::Timeout`](crate::Error::Timeout).
///
/// D-Bus itself never gives up, and a modem whose firmware hangs never answers. The defaults lie
/// above ModemManager's own limits, so that a modem's failure arrives as ModemManager's error, and
/// only a mute daemon as a time-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Calls that ModemManager answers out of its memory, or after one exchange with the modem.
    pub call: Duration,
    /// Enabling, disabling, power state and disconnecting: several exchanges with the modem.
    pub control: Duration,
    /// [`Modem::connect`](crate::Modem::connect): unlocking, enabling, up to 60 s of waiting for
    /// registration, up to 180 s for the network's answer.
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
