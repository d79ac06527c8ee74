//! When to look for another path, and when to give a session up. Pure: time is an argument.
//!
//! ```text
//!   Connecting ──connected──► Connected ──silent──► Lost ──connected──► Connected
//!       │                                            │ after 1 s, then every 4 s: restart (while the host is reachable)
//!       └─ 20 s: give up                             └─ 30 s: give up
//! ```

use rccar_link::PeerState;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// The first connection: gathering, TURN, checks and DTLS take under 2 s on a bad link; ten times that is no hope.
const CONNECT_WITHIN: Duration = Duration::from_secs(20);
/// Short silences end by themselves; a restart would drop the path that is about to come back.
const PATIENCE: Duration = Duration::from_secs(1);
/// A restart that has not connected by now is tried again: twice the time of the slowest one measured.
const RETRY: Duration = Duration::from_secs(4);
/// A tunnel at walking pace. The driver's page asks for a new session earlier if it can.
const GIVE_UP: Duration = Duration::from_secs(30);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing.
    Wait,
    /// Send an ICE restart.
    Restart,
    /// End the session.
    GiveUp,
}

/// A driver who has been silent for so long is not about to come back by themselves: somebody else may have the car.
const UNREACHABLE: Duration = Duration::from_secs(3);

/// The machine of one session.
#[derive(Debug)]
pub(crate) struct Recovery {
    state: State,
    restarted: Option<MonotonicMicros>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Connecting { since: MonotonicMicros },
    Connected,
    Lost { since: MonotonicMicros, hopeless: bool },
}

impl Recovery {
    pub(crate) fn new(now: MonotonicMicros) -> Self {
        Self { state: State::Connecting { since: now }, restarted: None }
    }

    /// Takes a new state of the connection.
    pub(crate) fn handle_state(&mut self, now: MonotonicMicros, state: PeerState) {
        self.state = match (state, self.state) {
            (PeerState::Connected, _) => State::Connected,
            // Connecting again is a restart: until it has connected, nothing flows.
            (PeerState::Disconnected | PeerState::Connecting, State::Connected) => State::Lost { since: now, hopeless: false },
            (PeerState::Failed | PeerState::Closed, State::Connected) => State::Lost { since: now, hopeless: true },
            (PeerState::Failed | PeerState::Closed, State::Lost { since, .. }) => State::Lost { since, hopeless: true },
            (_, present) => present,
        };
        if state == PeerState::Connected {
            self.restarted = None;
        }
    }

    /// Whether there is a path.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.state, State::Connected)
    }

    /// Whether the driver was reachable and has not been for a while.
    pub(crate) fn is_unreachable(&self, now: MonotonicMicros) -> bool {
        matches!(self.state, State::Lost { since, .. } if now.since(since) >= UNREACHABLE)
    }

    /// Takes the driver's wish for a restart; another one under way is left its time.
    pub(crate) fn handle_request(&mut self, now: MonotonicMicros) -> Decision {
        if self.restarted.is_some_and(|at| now.since(at) < PATIENCE) {
            return Decision::Wait;
        }
        self.restarted = Some(now);
        Decision::Restart
    }

    /// Decides; ask several times a second. `reachable`: messages can get to the driver.
    pub(crate) fn handle_timeout(&mut self, now: MonotonicMicros, reachable: bool) -> Decision {
        match self.state {
            State::Connecting { since } if now.since(since) >= CONNECT_WITHIN => Decision::GiveUp,
            State::Lost { since, .. } if now.since(since) >= GIVE_UP => Decision::GiveUp,
            State::Lost { since, hopeless } if reachable => {
                let patient = !hopeless && now.since(since) < PATIENCE;
                let under_way = self.restarted.is_some_and(|at| now.since(at) < RETRY);
                if patient || under_way {
                    return Decision::Wait;
                }
                self.restarted = Some(now);
                Decision::Restart
            }
            _ => Decision::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> MonotonicMicros {
        MonotonicMicros(ms * 1000)
    }

    fn connected() -> Recovery {
        let mut recovery = Recovery::new(at(0));
        recovery.handle_state(at(0), PeerState::Connected);
        recovery
    }

    #[test]
    fn a_session_that_never_connects_is_given_up() {
        let mut recovery = Recovery::new(at(0));
        assert_eq!(recovery.handle_timeout(at(19_999), true), Decision::Wait);
        assert_eq!(recovery.handle_timeout(at(20_000), true), Decision::GiveUp);
    }

    #[test]
    fn a_short_silence_is_waited_out() {
        let mut recovery = connected();
        recovery.handle_state(at(1_000), PeerState::Disconnected);
        assert_eq!(recovery.handle_timeout(at(1_999), true), Decision::Wait);
        recovery.handle_state(at(1_999), PeerState::Connected);
        assert_eq!(recovery.handle_timeout(at(5_000), true), Decision::Wait);
    }

    #[test]
    fn a_long_silence_is_answered_by_restarts_until_it_ends() {
        let mut recovery = connected();
        recovery.handle_state(at(0), PeerState::Disconnected);
        let restarts = (0..30_000).step_by(100).filter(|&ms| recovery.handle_timeout(at(ms), true) == Decision::Restart);
        assert_eq!(restarts.collect::<Vec<_>>(), [1_000, 5_000, 9_000, 13_000, 17_000, 21_000, 25_000, 29_000]);
        assert_eq!(recovery.handle_timeout(at(30_000), true), Decision::GiveUp);
    }

    #[test]
    fn a_failed_path_is_not_waited_for() {
        let mut recovery = connected();
        recovery.handle_state(at(0), PeerState::Failed);
        assert_eq!(recovery.handle_timeout(at(0), true), Decision::Restart);
    }

    #[test]
    fn no_restart_is_spent_while_the_driver_cannot_hear_of_it() {
        let mut recovery = connected();
        recovery.handle_state(at(0), PeerState::Disconnected);
        assert_eq!(recovery.handle_timeout(at(9_000), false), Decision::Wait);
        assert_eq!(recovery.handle_timeout(at(9_100), true), Decision::Restart);
    }

    #[test]
    fn a_restart_by_request_that_does_not_connect_is_tried_again() {
        let mut recovery = connected();
        assert_eq!(recovery.handle_request(at(0)), Decision::Restart);
        recovery.handle_state(at(10), PeerState::Connecting);
        assert_eq!(recovery.handle_timeout(at(3_999), true), Decision::Wait);
        assert!(recovery.is_unreachable(at(3_010)) && !recovery.is_unreachable(at(3_009)));
        assert_eq!(recovery.handle_timeout(at(4_000), true), Decision::Restart);
        assert_eq!(recovery.handle_timeout(at(30_010), true), Decision::GiveUp);
    }

    #[test]
    fn two_wishes_in_a_row_make_one_restart() {
        let mut recovery = connected();
        assert_eq!(recovery.handle_request(at(0)), Decision::Restart);
        assert_eq!(recovery.handle_request(at(999)), Decision::Wait);
        assert_eq!(recovery.handle_request(at(1_000)), Decision::Restart);
    }
}
