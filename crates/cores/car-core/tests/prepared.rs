//! Sessions that are prepared cost little and take nobody's place.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_car_core::lease::{SessionInput, Source, Wish};
use rccar_car_core::prepared::{Effect, GAP, Key, LIFE, MOST, Prepared};
use rccar_protocol::signaling::{ByeReason, FromCar};
use rccar_protocol::text::{Name, Sdp, SessionId};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeSet;
use std::time::Duration;

fn key(number: u64) -> Key {
    (Source::Host, SessionId::from_random(number))
}

fn wish((source, session): Key) -> Wish {
    let driver = Name::new("Ada").unwrap();
    Wish { source, session, driver, trickle: true, take: false, ice_servers: vec![] }
}

fn bye((to, session): Key, reason: ByeReason) -> Effect {
    Effect::Say { to, message: FromCar::Bye { session, reason } }
}

fn effects(prepared: &mut Prepared) -> Vec<Effect> {
    std::iter::from_fn(|| prepared.poll_effect()).collect()
}

fn answer() -> SessionInput {
    SessionInput::Answer { generation: 1, sdp: Sdp::new("v=0\r\n").unwrap() }
}

/// Two prepared sessions, `1` and `2`, and the time of the second.
fn two() -> (Prepared, MonotonicMicros) {
    let mut prepared = Prepared::default();
    let now = MonotonicMicros(0).plus(GAP);
    prepared.handle_prepare(MonotonicMicros(0), wish(key(1)), false);
    prepared.handle_prepare(now, wish(key(2)), false);
    assert_eq!(effects(&mut prepared), [Effect::Open(wish(key(1))), Effect::Open(wish(key(2)))]);
    (prepared, now)
}

#[test]
fn a_car_that_is_driven_prepares_nothing() {
    let mut prepared = Prepared::default();
    prepared.handle_prepare(MonotonicMicros(0), wish(key(1)), true);
    assert_eq!(effects(&mut prepared), [bye(key(1), ByeReason::CarBusy)]);
}

#[test]
fn only_a_few_are_prepared_and_not_in_a_rush() {
    let mut prepared = Prepared::default();
    for number in 1..=50 {
        prepared.handle_prepare(MonotonicMicros(number), wish(key(number)), false);
    }
    let opened = |all: &[Effect]| all.iter().filter(|e| matches!(e, Effect::Open(_))).count();
    assert_eq!(opened(&effects(&mut prepared)), 1, "within {GAP:?}");
    let mut now = MonotonicMicros(0);
    for number in 100..150 {
        now = now.plus(GAP);
        prepared.handle_prepare(now, wish(key(number)), false);
    }
    assert_eq!(opened(&effects(&mut prepared)), MOST - 1);
}

#[test]
fn the_one_that_the_lease_starts_begins_and_the_others_end() {
    let (mut prepared, _) = two();
    assert!(prepared.handle_start(key(2)));
    assert_eq!(effects(&mut prepared), [Effect::Close(key(1)), bye(key(1), ByeReason::CarBusy)]);
    assert!(!prepared.handle_start(key(2)), "it is the lease's now");
    assert_eq!(prepared.poll_timeout(), None);
}

#[test]
fn a_session_that_nobody_prepared_ends_them_all() {
    let (mut prepared, _) = two();
    assert!(!prepared.handle_start(key(3)));
    assert_eq!(effects(&mut prepared).len(), 4);
    assert!(!prepared.contains(key(1)) && !prepared.contains(key(2)));
}

#[test]
fn they_end_with_their_time_their_source_and_their_connection() {
    let (mut prepared, now) = two();
    prepared.handle_timeout(MonotonicMicros(0).plus(LIFE));
    assert_eq!(effects(&mut prepared), [Effect::Close(key(1)), bye(key(1), ByeReason::CarLeft)]);
    assert_eq!(prepared.poll_timeout(), Some(now.plus(LIFE)));
    prepared.handle_lost(Source::Lan);
    assert!(prepared.contains(key(2)));
    prepared.handle_lost(Source::Host);
    assert_eq!(effects(&mut prepared), [Effect::Close(key(2)), bye(key(2), ByeReason::CarGone)]);
    let (mut prepared, _) = two();
    prepared.handle_ended(key(1));
    assert_eq!(effects(&mut prepared), [bye(key(1), ByeReason::IceFailed)]);
    prepared.handle_bye(key(2));
    assert_eq!(effects(&mut prepared), [Effect::Close(key(2))]);
    prepared.handle_bye(key(2));
    prepared.handle_ended(key(2));
    assert_eq!(effects(&mut prepared), []);
}

