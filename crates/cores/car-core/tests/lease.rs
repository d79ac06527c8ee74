//! Who drives: examples, and promises that hold for any order of events.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_car_core::lease::{
    CLOSE_WITHIN, END_WITHIN, Effect, Event, Lease, Outcome, SessionInput, Source, Wish,
};
use rccar_protocol::signaling::{ByeReason, FromCar, IceServer};
use rccar_protocol::text::{Name, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeSet;
use std::time::Duration;

const START: MonotonicMicros = MonotonicMicros(0);

fn wish(source: Source, session: u64) -> Wish {
    Wish {
        source,
        session: id(session),
        driver: Name::new("Ada").unwrap(),
        trickle: true,
        take: false,
        ice_servers: Vec::new(),
    }
}

fn id(session: u64) -> SessionId {
    SessionId::from_random(session)
}

fn bye(to: Source, session: u64, reason: ByeReason) -> Effect {
    Effect::Say { to, message: FromCar::Bye { session: id(session), reason } }
}

fn effects(lease: &mut Lease) -> Vec<Effect> {
    std::iter::from_fn(|| lease.poll_effect()).collect()
}

/// A lease whose session 1 runs, with a driver of the host.
fn driven() -> Lease {
    let mut lease = Lease::default();
    lease.handle_connect(START, wish(Source::Host, 1));
    assert_eq!(effects(&mut lease), [Effect::Start(wish(Source::Host, 1))]);
    lease
}

/// The owner's wish.
fn take(source: Source, session: u64) -> Wish {
    Wish { take: true, ..wish(source, session) }
}

#[test]
fn row_4_the_owner_takes_the_car_from_whoever_drives_or_waits() {
    for source in [Source::Host, Source::Lan] {
        let mut lease = driven();
        lease.handle_connect(START, take(source, 2));
        let ended = [Effect::End(ByeReason::TakenBack), bye(Source::Host, 1, ByeReason::TakenBack)];
        assert_eq!(effects(&mut lease), ended);
        // Nobody comes between, and another owner's wish is the newer one.
        lease.handle_connect(START, wish(Source::Lan, 3));
        assert_eq!(effects(&mut lease), [bye(Source::Lan, 3, ByeReason::CarBusy)]);
        lease.handle_connect(START, take(source, 4));
        assert_eq!(effects(&mut lease), [bye(source, 2, ByeReason::TakenBack)]);
        lease.handle_ended(Outcome::EndedByDriver(ByeReason::TakenBack));
        assert_eq!(effects(&mut lease), [Effect::Vacate, Effect::Start(take(source, 4))]);
    }
}

#[test]
fn a_second_driver_is_refused_and_their_messages_go_nowhere() {
    let mut lease = driven();
    lease.handle_connect(START, wish(Source::Lan, 2));
    assert_eq!(effects(&mut lease), [bye(Source::Lan, 2, ByeReason::CarBusy)]);
    lease.handle_message(Source::Lan, id(2), SessionInput::Restart { ice_servers: Vec::new() });
    // The right session from the wrong source gets no further.
    lease.handle_message(Source::Lan, id(1), SessionInput::Restart { ice_servers: Vec::new() });
    assert_eq!(
        effects(&mut lease),
        [bye(Source::Lan, 2, ByeReason::CarLeft), bye(Source::Lan, 1, ByeReason::CarLeft)]
    );
    lease.handle_bye(START, Source::Lan, id(1), ByeReason::DriverLeft);
    assert_eq!(effects(&mut lease), []);
    assert!(
        std::iter::from_fn(|| lease.poll_event())
            .any(|event| matches!(event, Event::Refused { driven_by: Source::Host, .. }))
    );
}

#[test]
fn a_driver_who_is_not_reachable_is_replaced_when_their_session_has_ended() {
    let mut lease = driven();
    lease.handle_reachable(false);
    lease.handle_connect(START, wish(Source::Lan, 2));
    assert_eq!(
        effects(&mut lease),
        [Effect::End(ByeReason::Replaced), bye(Source::Host, 1, ByeReason::Replaced)]
    );
    lease.handle_ended(Outcome::EndedByDriver(ByeReason::Replaced));
    assert_eq!(effects(&mut lease), [Effect::Vacate, Effect::Start(wish(Source::Lan, 2))]);
}

#[test]
fn a_page_that_was_reloaded_waits_for_the_end_of_its_old_session_and_a_third_is_refused() {
    let mut lease = driven();
    lease.handle_bye(START, Source::Host, id(1), ByeReason::DriverLeft);
    lease.handle_connect(START, wish(Source::Host, 2));
    lease.handle_connect(START, wish(Source::Host, 3));
    assert_eq!(
        effects(&mut lease),
        [Effect::End(ByeReason::DriverLeft), bye(Source::Host, 3, ByeReason::CarBusy)]
    );
    lease.handle_ended(Outcome::EndedByDriver(ByeReason::DriverLeft));
    assert_eq!(effects(&mut lease), [Effect::Vacate, Effect::Start(wish(Source::Host, 2))]);
}

#[test]
fn who_waits_is_not_sent_away_by_their_own_message() {
    let mut lease = driven();
    lease.handle_bye(START, Source::Host, id(1), ByeReason::DriverLeft);
    lease.handle_connect(START, wish(Source::Host, 2));
    let server = IceServer {
        urls: vec!["stun:192.0.2.1:3478".to_owned()],
        username: None,
        credential: None,
    };
    lease.handle_message(
        Source::Host,
        id(2),
        SessionInput::Restart { ice_servers: vec![server.clone()] },
    );
    lease.handle_ended(Outcome::EndedByDriver(ByeReason::DriverLeft));
    let renewed = Wish { ice_servers: vec![server], ..wish(Source::Host, 2) };
    assert_eq!(
        effects(&mut lease),
        [Effect::End(ByeReason::DriverLeft), Effect::Vacate, Effect::Start(renewed)]
    );
}

#[test]
fn who_leaves_while_waiting_does_not_get_the_car() {
    let mut lease = driven();
    lease.handle_bye(START, Source::Host, id(1), ByeReason::DriverLeft);
    lease.handle_connect(START, wish(Source::Host, 2));
    lease.handle_bye(START, Source::Host, id(2), ByeReason::DriverLeft);
    lease.handle_ended(Outcome::EndedByDriver(ByeReason::DriverLeft));
    assert_eq!(effects(&mut lease), [Effect::End(ByeReason::DriverLeft), Effect::Vacate]);
}

#[test]
fn a_host_that_has_lost_somebody_does_not_end_the_session() {
    for reason in [ByeReason::DriverGone, ByeReason::CarGone] {
        let mut lease = driven();
        lease.handle_bye(START, Source::Host, id(1), reason);
        assert_eq!(effects(&mut lease), [Effect::Pass(SessionInput::Bye(reason))]);
        assert_eq!(lease.running(), Some((Source::Host, id(1))));
    }
}

#[test]
fn a_session_that_the_car_ends_is_told_why() {
    let mut lease = driven();
    lease.handle_ended(Outcome::EndedByCar(ByeReason::IceFailed));
    assert_eq!(effects(&mut lease), [Effect::Vacate, bye(Source::Host, 1, ByeReason::IceFailed)]);
}

#[test]
fn a_session_that_does_not_end_is_ended_by_force() {
    let mut lease = driven();
    lease.handle_bye(START, Source::Host, id(1), ByeReason::DriverLeft);
    effects(&mut lease);
    let due = lease.poll_timeout().unwrap();
    assert_eq!(due, START.plus(END_WITHIN));
    lease.handle_timeout(MonotonicMicros(due.0 - 1));
    assert_eq!(effects(&mut lease), []);
    lease.handle_timeout(due);
    assert_eq!(effects(&mut lease), [Effect::Abort]);
}

#[test]
fn when_the_program_stops_who_waits_is_told_first_and_then_who_drives() {
    let mut lease = driven();
    lease.handle_bye(START, Source::Host, id(1), ByeReason::DriverLeft);
    lease.handle_connect(START, wish(Source::Lan, 2));
    effects(&mut lease);
    lease.handle_shutdown();
    let told = [
        bye(Source::Lan, 2, ByeReason::Shutdown),
        bye(Source::Host, 1, ByeReason::Shutdown),
        Effect::SendFarewells,
    ];
    assert_eq!(effects(&mut lease), told);
    lease.handle_farewells_sent(START);
    assert_eq!(effects(&mut lease), [Effect::Pass(SessionInput::Shutdown)]);
    lease.handle_ended(Outcome::EndedByCar(ByeReason::Shutdown));
    assert_eq!(effects(&mut lease), [Effect::Vacate, Effect::Finished]);
}

#[test]
fn the_program_stops_also_with_a_session_that_does_not_listen_and_at_once_without_one() {
    let mut lease = driven();
    lease.handle_shutdown();
    lease.handle_farewells_sent(START);
    effects(&mut lease);
    assert_eq!(lease.poll_timeout(), Some(START.plus(CLOSE_WITHIN)));
    lease.handle_timeout(START.plus(CLOSE_WITHIN));
    assert_eq!(effects(&mut lease), [Effect::Vacate, Effect::Finished]);

    let mut lease = Lease::default();
    lease.handle_shutdown();
    lease.handle_farewells_sent(START);
    assert_eq!(effects(&mut lease), [Effect::SendFarewells, Effect::Finished]);
}

/// Something that happens. There are few sessions, so that they clash.
#[derive(Debug, Clone, Copy)]
enum Step {
    Connect(Source, u64),
    Message(Source, u64),
    Bye(Source, u64, ByeReason),
    RestartHere,
    Reachable(bool),
    /// The session's task ends, if there is one.
    Ends(Outcome),
    Wait(u16),
    Shutdown,
    FarewellsSent,
}

fn step() -> impl Strategy<Value = Step> {
    let reason = || {
        prop::sample::select(vec![
            ByeReason::DriverLeft,
            ByeReason::DriverGone,
            ByeReason::CarGone,
            ByeReason::Revoked,
        ])
    };
    let source = || prop_oneof![Just(Source::Host), Just(Source::Lan)];
    prop_oneof![
        6 => (source(), 1u64..5).prop_map(|(source, session)| Step::Connect(source, session)),
        6 => (source(), 1u64..5).prop_map(|(source, session)| Step::Message(source, session)),
        4 => (source(), 1u64..5, reason())
            .prop_map(|(source, session, reason)| Step::Bye(source, session, reason)),
        1 => Just(Step::RestartHere),
        3 => any::<bool>().prop_map(Step::Reachable),
        3 => reason().prop_map(|reason| Step::Ends(Outcome::EndedByDriver(reason))),
        2 => Just(Step::Ends(Outcome::EndedByCar(ByeReason::IceFailed))),
        3 => (0u16..15_000).prop_map(Step::Wait),
        1 => Just(Step::Shutdown),
        1 => Just(Step::FarewellsSent),
    ]
}

/// The surroundings of a lease: the task of the session, and the answers to all drivers.
#[derive(Default)]
struct World {
    lease: Lease,
    now: MonotonicMicros,
    task: Option<(Source, SessionId)>,
    told_to_end: bool,
    aborted: bool,
    /// Wishes that were not yet granted, refused or withdrawn.
    open: BTreeSet<(Source, SessionId)>,
    finished: bool,
}

impl World {
    /// Does a step, and all effects that follow.
    fn step(&mut self, step: Step) {
        let before = self.task;
        match step {
            Step::Connect(source, session) => {
                // A host never uses the id of a session twice at the same time.
                if self.task != Some((source, id(session)))
                    && self.open.insert((source, id(session)))
                {
                    self.lease.handle_connect(self.now, wish(source, session));
                }
            }
            Step::Message(source, session) => {
                self.lease.handle_message(
                    source,
                    id(session),
                    SessionInput::Restart { ice_servers: Vec::new() },
                );
            }
            Step::Bye(source, session, reason) => {
                self.open.remove(&(source, id(session)));
                self.lease.handle_bye(self.now, source, id(session), reason);
            }
            Step::RestartHere => self.lease.handle_restart_here(),
            Step::Reachable(reachable) => self.lease.handle_reachable(reachable),
            Step::Ends(outcome) => self.end(outcome),
            Step::Wait(ms) => self.wait(Duration::from_millis(ms.into())),
            Step::Shutdown => self.lease.handle_shutdown(),
            Step::FarewellsSent => self.lease.handle_farewells_sent(self.now),
        }
        for effect in effects(&mut self.lease) {
            self.carry_out(effect, step, before);
        }
        while self.lease.poll_event().is_some() {}
        assert_eq!(self.lease.running(), self.task, "the lease knows what runs");
    }

    fn end(&mut self, outcome: Outcome) {
        if self.task.is_some() {
            self.lease.handle_ended(outcome);
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now.plus(time);
        if self.lease.poll_timeout().is_some_and(|due| due <= self.now) {
            self.lease.handle_timeout(self.now);
        }
        assert!(self.lease.poll_timeout().is_none_or(|due| due > self.now), "what is due is done");
    }

    fn carry_out(&mut self, effect: Effect, step: Step, before: Option<(Source, SessionId)>) {
        assert!(!self.finished, "{effect:?} after the end");
        match effect {
            Effect::Start(wish) => {
                assert_eq!(self.task, None, "two sessions would run");
                self.task = Some((wish.source, wish.session));
                (self.told_to_end, self.aborted) = (false, false);
                assert!(
                    self.open.remove(&(wish.source, wish.session)),
                    "nobody waits for {wish:?}"
                );
            }
            Effect::Pass(input) => {
                assert!(self.task.is_some());
                match (input, step) {
                    (
                        SessionInput::Restart { .. } | SessionInput::Bye(_),
                        Step::Message(source, session) | Step::Bye(source, session, _),
                    ) => {
                        assert_eq!(
                            before,
                            Some((source, id(session))),
                            "a message of somebody who does not drive"
                        );
                    }
                    (SessionInput::RestartHere, Step::RestartHere)
                    | (SessionInput::Shutdown, Step::FarewellsSent) => {}
                    other => panic!("{other:?}"),
                }
            }
            Effect::End(_) => {
                match step {
                    Step::Bye(source, session, _) => {
                        assert_eq!(before, Some((source, id(session))), "ended by somebody else")
                    }
                    Step::Connect(..) => {}
                    other => panic!("ended by {other:?}"),
                }
                self.told_to_end = true;
            }
            Effect::Abort => {
                assert!(self.told_to_end && self.task.is_some());
                self.aborted = true;
            }
            Effect::Vacate => {
                assert!(self.task.take().is_some());
            }
            Effect::Say { to, message: FromCar::Bye { session, .. } } => {
                self.open.remove(&(to, session));
            }
            Effect::Say { message, .. } => panic!("{message:?}"),
            Effect::SendFarewells => {}
            Effect::Finished => self.finished = true,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn there_are_never_two_sessions_and_nobody_but_its_driver_reaches_the_one(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::default();
        for step in steps {
            world.step(step);
            let stuck = world.told_to_end && world.task.is_some() && !world.aborted;
            prop_assert!(
                !stuck || world.lease.poll_timeout().is_some(),
                "a session that is to end has a limit"
            );
            if world.finished {
                break;
            }
        }
        // After any history: if sessions end when they are asked to, every wish is granted or
        // refused, and the program can stop.
        if !world.finished {
            world.step(Step::Ends(Outcome::EndedByDriver(ByeReason::DriverLeft)));
            world.step(Step::Ends(Outcome::EndedByDriver(ByeReason::DriverLeft)));
            prop_assert_eq!(&world.open, &BTreeSet::new(), "somebody waits for nothing");
            world.step(Step::Shutdown);
            world.step(Step::FarewellsSent);
            world.step(Step::Wait(u16::try_from(CLOSE_WITHIN.as_millis()).unwrap()));
        }
        prop_assert!(world.finished);
    }
}
