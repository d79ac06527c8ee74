//! Times of the ladder. Sources are named where a number is not this project's own.

use crate::rung::Rung;
use std::time::Duration;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Waits between tries to connect: the first is immediate, the last repeats.
const BACKOFF: [Duration; 9] = [s(0), s(1), s(2), s(5), s(10), s(30), s(60), s(120), s(300)];

/// Time between data probes while somebody drives. Three failed ones are a silent loss, found
/// within 5 s.
pub const PROBE_IN_SESSION: Duration = s(1);
/// The same while the car stands around; each costs data.
pub const PROBE_PARKED: Duration = s(10);
/// How long a data probe may take, at least as long as the worst round trip of a link that can
/// still be driven over.
pub const PROBE_LIMIT: Duration = Duration::from_millis(900);
/// Failed data probes in a row that are a loss.
pub const PROBES: u32 = 3;
/// Time between control probes.
pub const CONTROL: Duration = s(60);
/// How long a control probe may take: ModemManager gives up after 10 s.
pub const CONTROL_LIMIT: Duration = s(13);
/// Failed control probes in a row that are a hung modem.
pub const CONTROLS: u32 = 2;
/// How long a missing registration is waited out while connected: cell changes take seconds.
pub const REGISTRATION_GRACE: Duration = s(15);
/// How long data has to flow before the ladder begins at its foot again.
pub const STEADY: Duration = s(60);
/// How long the modem may be missing before that is a fault: probing takes some 10 s after a
/// restart.
pub const MODEM_GRACE: Duration = s(30);
/// How often the same is done for what ModemManager never had: GPS receivers, Arduinos and servo
/// controllers have the driver of a modem, too, and no restart makes modems of them.
pub const STRANGER: Duration = s(3600);
/// How long ModemManager may be missing before it is restarted: systemd does it by itself within
/// seconds.
pub const DAEMON_GRACE: Duration = s(8);
/// Waits for a person: the first, and the longest. Networks count attach requests with a bad
/// contract (GSMA TS.34).
pub const FAULT_FIRST: Duration = s(300);
/// See [`FAULT_FIRST`].
pub const FAULT_LONGEST: Duration = s(900);
/// Failed tries after a cure before the next one.
pub const TRIES: u32 = 2;
/// How long the modem looks for a network before its radio is cycled.
pub const SEARCHING: Duration = s(90);
/// How often the radio may be cycled without coverage.
pub const RADIO_WITHOUT_COVERAGE: Duration = s(300);
/// How long a stick may take to give a lease: its DHCP client asks at once, after some 4 s and
/// after some 12 s (RFC 2131, 4.1).
pub const LEASE_LIMIT: Duration = s(20);
/// How often a stick's interface is switched off and on: as often as a modem's radio.
pub const CYCLE_LINK: Duration = s(60);
/// How long a stick carries no data before it is taken off the USB. It does not say whether there
/// is coverage, and it is back and registered only after a minute: twice the time after which a
/// modem's radio is cycled.
pub const STICK_SILENT: Duration = s(180);
pub const REBOOTS_A_DAY: usize = 3;
pub const DAY: Duration = s(24 * 3600);

/// The wait before try number `tries` (0 is the first), within ±20 % by `dice`.
#[must_use]
pub fn backoff(tries: u32, dice: u32) -> Duration {
    let index = usize::try_from(tries).unwrap_or(usize::MAX).min(BACKOFF.len() - 1);
    spread(BACKOFF[index], dice)
}

/// ±20 %.
#[must_use]
pub fn spread(time: Duration, dice: u32) -> Duration {
    time * (800 + dice % 401) / 1000
}

/// How long an action may take.
#[must_use]
pub fn limit(rung: Rung) -> Duration {
    match rung {
        // Registration up to 60 s and the network's answer up to 180 s, by ModemManager.
        Rung::Reconnect => s(250),
        Rung::CycleBearer => s(280),
        Rung::CycleRadio => s(90),
        Rung::Reset => s(120),
        Rung::RestartDaemon | Rung::Reboot => s(60),
        Rung::CycleUsb => s(120),
    }
}

/// How long the same action has to wait after it was begun.
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
