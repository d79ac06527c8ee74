//! Which rung a stick that looks like Ethernet climbs, why, and when.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{START, due};
use rccar_modem_core::{Cause, Effect, Event, Outcome, Rung, Status, Stick, timing};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A stick and its network; each test sets whether it carries data and gives leases.
struct Bench {
    stick: Stick,
    now: Duration,
    carries: bool,
    leases: bool,
    acts: Vec<(Duration, Rung)>,
    events: Vec<Event>,
    link_downs: u32,
    present: Option<bool>,
}

impl Bench {
    fn plugged_in() -> Self {
        let mut bench = Self {
            stick: Stick::new(START, 200),
            now: Duration::ZERO,
            carries: true,
            leases: true,
            acts: Vec::new(),
            events: Vec::new(),
            link_downs: 0,
            present: None,
        };
        bench.see(Some(true));
        bench
    }

    fn carrying_for(seconds: u64) -> Self {
        let mut bench = Self::plugged_in();
        bench.stick.handle_car(bench.at(), true);
        bench.run(seconds);
        assert_eq!(bench.stick.status(), Status::Up);
        bench.acts.clear();
        bench.events.clear();
        bench
    }

    fn at(&self) -> MonotonicMicros {
        START.plus(self.now)
    }

    fn see(&mut self, seen: Option<bool>) {
        self.present = seen;
        self.stick.handle_seen(self.at(), seen);
        self.drain();
    }

    /// Does what the machine wants, at once. Only a probe that fails takes its time.
    fn drain(&mut self) {
        loop {
            self.events.extend(std::iter::from_fn(|| self.stick.poll_event()));
            let Some(effect) = self.stick.poll_effect() else { return };
            match effect {
                Effect::Act { action, rung, with_pin } => {
                    assert!(!with_pin);
                    self.acts.push((self.now, rung));
                    let outcome = if self.leases || rung == Rung::CycleUsb {
                        Outcome::Done
                    } else {
                        Outcome::Failed
                    };
                    self.stick.handle_done(self.at(), action, outcome);
                }
                Effect::ProbeData if self.carries => self.stick.handle_data_probe(self.at(), true),
                Effect::ProbeData => {}
                Effect::LinkDown => self.link_downs += 1,
                Effect::Abandon { .. } | Effect::ProbeControl => panic!("{effect:?}"),
            }
        }
    }

    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while due(self.stick.poll_timeout()) <= end {
            self.now = self.now.max(due(self.stick.poll_timeout()));
            self.stick.handle_timeout(self.at());
            self.drain();
        }
        self.now = end;
    }

    fn rungs(&self) -> Vec<Rung> {
        self.acts.iter().map(|(_, rung)| *rung).collect()
    }

    fn first(&self, rung: Rung) -> Option<Duration> {
        self.acts.iter().find(|(_, climbed)| *climbed == rung).map(|(at, _)| *at)
    }
}

#[test]
fn a_stick_is_up_with_its_first_answer_and_not_with_its_lease() {
    let mut bench = Bench::plugged_in();
    assert_eq!(bench.rungs(), [Rung::Reconnect]);
    assert!(!bench.events.iter().any(|event| matches!(event, Event::Up { .. })));
    bench.run(0);
    assert!(
        bench.events.iter().any(|event| matches!(event, Event::Up { rung: Rung::Reconnect, .. })),
        "{:?}",
        bench.events
    );
    bench.run(3600);
    assert_eq!(
        (bench.rungs().len(), bench.stick.status()),
        (1, Status::Up),
        "nothing is done about a link that is good"
    );
}

#[test]
fn a_silent_loss_is_found_within_5_s_and_a_lease_is_asked_for_at_once() {
    let mut bench = Bench::carrying_for(100);
    let lost = bench.now;
    bench.carries = false;
    bench.run(10);
    let (at, rung) = bench.acts[0];
    assert_eq!(rung, Rung::Reconnect);
    assert!(at - lost <= 5 * SECOND, "{:?}", at - lost);
    assert!(bench.events.contains(&Event::Down { cause: Cause::DataSilent }));
    assert_eq!(
        bench.link_downs, 0,
        "the address stays, so that somebody sees the network come back"
    );
}

#[test]
fn a_silent_stick_has_its_link_cycled_and_is_off_the_usb_only_after_three_minutes() {
    let mut bench = Bench::carrying_for(100);
    let lost = bench.now;
    bench.carries = false;
    bench.run(600);
    assert_eq!(bench.rungs()[..3], [Rung::Reconnect, Rung::Reconnect, Rung::CycleBearer]);
    let usb = bench.first(Rung::CycleUsb).unwrap() - lost;
    assert!((timing::STICK_SILENT..timing::STICK_SILENT * 2).contains(&usb), "{usb:?}");
    assert_eq!(
        bench.rungs().iter().filter(|rung| **rung == Rung::CycleUsb).count(),
        1,
        "ten minutes apart"
    );
}

#[test]
fn cures_keep_their_distance_for_a_day_and_tries_never_end() {
    let mut bench = Bench::carrying_for(100);
    bench.carries = false;
    bench.run(24 * 3600);
    for (rung, least) in
        [(Rung::CycleBearer, timing::CYCLE_LINK), (Rung::CycleUsb, timing::apart(Rung::CycleUsb))]
    {
        let times: Vec<Duration> =
            bench.acts.iter().filter(|(_, climbed)| *climbed == rung).map(|(at, _)| *at).collect();
        assert!(times.len() > 10, "{rung:?}: {}", times.len());
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= least), "{rung:?}");
    }
    assert!(bench.acts.windows(2).all(|pair| pair[1].0 - pair[0].0 < Duration::from_secs(400)));
    assert!(
        bench
            .rungs()
            .iter()
            .all(|rung| matches!(rung, Rung::Reconnect | Rung::CycleBearer | Rung::CycleUsb))
    );
}

