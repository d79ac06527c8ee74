//! Times of the ladder. A number without a source is this project's own.

use crate::rung::Rung;
use std::time::Duration;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Waits between tries to connect: the first is immediate, the last repeats.
const BACKOFF: [Duration; 9] = [s(0), s(1), s(2), s(5), s(10), s(30), s(60), s(120), s(300)];

/// Time between data probes while somebody drives. Three failed ones are a silent loss, which is
/// found within 5 s.
pub const PROBE_IN_SESSION: Duration = s(1);
/// Time between data probes while nobody drives. It is longer because each probe costs data.
pub const PROBE_PARKED: Duration = s(10);
/// How long a data probe may take. Not shorter than the worst round trip at which a car can still
/// be driven.
pub const PROBE_LIMIT: Duration = Duration::from_millis(900);
/// After this many failed data probes in a row the link is lost.
pub const PROBES: u32 = 3;
/// Time between control probes.
pub const CONTROL: Duration = s(60);
/// How long a control probe may take. ModemManager itself gives up after 10 s.
pub const CONTROL_LIMIT: Duration = s(13);
/// After this many failed control probes in a row the modem is hung.
pub const CONTROLS: u32 = 2;
/// How long a connected modem may be without registration: cell changes take seconds.
pub const REGISTRATION_GRACE: Duration = s(15);
/// How long data has to flow until the ladder begins at its foot again.
pub const STEADY: Duration = s(60);
/// How long the modem may be missing before a cure: after a restart, ModemManager probes it for
/// some 10 s.
pub const MODEM_GRACE: Duration = s(30);
/// Least time between two equal cures for a device that ModemManager never had. GPS receivers,
/// Arduinos and servo controllers have the driver of a modem, too, and no restart makes modems of
/// them.
pub const STRANGER: Duration = s(3600);
/// How long ModemManager may be missing before it is restarted: systemd does it by itself within
/// seconds.
pub const DAEMON_GRACE: Duration = s(8);
/// First wait for a person. It is long because networks count attach requests with a bad contract
/// (GSMA TS.34).
pub const FAULT_FIRST: Duration = s(300);
/// Longest wait for a person; see [`FAULT_FIRST`].
pub const FAULT_LONGEST: Duration = s(900);
/// Failed tries after a cure that lead to the next cure.
pub const TRIES: u32 = 2;
/// How long the modem looks for a network before its radio is cycled.
pub const SEARCHING: Duration = s(90);
/// Least time between two cycles of the radio without coverage.
pub const RADIO_WITHOUT_COVERAGE: Duration = s(300);
/// How long a stick may take to give a lease: its DHCP client asks at once, after some 4 s and
/// after some 12 s (RFC 2131, 4.1).
pub const LEASE_LIMIT: Duration = s(20);
/// Least time between two cycles of a stick's interface, as for a modem's radio.
pub const CYCLE_LINK: Duration = s(60);
/// How long a stick must be without data before it is taken off the USB: twice [`SEARCHING`],
/// because a stick does not say whether there is coverage, and takes a minute to come back and
/// register.
pub const STICK_SILENT: Duration = s(180);
pub const REBOOTS_A_DAY: usize = 3;
pub const DAY: Duration = s(24 * 3600);

/// The wait before try number `tries` (0 is the first), varied by ±20 % by `dice`.
#[must_use]
pub fn backoff(tries: u32, dice: u32) -> Duration {
    let index = usize::try_from(tries).unwrap_or(usize::MAX).min(BACKOFF.len() - 1);
    spread(BACKOFF[index], dice)
}

/// Varies a time by ±20 %.
#[must_use]
pub fn spread(time: Duration, dice: u32) -> Duration {
    time * (800 + dice % 401) / 1000
}

/// How long an action may take before it is abandoned.
#[must_use]
pub fn limit(rung: Rung) -> Duration {
    match rung {
        // ModemManager waits up to 60 s for registration and up to 180 s for the network's answer.
        Rung::Reconnect => s(250),
        Rung::CycleBearer => s(280),
        Rung::CycleRadio => s(90),
        Rung::Reset => s(120),
        Rung::RestartDaemon | Rung::Reboot => s(60),
        Rung::CycleUsb => s(120),
    }
}

/// Least time from the begin of an action to the begin of the same action.
#[must_use]
pub fn apart(rung: Rung) -> Duration {
    match rung {
        Rung::Reconnect | Rung::CycleBearer => s(0),
        Rung::CycleRadio => s(60),
        // Makers of industrial routers advise 5 min between resets.
        Rung::Reset => s(300),
        Rung::RestartDaemon => s(120),
        Rung::CycleUsb => s(600),
        Rung::Reboot => s(3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_minutes_and_are_spread_by_a_fifth() {
        assert_eq!(backoff(0, 7), s(0));
        for tries in [8, 9, 1000, u32::MAX] {
            assert_eq!((backoff(tries, 0), backoff(tries, 400)), (s(240), s(360)));
        }
        assert!((1..8).all(|tries| backoff(tries, 400) < backoff(tries + 1, 0)));
    }
}
