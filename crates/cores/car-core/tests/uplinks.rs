//! Which uplink is used, step by step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_car_core::uplinks::{Effect, Kind, Move, Options, Uplink, Uplinks, Why};
use rccar_protocol::units::MonotonicMicros;

fn at(ms: u64) -> MonotonicMicros {
    MonotonicMicros(ms * 1000)
}

fn wifi() -> Uplink {
    Uplink::new(2, "wlan0", Kind::Wifi, ["192.0.2.7".parse().unwrap()])
}

fn modem() -> Uplink {
    Uplink::new(3, "wwan0", Kind::Mobile, ["198.51.100.9".parse().unwrap()])
}

/// The names of the uplinks that were moved to, and the reasons.
fn moves(uplinks: &mut Uplinks) -> Vec<(Option<String>, Why)> {
    let effects = std::iter::from_fn(|| uplinks.poll_effect());
    effects
        .filter_map(|effect| match effect {
            Effect::Move(Move { to, why }) => Some((to.map(|uplink| uplink.name), why)),
            Effect::Probe(_) => None,
        })
        .collect()
}

fn to(name: &str, why: Why) -> Vec<(Option<String>, Why)> {
    vec![(Some(name.to_owned()), why)]
}

fn started(first: Vec<Uplink>) -> Uplinks {
    let mut uplinks = Uplinks::new(Options::default());
    uplinks.handle_uplinks(at(0), first);
    moves(&mut uplinks);
    uplinks
}

/// Lets time pass; probes are answered with `answered`.
fn pass(uplinks: &mut Uplinks, until: u64, answered: bool) -> Vec<(u64, Why)> {
    let mut seen = Vec::new();
    while let Some(due) = uplinks.poll_timeout().filter(|due| *due <= at(until)) {
        uplinks.handle_timeout(due);
        while let Some(effect) = uplinks.poll_effect() {
            match effect {
                Effect::Probe(uplink) => uplinks.handle_probe(due, &uplink.name, answered),
                Effect::Move(to) => seen.push((due.0 / 1000, to.why)),
            }
        }
    }
    seen
}

#[test]
fn when_the_one_in_use_is_gone_the_next_one_is_used_at_once() {
    let mut uplinks = started(vec![modem(), wifi()]);
    assert_eq!(uplinks.in_use(), Some(&wifi()));
    uplinks.handle_uplinks(at(10), vec![modem()]);
    assert_eq!(moves(&mut uplinks), to("wwan0", Why::Lost));
}

#[test]
fn what_appears_is_given_a_moment_to_settle_but_not_forever() {
    let mut uplinks = started(vec![wifi()]);
    uplinks.handle_uplinks(at(1_000), vec![]);
    assert_eq!(moves(&mut uplinks), [(None, Why::Lost)]);
    for (step, ms) in (2_000..2_400).step_by(50).enumerate() {
        let more = Uplink { metric: u32::try_from(step).unwrap(), ..modem() };
        uplinks.handle_timeout(at(ms));
        uplinks.handle_uplinks(at(ms), vec![more]);
    }
    assert_eq!(moves(&mut uplinks), to("wwan0", Why::New));
}

#[test]
fn the_same_uplink_with_its_address_is_back_at_once() {
    let mut uplinks = started(vec![wifi()]);
    uplinks.handle_uplinks(at(1_000), vec![]);
    uplinks.handle_uplinks(at(5_000), vec![wifi()]);
    assert_eq!(moves(&mut uplinks), [(None, Why::Lost), (Some("wlan0".into()), Why::Back)]);
}

#[test]
fn another_address_is_a_change_and_one_more_is_none() {
    let mut uplinks = started(vec![wifi()]);
    let more = Uplink::new(
        2,
        "wlan0",
        Kind::Wifi,
        ["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
    );
    uplinks.handle_uplinks(at(10), vec![more]);
    assert_eq!(moves(&mut uplinks), []);
    let other = Uplink::new(
        2,
        "wlan0",
        Kind::Wifi,
        ["192.0.2.8".parse().unwrap(), "2001:db8::7".parse().unwrap()],
    );
    uplinks.handle_uplinks(at(20), vec![other]);
    assert_eq!(moves(&mut uplinks), to("wlan0", Why::Changed));
}

#[test]
fn a_better_uplink_has_to_last_and_to_answer() {
    let mut uplinks = started(vec![modem()]);
    uplinks.handle_uplinks(at(0), vec![modem(), wifi()]);
    assert_eq!(pass(&mut uplinks, 10_000, true), [(5_000, Why::Better)]);
    let mut uplinks = started(vec![modem()]);
    uplinks.handle_uplinks(at(0), vec![modem(), wifi()]);
    assert_eq!(pass(&mut uplinks, 600_000, false), []);
}

#[test]
fn an_uplink_at_the_edge_of_its_range_is_returned_to_ever_later() {
    let mut uplinks = started(vec![modem()]);
    let mut waits = Vec::new();
    let mut now = 0;
    for _ in 0..6 {
        uplinks.handle_uplinks(at(now), vec![modem(), wifi()]);
        let mut seen = (now..).step_by(1_000).map(|until| pass(&mut uplinks, until, true));
        let (returned, why) = seen.find_map(|moves| moves.first().copied()).unwrap();
        assert_eq!(why, Why::Better);
        waits.push((returned - now) / 1000);
        now = returned + 2_000;
        uplinks.handle_uplinks(at(now), vec![modem()]);
        moves(&mut uplinks);
    }
    assert_eq!(waits, [5, 10, 20, 40, 60, 60]);
}

#[test]
fn a_silent_uplink_is_left_for_one_that_answers_and_tried_again_later() {
    let mut uplinks = started(vec![modem(), wifi()]);
    uplinks.handle_silent(at(0), "wlan0");
    assert_eq!(moves(&mut uplinks), to("wwan0", Why::Silent));
    assert_eq!(uplinks.order(), [modem(), wifi()]);
    assert_eq!(
        pass(&mut uplinks, 60_000, true),
        [(20_000, Why::Better)],
        "15 s without trust, then the usual 5 s"
    );
}

#[test]
fn the_only_uplink_is_used_however_silent_it_is() {
    let mut uplinks = started(vec![modem()]);
    uplinks.handle_silent(at(0), "wwan0");
    assert_eq!((moves(&mut uplinks), uplinks.in_use()), (vec![], Some(&modem())));
    // Another one appears and answers.
    uplinks.handle_uplinks(at(10), vec![modem(), wifi()]);
    uplinks.handle_alive(at(20), "wlan0");
    assert_eq!(moves(&mut uplinks), to("wlan0", Why::Silent));
}