#[test]
fn data_that_comes_back_by_itself_ends_the_outage_without_another_cure() {
    let mut bench = Bench::carrying_for(100);
    bench.carries = false;
    bench.run(400);
    bench.carries = true;
    bench.acts.clear();
    bench.run(12);
    assert_eq!(bench.stick.status(), Status::Up, "a probe has told");
    bench.run(3600);
    assert!(bench.acts.len() <= 1, "{:?}", bench.acts);
    assert!(bench.events.contains(&Event::Steady));
}

#[test]
fn a_stick_that_never_carried_data_is_given_time_to_find_its_network() {
    let mut bench = Bench::plugged_in();
    bench.carries = false;
    bench.run(600);
    assert!(bench.first(Rung::CycleBearer).unwrap() >= timing::CYCLE_LINK, "{:?}", bench.acts);
    assert!(bench.first(Rung::CycleUsb).unwrap() >= timing::STICK_SILENT, "{:?}", bench.acts);
}

#[test]
fn a_lease_that_is_lost_takes_the_address_and_is_asked_for_at_once() {
    let mut bench = Bench::carrying_for(100);
    bench.stick.handle_lease_lost(bench.at());
    bench.run(0);
    assert_eq!((bench.rungs(), bench.link_downs), (vec![Rung::Reconnect], 1));
    assert!(bench.events.contains(&Event::Down { cause: Cause::LeaseLost }));
    assert_eq!(bench.stick.status(), Status::Up);
}

#[test]
fn a_stick_without_leases_is_asked_with_growing_pauses_and_cured() {
    let mut bench = Bench::plugged_in();
    bench.leases = false;
    bench.stick.handle_lease_lost(bench.at());
    bench.acts.clear();
    bench.run(900);
    assert!(
        bench.first(Rung::CycleBearer).is_some() && bench.first(Rung::CycleUsb).is_some(),
        "{:?}",
        bench.acts
    );
    bench.leases = true;
    bench.run(400);
    assert_eq!(bench.stick.status(), Status::Up);
}

#[test]
fn a_carrier_that_returns_is_worth_a_try_at_once() {
    let mut bench = Bench::carrying_for(100);
    bench.leases = false;
    bench.see(Some(false));
    assert_eq!(bench.link_downs, 1);
    bench.run(60);
    bench.leases = true;
    bench.acts.clear();
    bench.see(Some(true));
    bench.run(0);
    assert_eq!((bench.rungs(), bench.stick.status()), (vec![Rung::Reconnect], Status::Up));
}

#[test]
fn an_unplugged_stick_is_not_missed_and_one_that_is_plugged_in_begins_anew() {
    let mut bench = Bench::carrying_for(100);
    bench.see(None);
    assert_eq!((bench.stick.is_present(), due(bench.stick.poll_timeout())), (false, Duration::MAX));
    assert!(bench.events.contains(&Event::Down { cause: Cause::BearerLost }));
    assert_eq!(bench.link_downs, 1);
    bench.run(3600);
    assert!(bench.acts.is_empty());
    bench.see(Some(true));
    bench.run(0);
    assert_eq!((bench.rungs(), bench.stick.status()), (vec![Rung::Reconnect], Status::Up));
}

#[test]
fn a_stick_that_goes_while_it_is_taken_off_the_usb_comes_back_and_is_not_taken_off_again_at_once() {
    let mut bench = Bench::carrying_for(100);
    bench.carries = false;
    let mut stick = Stick::new(bench.at(), 200);
    std::mem::swap(&mut stick, &mut bench.stick);
    // As `drain` does it, but the USB cycle does not end at once.
    let mut pending = None;
    while pending.is_none() {
        bench.now = bench.now.max(due(stick.poll_timeout()));
        stick.handle_timeout(bench.at());
        while let Some(effect) = stick.poll_effect() {
            match effect {
                Effect::Act { action, rung: Rung::CycleUsb, .. } => pending = Some(action),
                Effect::Act { action, .. } => stick.handle_done(bench.at(), action, Outcome::Done),
                _ => {}
            }
        }
    }
    stick.handle_seen(bench.at(), None);
    bench.now += 10 * SECOND;
    stick.handle_done(bench.at(), pending.unwrap(), Outcome::Done);
    assert!(!stick.is_present());
    bench.now += 3 * SECOND;
    stick.handle_seen(bench.at(), Some(true));
    while stick.poll_effect().is_some() {}
    assert_eq!(stick.status(), Status::Acting { rung: Rung::Reconnect });
    assert!(due(stick.poll_timeout()) < Duration::MAX);
}

#[test]
fn a_lease_that_takes_too_long_is_given_up() {
    let mut stick = Stick::new(START, 200);
    stick.handle_seen(START, Some(true));
    let Some(Effect::Act { action, .. }) = stick.poll_effect() else {
        panic!("a lease is asked for")
    };
    let end = due(stick.poll_timeout());
    stick.handle_timeout(START.plus(end));
    assert_eq!(stick.poll_effect(), Some(Effect::Abandon { action }));
    stick.handle_done(START.plus(end), action, Outcome::Done);
    assert!(
        matches!(stick.status(), Status::Waiting { .. }),
        "what was given up is not listened to"
    );
}