#[test]
fn of_what_a_driver_says_only_answer_and_candidates_have_a_meaning_before_the_start() {
    let (mut prepared, _) = two();
    assert!(prepared.handle_message(key(1), &answer()));
    assert_eq!(effects(&mut prepared), [Effect::Pass { key: key(1), input: answer() }]);
    let restart = SessionInput::Restart { ice_servers: vec![] };
    assert!(prepared.handle_message(key(1), &restart), "the lease is not asked");
    assert_eq!(effects(&mut prepared), []);
    assert!(!prepared.handle_message(key(3), &answer()));
    let (_, session) = key(1);
    assert!(!prepared.handle_message((Source::Lan, session), &answer()), "another source");
}

#[test]
fn a_driver_who_wants_one_that_has_just_ended_gets_a_bye_and_not_a_second_offer() {
    let (mut prepared, _) = two();
    prepared.handle_ended(key(1));
    effects(&mut prepared);
    assert!(prepared.handle_connect(key(1)));
    assert_eq!(effects(&mut prepared), [bye(key(1), ByeReason::CarLeft)]);
    assert!(!prepared.handle_connect(key(2)) && !prepared.handle_connect(key(3)));
    prepared.handle_start(key(1));
    assert!(!prepared.handle_connect(key(1)), "the lease has started it all the same");
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Prepare(u64, bool),
    Message(u64),
    Bye(u64),
    Ended(u64),
    Start(u64),
    Lost,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 1..6u64;
    prop_oneof![
        4 => (number.clone(), prop::bool::weighted(0.2)).prop_map(|(n, d)| Step::Prepare(n, d)),
        2 => number.clone().prop_map(Step::Message),
        1 => number.clone().prop_map(Step::Bye),
        1 => number.clone().prop_map(Step::Ended),
        1 => number.prop_map(Step::Start),
        1 => Just(Step::Lost),
        4 => (0..20_000u64).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_few_are_open_and_each_is_closed_once(
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut prepared = Prepared::default();
        let mut now = MonotonicMicros(0);
        let mut open = BTreeSet::new();
        for step in steps {
            match step {
                Step::Prepare(n, driven) => prepared.handle_prepare(now, wish(key(n)), driven),
                Step::Message(n) => {
                    let ours = prepared.handle_message(key(n), &answer());
                    prop_assert_eq!(ours, open.contains(&key(n)));
                }
                Step::Bye(n) => prepared.handle_bye(key(n)),
                Step::Ended(n) => {
                    prepared.handle_ended(key(n));
                    open.remove(&key(n));
                }
                Step::Start(n) => {
                    prop_assert_eq!(prepared.handle_start(key(n)), open.remove(&key(n)));
                }
                Step::Lost => prepared.handle_lost(Source::Host),
                Step::Wait(ms) => {
                    now = now.plus(Duration::from_millis(ms));
                    prepared.handle_timeout(now);
                    prop_assert!(prepared.poll_timeout().is_none_or(|due| due > now));
                }
            }
            for effect in effects(&mut prepared) {
                match effect {
                    Effect::Open(wish) => {
                        prop_assert!(open.insert((wish.source, wish.session)), "opened twice");
                    }
                    Effect::Close(key) => prop_assert!(open.remove(&key), "closed twice"),
                    Effect::Pass { key, .. } => prop_assert!(open.contains(&key)),
                    Effect::Say { .. } => {}
                }
            }
            prop_assert!(open.len() <= MOST);
        }
        prepared.handle_timeout(now.plus(LIFE));
        let closed = effects(&mut prepared);
        prop_assert_eq!(closed.iter().filter(|e| matches!(e, Effect::Close(_))).count(), open.len());
    }
}
