//! Which rung the machine climbs, why, and when.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{START, due};
use rccar_modem_core::{
    Car, Cause, Effect, Event, Fault, Machine, ModemView, Observation, Outcome, Pin, Registration,
    Rung, Stage, Status, timing,
};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const READY: ModemView = ModemView::new(Stage::Ready, Registration::Registered, false);
const CONNECTED: ModemView = ModemView { connected: true, ..READY };

struct Bench {
    machine: Machine,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        Self { machine: Machine::new(START, 200, Pin::Configured, &[]), now: Duration::ZERO }
    }

    /// The link has been up for `ago` seconds.
    fn up(ago: u64) -> Self {
        let mut bench = Self::new();
        bench.see(Some(READY));
        bench.done(Rung::Reconnect, Outcome::Done);
        bench.see(Some(CONNECTED));
        bench.machine.handle_car(bench.at(), Car { in_session: true, parked: false });
        let until = bench.now + Duration::from_secs(ago);
        bench.answer_until(until);
        bench
    }

    fn at(&self) -> MonotonicMicros {
        START.plus(self.now)
    }

    fn see(&mut self, modem: Option<ModemView>) {
        self.machine
            .handle_observation(self.at(), Observation { expected: true, daemon: true, modem });
    }

    /// Lets time pass until the machine asks for something.
    fn effect(&mut self) -> Effect {
        for _ in 0..10_000 {
            if let Some(effect) = self.machine.poll_effect() {
                return effect;
            }
            self.now = self.now.max(due(self.machine.poll_timeout()));
            self.machine.handle_timeout(self.at());
        }
        panic!("nothing happens any more: {:?}", self.machine);
    }

    /// Waits for an action. Control probes are answered meanwhile, data probes are not.
    fn act(&mut self) -> (u64, Rung, bool) {
        loop {
            match self.effect() {
                Effect::Act { action, rung, with_pin } => return (action, rung, with_pin),
                Effect::ProbeControl => self.machine.handle_control_probe(self.at(), true),
                Effect::ProbeData | Effect::LinkDown | Effect::Abandon { .. } => {}
            }
        }
    }

    fn done(&mut self, expected: Rung, outcome: Outcome) {
        let (action, rung, _) = self.act();
        assert_eq!(rung, expected);
        self.machine.handle_done(self.at(), action, outcome);
    }

    fn answer_until(&mut self, until: Duration) {
        while due(self.machine.poll_timeout()) <= until {
            self.now = due(self.machine.poll_timeout());
            self.machine.handle_timeout(self.at());
            while let Some(effect) = self.machine.poll_effect() {
                match effect {
                    Effect::ProbeData => self.machine.handle_data_probe(self.at(), true),
                    Effect::ProbeControl => self.machine.handle_control_probe(self.at(), true),
                    other => panic!("{other:?} although all is well"),
                }
            }
        }
        self.now = until;
    }

    fn rungs(&mut self, count: usize) -> Vec<Rung> {
        let failed = |bench: &mut Self| {
            let (action, rung, _) = bench.act();
            let cure = !rung.is_try();
            bench.machine.handle_done(
                bench.at(),
                action,
                if cure { Outcome::Done } else { Outcome::Failed },
            );
            rung
        };
        (0..count).map(|_| failed(self)).collect()
    }
}

#[test]
fn a_bearer_that_is_lost_is_connected_again_in_the_same_call() {
    for ago in [1, 100] {
        let mut bench = Bench::up(ago);
        let lost = bench.now;
        bench.see(Some(READY));
        assert_eq!(bench.machine.poll_effect(), Some(Effect::LinkDown));
        let Some(Effect::Act { rung: Rung::Reconnect, .. }) = bench.machine.poll_effect() else {
            panic!("{:?}", bench.machine)
        };
        assert_eq!(bench.now, lost);
    }
}

#[test]
fn a_lease_that_is_lost_is_asked_for_again_in_the_same_call_although_the_bearer_is_connected() {
    let mut bench = Bench::up(100);
    while bench.machine.poll_event().is_some() {}
    bench.machine.handle_lease_lost(bench.at());
    assert_eq!(bench.machine.poll_event(), Some(Event::Down { cause: Cause::LeaseLost }));
    assert_eq!(bench.machine.poll_effect(), Some(Effect::LinkDown));
    let Some(Effect::Act { rung: Rung::Reconnect, .. }) = bench.machine.poll_effect() else {
        panic!("{:?}", bench.machine)
    };
    // A lease that is lost while the link is down changes nothing.
    bench.machine.handle_lease_lost(bench.at());
    assert_eq!(
        (bench.machine.poll_effect(), bench.machine.status()),
        (None, Status::Acting { rung: Rung::Reconnect })
    );
}

