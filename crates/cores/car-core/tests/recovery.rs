//! How a session is brought back, step by step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_car_core::recovery::{Commit, Connection, Effect, Recovery};
use rccar_car_core::uplinks::Why;
use rccar_protocol::units::MonotonicMicros;

fn at(ms: u64) -> MonotonicMicros {
    MonotonicMicros(ms * 1000)
}

fn connected() -> Recovery {
    let mut recovery = Recovery::new(at(0), true);
    recovery.handle_connection(at(0), Connection::Connected);
    assert_eq!(effects(&mut recovery), [Effect::Keyframe]);
    recovery
}

fn effects(recovery: &mut Recovery) -> Vec<Effect> {
    std::iter::from_fn(|| recovery.poll_effect()).collect()
}

/// All effects from `from` to `to`, with their times in ms. Time passes in steps of 50 ms.
fn run(
    recovery: &mut Recovery,
    from: u64,
    to: u64,
    mut each: impl FnMut(u64, &mut Recovery),
) -> Vec<(u64, Effect)> {
    let mut all = Vec::new();
    for now in (from..=to).step_by(50) {
        each(now, recovery);
        recovery.handle_timeout(at(now));
        all.extend(effects(recovery).into_iter().map(|effect| (now, effect)));
    }
    all
}

const RESTART: Effect = Effect::Restart { commit: Commit::AtOnce, wide: false };
const GENTLY: Effect = Effect::Restart { commit: Commit::WithAnswer, wide: false };

#[test]
fn a_session_that_never_connects_is_given_up() {
    let mut recovery = Recovery::new(at(0), true);
    assert_eq!(run(&mut recovery, 0, 30_000, |_, _| {}), [(20_000, Effect::GiveUp)]);
    assert_eq!(recovery.poll_timeout(), None);
}

#[test]
fn as_long_as_something_is_heard_nothing_is_done() {
    let mut recovery = connected();
    assert_eq!(
        run(&mut recovery, 0, 60_000, |now, recovery| recovery.handle_heard(at(now - now % 450))),
        []
    );
}

#[test]
fn a_lost_uplink_is_answered_at_once_even_while_the_host_is_away() {
    let mut recovery = connected();
    recovery.handle_host(at(90), false);
    recovery.handle_move(at(100), Why::Lost);
    assert_eq!(effects(&mut recovery).first(), Some(&RESTART));
    recovery.handle_connection(at(110), Connection::Connecting);
    recovery.handle_host(at(250), true);
    recovery.handle_answer(at(280));
    recovery.handle_connection(at(300), Connection::Connected);
    assert!(effects(&mut recovery).contains(&Effect::Keyframe));
    assert!(!recovery.is_unreachable(at(10_000)));
}

#[test]
fn a_silent_path_whose_host_answers_is_looked_for_anew_and_not_given_up_before_the_answer() {
    let mut recovery = connected();
    let seen = run(&mut recovery, 0, 900, |now, recovery| {
        if now >= 550 {
            recovery.handle_host_heard(at(now));
        }
    });
    assert_eq!(
        seen,
        [(500, Effect::Probe), (500, Effect::AskHost), (750, Effect::Probe), (850, GENTLY)]
    );
}

#[test]
fn a_dead_link_that_comes_back_is_left_in_peace_but_for_keyframes() {
    let mut recovery = connected();
    let seen = run(&mut recovery, 0, 4_000, |_, _| {});
    let keyframes: Vec<u64> =
        seen.iter().filter(|(_, effect)| *effect == Effect::Probe).map(|(now, _)| *now).collect();
    assert!(keyframes.windows(2).all(|pair| pair[1] - pair[0] <= 250), "{keyframes:?}");
    assert_eq!(seen.iter().find(|(_, effect)| *effect == Effect::UplinkSilent).unwrap().0, 1_000);
    assert!(
        !seen.iter().any(|(_, effect)| matches!(
            effect,
            Effect::Restart { .. } | Effect::Rebuild | Effect::GiveUp
        )),
        "{seen:?}"
    );
    let after = run(&mut recovery, 4_050, 6_000, |now, recovery| recovery.handle_heard(at(now)));
    assert_eq!(after, [(4_050, Effect::Keyframe)]);
}

#[test]
fn a_better_uplink_costs_the_old_path_only_when_the_driver_has_answered() {
    let mut recovery = connected();
    recovery.handle_heard(at(100));
    recovery.handle_move(at(100), Why::Better);
    assert_eq!(effects(&mut recovery), [GENTLY]);
    // Nobody answers: all stays as it is.
    assert_eq!(run(&mut recovery, 150, 20_000, |now, recovery| recovery.handle_heard(at(now))), []);
}

#[test]
fn a_better_uplink_waits_for_the_host_and_for_calm() {
    let mut recovery = connected();
    recovery.handle_host(at(100), false);
    recovery.handle_move(at(100), Why::Better);
    assert_eq!(run(&mut recovery, 100, 3_000, |now, recovery| recovery.handle_heard(at(now))), []);
    recovery.handle_host(at(3_050), true);
    assert_eq!(effects(&mut recovery), [GENTLY]);
}

#[test]
fn an_answered_restart_that_finds_no_path_is_tried_wider_and_then_everything_is_built_anew() {
    let mut recovery = connected();
    recovery.handle_move(at(0), Why::Lost);
    recovery.handle_connection(at(10), Connection::Connecting);
    effects(&mut recovery);
    let seen = run(&mut recovery, 50, 20_000, |now, recovery| {
        if [100, 2_200, 4_300].contains(&now) {
            recovery.handle_answer(at(now));
        }
    });
    let wide = Effect::Restart { commit: Commit::AtOnce, wide: true };
    let seen: Vec<_> = seen.into_iter().filter(|(_, effect)| *effect != Effect::AskHost).collect();
    assert_eq!(seen, [(2_100, wide), (4_200, wide), (6_100, Effect::Rebuild)]);
}

#[test]
fn a_driver_who_does_not_answer_either_has_half_a_minute() {
    let mut recovery = connected();
    let seen = run(&mut recovery, 0, 40_000, |now, recovery| recovery.handle_host_heard(at(now)));
    assert_eq!(seen.last(), Some(&(30_500, Effect::GiveUp)));
    assert!(
        seen.iter().filter(|(_, effect)| matches!(effect, Effect::Restart { .. })).count() >= 6
    );
    assert!(recovery.is_ended());
}

#[test]
fn no_restart_is_spent_while_the_driver_cannot_hear_of_it() {
    let mut recovery = connected();
    recovery.handle_host(at(0), false);
    recovery.handle_connection(at(0), Connection::Failed);
    let seen = run(&mut recovery, 0, 9_000, |_, _| {});
    assert!(!seen.iter().any(|(_, effect)| matches!(effect, Effect::Restart { .. })), "{seen:?}");
    recovery.handle_host(at(9_050), true);
    assert!(effects(&mut recovery).contains(&RESTART));
}

#[test]
fn two_wishes_in_a_row_make_one_restart() {
    let mut recovery = connected();
    for (now, wanted) in [(0, true), (999, false), (1_000, true)] {
        recovery.handle_heard(at(now));
        recovery.handle_wish(at(now));
        assert_eq!(effects(&mut recovery).contains(&GENTLY), wanted, "at {now} ms");
    }
}