#[test]
fn a_silent_loss_is_found_within_five_seconds_while_somebody_drives() {
    let mut bench = Bench::up(100);
    let lost = bench.now;
    let (_, rung, _) = bench.act();
    assert_eq!(rung, Rung::CycleBearer);
    assert!(bench.now - lost <= Duration::from_secs(5), "{:?}", bench.now - lost);
    assert!(bench.now - lost >= Duration::from_secs(2), "three probes, not one");
}

#[test]
fn a_registration_that_is_lost_is_waited_out_and_then_cycles_the_bearer() {
    let mut bench = Bench::up(100);
    bench.see(Some(ModemView { registration: Registration::Missing, ..CONNECTED }));
    bench.answer_until(bench.now + timing::REGISTRATION_GRACE - Duration::from_millis(1));
    assert!(bench.machine.is_up());
    bench.done(Rung::CycleBearer, Outcome::Done);
    assert!(bench.machine.is_up());
}

#[test]
fn a_packet_service_that_is_lost_is_waited_out_and_then_cycles_the_bearer() {
    let attached = |attached| Some(ModemView { attached, ..CONNECTED });
    let mut bench = Bench::up(100);
    bench.see(attached(Some(true)));
    bench.see(attached(Some(false)));
    bench.answer_until(bench.now + timing::REGISTRATION_GRACE - Duration::from_millis(1));
    // It is back in time, and then lost again.
    bench.see(attached(Some(true)));
    bench.answer_until(bench.now + Duration::from_secs(100));
    bench.see(attached(Some(false)));
    let lost = bench.now;
    bench.answer_until(lost + timing::REGISTRATION_GRACE - Duration::from_millis(1));
    bench.done(Rung::CycleBearer, Outcome::Done);
    assert_eq!(bench.now, lost + timing::REGISTRATION_GRACE);
    // A report about the old connection does not count against the new one at once.
    bench.see(attached(Some(false)));
    bench.answer_until(bench.now + timing::REGISTRATION_GRACE - Duration::from_millis(1));
    assert!(bench.machine.is_up());
}

#[test]
fn a_modem_that_never_told_of_packet_service_is_not_believed_that_there_is_none() {
    for attached in [None, Some(false)] {
        let mut bench = Bench::up(100);
        bench.see(Some(ModemView { attached, ..CONNECTED }));
        bench.answer_until(bench.now + Duration::from_secs(1000));
    }
    // "Unknown" after "attached" is no loss either.
    let mut bench = Bench::up(100);
    bench.see(Some(ModemView { attached: Some(true), ..CONNECTED }));
    bench.see(Some(ModemView { attached: None, ..CONNECTED }));
    bench.answer_until(bench.now + Duration::from_secs(1000));
}

#[test]
fn a_signal_that_grows_old_has_the_modem_asked_at_once_and_once() {
    let mut bench = Bench::up(100);
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    bench.answer_until(bench.now + Duration::from_secs(35));
    let old = ModemView { signal_recent: false, ..CONNECTED };
    let mut asked = |modem| {
        bench.see(Some(modem));
        bench.machine.handle_timeout(bench.at());
        let effects: Vec<Effect> = std::iter::from_fn(|| bench.machine.poll_effect()).collect();
        bench.machine.handle_data_probe(bench.at(), true);
        bench.machine.handle_control_probe(bench.at(), true);
        effects
    };
    assert_eq!(asked(CONNECTED), []);
    assert_eq!(asked(old), [Effect::ProbeControl, Effect::ProbeData]);
    for _ in 0..10 {
        assert_eq!(asked(old), [], "told once");
    }
    assert_eq!(asked(CONNECTED), []);
}

#[test]
fn with_coverage_the_whole_ladder_is_climbed_two_tries_a_rung() {
    let mut bench = Bench::up(100);
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    bench.see(Some(READY));
    use Rung::{CycleRadio, CycleUsb, Reboot, Reconnect, Reset, RestartDaemon};
    let story = bench.rungs(18);
    let cures: Vec<Rung> = story.iter().copied().filter(|rung| *rung != Reconnect).collect();
    assert_eq!(cures[..5], [CycleRadio, Reset, RestartDaemon, CycleUsb, Reboot], "{story:?}");
    assert_eq!(
        story[..6],
        [Reconnect, Reconnect, CycleRadio, Reconnect, Reconnect, Reset],
        "{story:?}"
    );
}

#[test]
fn a_modem_that_has_never_carried_data_is_no_reason_to_reboot() {
    let mut bench = Bench::new();
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    bench.see(Some(READY));
    let story = bench.rungs(60);
    assert!(story.contains(&Rung::CycleUsb) && !story.contains(&Rung::Reboot), "{story:?}");
    // A link that has an address but no answered probe has carried no data.
    let mut bench = Bench::new();
    bench.see(Some(READY));
    bench.done(Rung::Reconnect, Outcome::Done);
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    let story = bench.rungs(60);
    assert!(story.contains(&Rung::CycleUsb) && !story.contains(&Rung::Reboot), "{story:?}");
}

#[test]
fn without_coverage_only_the_radio_is_cycled_and_seldom() {
    let mut bench = Bench::new();
    bench.see(Some(ModemView { registration: Registration::Missing, ..READY }));
    let mut cycles = Vec::new();
    while bench.now < Duration::from_secs(3600) {
        let (action, rung, _) = bench.act();
        assert!(rung.needs_modem(), "{rung:?}");
        if rung == Rung::CycleRadio {
            cycles.push(bench.now);
        }
        bench.now += Duration::from_secs(5);
        bench.machine.handle_done(
            bench.at(),
            action,
            if rung == Rung::CycleRadio { Outcome::Done } else { Outcome::NoNetwork },
        );
    }
    assert!(cycles.len() >= 5 && cycles[0] >= Duration::from_secs(90), "{cycles:?}");
    assert!(
        cycles.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_secs(300)),
        "{cycles:?}"
    );
    let before = bench.now;
    bench.see(Some(READY));
    assert_eq!(bench.act().1, Rung::Reconnect);
    assert_eq!(bench.now, before, "a network that comes is used at once");
}

#[test]
fn what_a_person_has_to_mend_is_named_and_never_reset() {
    for fault in [Fault::Apn, Fault::Credentials, Fault::Denied, Fault::Roaming] {
        let mut bench = Bench::new();
        bench.see(Some(READY));
        let mut last = bench.now;
        for round in 0..20 {
            bench.done(Rung::Reconnect, Outcome::Refused(fault));
            assert_eq!(bench.machine.fault(), Some(fault));
            let waited = bench.now - last;
            let range = Duration::from_secs(240)..=Duration::from_secs(1080);
            assert!(round == 0 || range.contains(&waited), "{fault:?} {waited:?}");
            last = bench.now;
        }
        bench.done(Rung::Reconnect, Outcome::Done);
        assert_eq!((bench.machine.fault(), bench.machine.is_up()), (None, true));
    }
}

#[test]
fn a_modem_that_hangs_at_its_start_is_cured_although_the_network_had_refused_it() {
    for stage in [Stage::Starting, Stage::Broken] {
        let mut bench = Bench::new();
        bench.see(Some(READY));
        bench.done(Rung::Reconnect, Outcome::Refused(Fault::Denied));
        bench.see(Some(ModemView { stage, ..READY }));
        bench.done(Rung::Reset, Outcome::Done);
        assert_eq!(
            bench.machine.fault(),
            Some(Fault::Denied),
            "that holds until a try tells otherwise"
        );
    }
}

#[test]
fn a_refusal_that_was_seen_is_kept_while_the_modem_says_no_more_than_no_network() {
    let mut bench = Bench::up(100);
    bench.see(Some(ModemView { registration: Registration::Denied, ..CONNECTED }));
    let (action, rung, _) = bench.act();
    assert_eq!((rung, bench.machine.fault()), (Rung::CycleBearer, Some(Fault::Denied)));
    bench.see(Some(ModemView { registration: Registration::Missing, ..READY }));
    bench.machine.handle_done(bench.at(), action, Outcome::NoNetwork);
    for _ in 0..5 {
        assert_eq!(bench.machine.fault(), Some(Fault::Denied));
        bench.done(Rung::Reconnect, Outcome::NoNetwork);
    }
    bench.see(Some(READY));
    bench.done(Rung::Reconnect, Outcome::Done);
    assert_eq!(bench.machine.fault(), None);
}

#[test]
fn a_mute_modem_is_reset_and_then_cured_with_more() {
    let mut bench = Bench::new();
    bench.see(Some(READY));
    bench.done(Rung::Reconnect, Outcome::Mute);
    bench.done(Rung::Reset, Outcome::Failed);
    bench.done(Rung::RestartDaemon, Outcome::Done);
    bench.see(None);
    bench.see(Some(READY));
    bench.done(Rung::Reconnect, Outcome::Done);
    assert!(bench.machine.is_up());
    let events: Vec<Event> = std::iter::from_fn(|| bench.machine.poll_event()).collect();
    assert!(
        matches!(events.last(), Some(Event::Up { rung: Rung::RestartDaemon, .. })),
        "{events:?}"
    );
}

/// The daemon was gone and is back, without the connection. systemd restarted it, or the ladder did
/// if it was away `for_long`.
fn orphaned(for_long: bool) -> Bench {
    let mut bench = Bench::up(100);
    while bench.machine.poll_event().is_some() {}
    bench.machine.handle_observation(bench.at(), Observation::default());
    bench.answer_until(bench.now + Duration::from_secs(5));
    assert!(bench.machine.is_up());
    if for_long {
        bench.done(Rung::RestartDaemon, Outcome::Done);
    }
    bench.see(None);
    if !for_long {
        bench.answer_until(bench.now + Duration::from_secs(9));
    }
    bench.see(Some(READY));
    bench
}

fn downs(bench: &mut Bench) -> Vec<Event> {
    std::iter::from_fn(|| bench.machine.poll_event())
        .filter(|event| matches!(event, Event::Down { .. }))
        .collect()
}

#[test]
fn the_link_stays_while_the_daemon_is_gone_and_is_connected_again_when_it_is_back() {
    for for_long in [false, true] {
        let mut bench = orphaned(for_long);
        let Some(Effect::Act { action, rung: Rung::Reconnect, .. }) = bench.machine.poll_effect()
        else {
            panic!("no link down first")
        };
        bench.machine.handle_done(bench.at(), action, Outcome::Done);
        bench.see(Some(CONNECTED));
        bench.answer_until(bench.now + Duration::from_secs(100));
        assert_eq!((bench.machine.is_up(), downs(&mut bench)), (true, vec![]), "it was never down");
    }
}

#[test]
fn a_link_that_was_kept_for_the_daemon_goes_with_the_first_try_that_fails() {
    let outcomes = [
        Outcome::Refused(Fault::Denied),
        Outcome::Refused(Fault::SimMissing),
        Outcome::NoNetwork,
        Outcome::Failed,
        Outcome::Mute,
    ];
    for (for_long, outcome) in
        [false, true].into_iter().flat_map(|for_long| outcomes.map(|outcome| (for_long, outcome)))
    {
        let mut bench = orphaned(for_long);
        let Some(Effect::Act { action, .. }) = bench.machine.poll_effect() else {
            panic!("{:?}", bench.machine)
        };
        bench.machine.handle_done(bench.at(), action, outcome);
        assert_eq!(bench.machine.poll_effect(), Some(Effect::LinkDown), "{outcome:?}");
        assert_eq!(downs(&mut bench), [Event::Down { cause: Cause::DaemonMissing }]);
        // The link is taken down only once.
        let (action, ..) = bench.act();
        bench.machine.handle_done(bench.at(), action, Outcome::Failed);
        assert_eq!(downs(&mut bench), []);
    }
}

#[test]
fn a_link_that_was_kept_goes_when_the_modem_comes_back_without_its_sim_or_is_taken_off_the_usb() {
    for modem in [Some(ModemView { stage: Stage::Failed(Fault::SimMissing), ..READY }), None] {
        let mut bench = Bench::up(100);
        bench.machine.handle_observation(bench.at(), Observation::default());
        bench.answer_until(bench.now + Duration::from_secs(5));
        bench.done(Rung::RestartDaemon, Outcome::Done);
        bench.see(modem);
        let effect =
            std::iter::from_fn(|| Some(bench.effect())).find(|effect| *effect != Effect::ProbeData);
        assert_eq!(effect, Some(Effect::LinkDown), "{modem:?}");
        assert!(
            modem.is_some()
                || matches!(
                    bench.machine.poll_effect(),
                    Some(Effect::Act { rung: Rung::CycleUsb, .. })
                )
        );
    }
}

#[test]
fn a_daemon_that_stays_away_is_started() {
    let mut bench = Bench::up(100);
    bench.machine.handle_observation(bench.at(), Observation::default());
    let gone = bench.now;
    bench.answer_until(gone + timing::DAEMON_GRACE - Duration::from_millis(1));
    bench.done(Rung::RestartDaemon, Outcome::Done);
    assert!(matches!(bench.machine.status(), Status::Waiting { .. }));
}

#[test]
fn without_a_modem_nothing_is_mended_until_there_is_one() {
    let mut bench = Bench::new();
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    bench.machine.handle_observation(bench.at(), Observation::default());
    let day = Duration::from_secs(24 * 3600);
    while bench.now < day {
        bench.now = due(bench.machine.poll_timeout());
        bench.machine.handle_timeout(bench.at());
        assert_eq!(bench.machine.poll_effect(), None);
    }
    // Now there is a modem that ModemManager does not take: something to mend.
    bench
        .machine
        .handle_observation(bench.at(), Observation { expected: true, daemon: true, modem: None });
    let plugged_in = bench.now;
    assert_eq!(bench.act().1, Rung::RestartDaemon);
    assert_eq!(
        bench.now - plugged_in,
        timing::MODEM_GRACE,
        "ModemManager takes its time to look at it"
    );
}

#[test]
fn what_modem_manager_never_takes_is_tried_once_and_then_hourly() {
    let mut bench = Bench::new();
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    bench.see(None);
    let mut climbed = Vec::new();
    let hour = Duration::from_secs(3600);
    while bench.now < 24 * hour {
        let (action, rung, _) = bench.act();
        climbed.push((bench.now, rung));
        // A USB cycle fails: nothing shows where the device is on the USB.
        let outcome = if rung == Rung::RestartDaemon { Outcome::Done } else { Outcome::Failed };
        bench.machine.handle_done(bench.at(), action, outcome);
    }
    let restarts: Vec<Duration> = climbed
        .iter()
        .filter(|(_, rung)| *rung == Rung::RestartDaemon)
        .map(|(at, _)| *at)
        .collect();
    assert!((20..=25).contains(&restarts.len()), "{restarts:?}");
    assert!(
        restarts[0] < Duration::from_secs(60)
            && restarts.windows(2).all(|pair| pair[1] - pair[0] >= hour),
        "{restarts:?}"
    );
    assert!(
        climbed.iter().all(|(_, rung)| matches!(rung, Rung::RestartDaemon | Rung::CycleUsb)),
        "{climbed:?}"
    );
    // Once ModemManager takes it after all, it is a modem, and is missed when it goes.
    bench.see(Some(READY));
    bench.done(Rung::Reconnect, Outcome::Done);
    bench.see(None);
    let lost = bench.now;
    bench.rungs(6);
    assert!(bench.now - lost < hour, "{:?}", bench.now - lost);
}

#[test]
fn what_is_unplugged_and_never_was_a_modem_is_not_missed() {
    let mut bench = Bench::new();
    bench.see(None);
    bench.done(Rung::RestartDaemon, Outcome::Done);
    bench
        .machine
        .handle_observation(bench.at(), Observation { expected: false, daemon: true, modem: None });
    while bench.now < Duration::from_secs(24 * 3600) {
        bench.now = due(bench.machine.poll_timeout());
        bench.machine.handle_timeout(bench.at());
        assert_eq!(bench.machine.poll_effect(), None);
    }
}

#[test]
fn a_modem_that_was_there_once_is_missed() {
    let mut bench = Bench::up(61);
    bench
        .machine
        .handle_observation(bench.at(), Observation { expected: false, daemon: true, modem: None });
    let rungs = bench.rungs(2);
    // There is nothing to disconnect: for a missing modem the ladder begins with the daemon and
    // goes on with the USB.
    assert_eq!(rungs, [Rung::RestartDaemon, Rung::CycleUsb], "{rungs:?}");
}

#[test]
fn reboots_before_the_start_count_against_those_of_the_day() {
    let hour = Duration::from_secs(3600);
    let begin = 24 * hour;
    let reboots = [20, 22, 24].map(|count| START.plus(count * hour));
    let machine = Machine::new(START.plus(begin), 200, Pin::Configured, &reboots);
    let mut bench = Bench { machine, now: begin };
    bench.see(Some(READY));
    bench.done(Rung::Reconnect, Outcome::Done);
    bench.see(Some(CONNECTED));
    bench.answer_until(begin + Duration::from_secs(100));
    bench.machine.handle_car(bench.at(), Car { in_session: false, parked: true });
    bench.see(None);
    let at = loop {
        let (action, rung, _) = bench.act();
        if rung == Rung::Reboot {
            break bench.now;
        }
        bench.machine.handle_done(bench.at(), action, Outcome::Failed);
    };
    assert!(at >= 44 * hour, "{at:?}");
}
