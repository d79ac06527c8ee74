//! When the host is dialled: examples, and promises that hold for any order of events.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_car_core::registration::standby::{self, Standby};
use rccar_car_core::registration::{
    BACKOFF_LEAST, BACKOFF_REFUSED, BACKOFF_URGENT, BACKOFF_URGENT_MOST, CODE_LIFETIME,
    DIAL_URGENTLY_WITHIN, DIAL_WITHIN, Effect, End, Event, PING_EVERY, Registration, SILENCE,
    STEP_WITHIN, Standing, WAIT_MOST,
};
use rccar_car_core::uplinks::{Kind, Move, Uplink, Why};
use rccar_protocol::claim::ClaimCode;
use rccar_protocol::text::Name;
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

const START: MonotonicMicros = MonotonicMicros(1_000_000);
const DIAL: Effect = Effect::Dial { within: DIAL_WITHIN };

fn effects(registration: &mut Registration) -> Vec<Effect> {
    std::iter::from_fn(|| registration.poll_effect()).collect()
}

fn name() -> Name {
    Name::new("Blitz").unwrap()
}

fn after(time: Duration) -> MonotonicMicros {
    START.plus(time)
}

fn uplink(name: &str) -> Uplink {
    Uplink::new(
        name.bytes().map(u32::from).sum(),
        name,
        Kind::Mobile,
        ["192.0.2.7".parse().unwrap()],
    )
}

fn to(name: &str, why: Why) -> Move {
    Move { to: Some(uplink(name)), why }
}

fn failed() -> End {
    End::Failed("it broke".to_owned())
}

/// A car that its host has registered, over this uplink.
fn registered(over: &str) -> Registration {
    let mut registration = Registration::new(START);
    registration.handle_dialled(Some(over.to_owned()));
    registration.handle_challenged(START, 7);
    let code = ClaimCode::from_random(7);
    assert_eq!(effects(&mut registration), [DIAL, Effect::Register { claim: code }]);
    assert!(registration.is_entering() && !registration.is_open());
    registration.handle_registered(START, name());
    assert_eq!(
        effects(&mut registration),
        [Effect::Hide, Effect::Stand(Standing::Registered), Effect::Up(true)]
    );
    assert!(registration.is_open() && registration.is_registered());
    registration
}

/// The wait until the next attempt.
fn lost(registration: &mut Registration) -> Duration {
    let lost = std::iter::from_fn(|| registration.poll_event()).find_map(|event| match event {
        Event::Lost { retry_in, .. } => Some(retry_in),
        _ => None,
    });
    lost.expect("it was lost")
}

#[test]
fn a_car_that_was_registered_before_does_not_wait_for_the_hosts_word() {
    let mut registration = registered("up0");
    registration.handle_ended(START, failed(), 0.0);
    effects(&mut registration);
    registration.handle_timeout(after(BACKOFF_LEAST));
    assert_eq!(effects(&mut registration), [DIAL]);
    registration.handle_challenged(START, 8);
    // The code of the first registration was used.
    assert_eq!(
        effects(&mut registration),
        [Effect::Register { claim: ClaimCode::from_random(8) }, Effect::Up(true)]
    );
    assert!(registration.is_open() && !registration.is_registered());
}

#[test]
fn a_car_that_nobody_owns_shows_its_code_until_the_connection_ends_and_shows_it_again() {
    let mut registration = Registration::new(START);
    for at in [START, after(Duration::from_secs(60))] {
        registration.handle_challenged(at, at.0);
        registration.handle_unclaimed(at);
        let code = ClaimCode::from_random(START.0);
        let seen = effects(&mut registration);
        assert!(
            seen.ends_with(&[Effect::Show(code.clone()), Effect::Stand(Standing::Unclaimed(code))]),
            "{seen:?}"
        );
        registration.handle_ended(at, failed(), 0.0);
        assert_eq!(
            effects(&mut registration),
            [Effect::Hide, Effect::Stand(Standing::Lost("it broke".to_owned()))]
        );
        registration.handle_timeout(at.plus(WAIT_MOST));
    }
}

#[test]
fn a_code_lasts_a_day() {
    let code = |later: Duration| {
        let mut registration = Registration::new(START);
        registration.handle_challenged(START, 1);
        registration.handle_ended(START, failed(), 0.0);
        registration.handle_timeout(after(later));
        registration.handle_challenged(after(later), 2);
        let mut codes = effects(&mut registration).into_iter().filter_map(|effect| match effect {
            Effect::Register { claim } => Some(claim),
            _ => None,
        });
        codes.next_back().unwrap()
    };
    assert_eq!(code(CODE_LIFETIME - Duration::from_secs(1)), ClaimCode::from_random(1));
    assert_eq!(code(CODE_LIFETIME), ClaimCode::from_random(2));
}

#[test]
fn a_refusal_costs_the_code_and_half_a_minute_that_nothing_hurries() {
    let mut registration = Registration::new(START);
    registration.handle_challenged(START, 1);
    effects(&mut registration);
    registration.handle_ended(START, End::Refused("not enrolled".to_owned()), 0.0);
    let standing = Effect::Stand(Standing::Refused("not enrolled".to_owned()));
    assert_eq!(effects(&mut registration), [Effect::Hide, standing, Effect::Hide]);
    assert_eq!(lost(&mut registration), BACKOFF_REFUSED);
    registration.handle_urgent(START, true);
    registration.handle_move(START, &to("up1", Why::Lost));
    registration.handle_suspicion(START);
    assert_eq!(
        (effects(&mut registration), registration.poll_timeout()),
        (vec![], Some(after(BACKOFF_REFUSED)))
    );
    registration.handle_timeout(after(BACKOFF_REFUSED));
    assert_eq!(effects(&mut registration), [Effect::Dial { within: DIAL_URGENTLY_WITHIN }]);
    registration.handle_challenged(after(BACKOFF_REFUSED), 2);
    assert_eq!(effects(&mut registration), [Effect::Register { claim: ClaimCode::from_random(2) }]);
}

#[test]
fn a_car_that_was_just_revoked_is_asked_again_soon() {
    let mut registration = registered("up0");
    registration.handle_ended(START, End::Forbidden("revoked".to_owned()), 1.0);
    assert!(lost(&mut registration) < Duration::from_secs(1));
    registration.handle_timeout(after(Duration::from_secs(1)));
    registration.handle_ended(
        after(Duration::from_secs(1)),
        End::Forbidden("revoked".to_owned()),
        1.0,
    );
    assert_eq!(lost(&mut registration), BACKOFF_REFUSED, "once");
}

#[test]
fn waits_grow_and_are_short_while_somebody_drives() {
    let mut registration = Registration::new(START);
    let mut now = START;
    let mut wait = |registration: &mut Registration| {
        registration.handle_ended(now, failed(), 1.0);
        now = registration.poll_timeout().unwrap();
        registration.handle_timeout(now);
        lost(registration)
    };
    let waits: Vec<_> = (0..9).map(|_| wait(&mut registration).as_millis()).collect();
    assert_eq!(waits, [600, 1_100, 2_100, 4_100, 8_100, 16_100, 30_100, 30_100, 30_100]);
    registration.handle_urgent(START, true);
    assert_eq!(wait(&mut registration), BACKOFF_URGENT_MOST);
    let mut fresh = Registration::new(START);
    fresh.handle_urgent(START, true);
    assert_eq!([wait(&mut fresh), wait(&mut fresh)], [BACKOFF_URGENT, BACKOFF_URGENT * 2]);
}

#[test]
fn somebody_who_begins_to_drive_hurries_a_wait() {
    let mut registration = Registration::new(START);
    (0..9).for_each(|_| {
        registration.handle_ended(START, failed(), 1.0);
        registration.handle_timeout(after(WAIT_MOST));
    });
    registration.handle_ended(START, failed(), 1.0);
    registration.handle_urgent(START, true);
    assert_eq!(registration.poll_timeout(), Some(after(BACKOFF_URGENT)));
}

#[test]
fn a_connection_that_lasted_makes_the_next_failure_the_first_one_again() {
    let mut registration = Registration::new(START);
    (0..5).for_each(|_| {
        registration.handle_ended(START, failed(), 1.0);
        registration.handle_timeout(after(WAIT_MOST));
    });
    registration.handle_challenged(after(WAIT_MOST), 1);
    registration.handle_registered(after(WAIT_MOST), name());
    while registration.poll_event().is_some() {}
    registration.handle_ended(after(WAIT_MOST * 3), failed(), 1.0);
    assert_eq!(lost(&mut registration), Duration::from_millis(600));
}

#[test]
fn a_connection_over_the_new_uplink_is_kept_unless_its_address_is_gone() {
    let dials = |to: &Move| {
        let mut registration = registered("up0");
        registration.handle_move(START, to);
        effects(&mut registration).contains(&DIAL)
    };
    assert!(!dials(&to("up0", Why::Silent)) && dials(&to("up1", Why::Silent)));
    assert!(!dials(&to("up0", Why::Better)) && dials(&to("up1", Why::Better)));
    assert!(dials(&to("up0", Why::Changed)) && dials(&to("up0", Why::Back)));
    assert!(!dials(&to("up0", Why::First)));
    assert!(!dials(&Move { to: None, why: Why::Lost }));
}

#[test]
fn another_uplink_ends_a_connection_at_once_and_so_does_a_suspicion() {
    let mut registration = registered("up0");
    registration.handle_suspicion(START);
    let lost = Effect::Stand(Standing::Lost("neither host nor driver answer".to_owned()));
    assert_eq!(effects(&mut registration), [Effect::Up(false), Effect::Hide, lost, DIAL]);
    // The uplink that this attempt found does not end it.
    registration.handle_dialled(Some("up1".to_owned()));
    registration.handle_move(START, &to("up1", Why::Silent));
    assert_eq!(effects(&mut registration), []);
}

#[test]
fn a_host_that_says_nothing_is_left_and_one_that_answers_is_pinged() {
    let mut registration = registered("up0");
    registration.handle_timeout(START);
    assert_eq!(effects(&mut registration), [Effect::Ping { id: 1 }]);
    registration.handle_question(after(Duration::from_secs(1)));
    assert_eq!(effects(&mut registration), [Effect::Ping { id: 2 }]);
    let due = after(Duration::from_secs(1)).plus(PING_EVERY);
    assert_eq!(registration.poll_timeout(), Some(due));
    registration.handle_heard(due);
    registration.handle_timeout(due.plus(SILENCE));
    assert_eq!(effects(&mut registration), [Effect::Ping { id: 3 }]);
    registration.handle_timeout(due.plus(SILENCE).plus(Duration::from_millis(1)));
    assert_eq!(
        effects(&mut registration),
        [Effect::HangUp(End::Failed("silent for 12s".to_owned()))]
    );
}

#[test]
fn a_host_that_does_not_answer_the_registration_is_left() {
    let mut registration = Registration::new(START);
    registration.handle_challenged(START, 1);
    effects(&mut registration);
    assert_eq!(registration.poll_timeout(), Some(after(STEP_WITHIN)));
    registration.handle_timeout(after(STEP_WITHIN));
    let why = End::Failed("no answer within 10s while registering".to_owned());
    assert_eq!(effects(&mut registration), [Effect::HangUp(why)]);
}

#[test]
fn a_connection_stands_by_over_the_second_uplink_while_somebody_drives() {
    let mut standby = Standby::default();
    let drain =
        |standby: &mut Standby| std::iter::from_fn(|| standby.poll_effect()).collect::<Vec<_>>();
    let knock = |name: &str| standby::Effect::Knock { over: uplink(name), within: standby::LASTS };
    let all = [uplink("up0"), uplink("up1")];
    standby.handle_uplinks(START, &all);
    assert_eq!((drain(&mut standby), standby.poll_timeout()), (vec![], None));
    standby.handle_urgent(START, true);
    assert_eq!(drain(&mut standby), [knock("up1")]);
    standby.handle_knocked(START, true);
    // The first uplink is lost. The second one is left, and the connection that waits goes over it.
    standby.handle_uplinks(after(Duration::from_secs(1)), &all[1..]);
    assert_eq!(drain(&mut standby), []);
    assert!(standby.take(after(Duration::from_secs(7)), "up1"));
    assert!(!standby.take(after(Duration::from_secs(7)), "up1"), "once");

    standby.handle_uplinks(START, &all);
    standby.handle_knocked(START, true);
    drain(&mut standby);
    assert!(!standby.take(after(standby::LASTS), "up1"), "the host lets nobody wait for longer");
    assert_eq!(drain(&mut standby), [standby::Effect::Drop]);

    let due = standby.poll_timeout().unwrap();
    standby.handle_timeout(due);
    assert_eq!(drain(&mut standby), [knock("up1")]);
    standby.handle_knocked(due, false);
    assert_eq!(standby.poll_timeout(), Some(due.plus(standby::AGAIN)));
    standby.handle_urgent(due, false);
    assert_eq!((drain(&mut standby), standby.poll_timeout()), (vec![], None));
}

#[derive(Debug, Clone)]
enum Step {
    Dialled(u8),
    Challenged,
    Registered,
    Unclaimed,
    Heard,
    Question,
    Ended(End, f64),
    Urgent(bool),
    Move(u8, Option<u8>),
    Suspicion,
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![
        3 => Just(failed()),
        1 => Just(End::Refused("not enrolled".to_owned())),
        1 => Just(End::Forbidden("revoked".to_owned())),
    ];
    prop_oneof![
        2 => (0u8..3).prop_map(Step::Dialled),
        6 => Just(Step::Challenged),
        5 => Just(Step::Registered),
        2 => Just(Step::Unclaimed),
        2 => Just(Step::Heard),
        1 => Just(Step::Question),
        4 => (end, prop_oneof![0.0..=1.0, Just(f64::NAN), Just(-1.0), Just(f64::INFINITY)])
            .prop_map(|(end, fraction)| Step::Ended(end, fraction)),
        2 => any::<bool>().prop_map(Step::Urgent),
        2 => (0u8..7, prop::option::of(0u8..3)).prop_map(|(why, to)| Step::Move(why, to)),
        1 => Just(Step::Suspicion),
        6 => (0u32..40_000).prop_map(Step::Wait),
    ]
}

/// The surroundings of a registration.
struct World {
    registration: Registration,
    now: MonotonicMicros,
    randoms: u64,
    /// The shell dials or has a connection.
    attempt: bool,
    /// The shell dials. Its own limit ends that, so the registration needs none.
    dialling: bool,
    up: bool,
    standing: Standing,
    /// The code that the host got on this connection.
    given: Option<ClaimCode>,
    /// Codes that were refused or used.
    spent: Vec<ClaimCode>,
    refused_until: Option<MonotonicMicros>,
}

impl World {
    fn step(&mut self, step: Step) {
        let now = self.now;
        match step {
            Step::Dialled(over) => self.registration.handle_dialled(Some(format!("up{over}"))),
            Step::Challenged => {
                self.randoms += 1;
                self.registration.handle_challenged(now, self.randoms);
            }
            Step::Registered => {
                let asked = self.registration.is_entering() || self.registration.is_open();
                self.registration.handle_registered(now, name());
                if asked {
                    self.spent.extend(self.given.take());
                }
            }
            Step::Unclaimed => self.registration.handle_unclaimed(now),
            Step::Heard => self.registration.handle_heard(now),
            Step::Question => self.registration.handle_question(now),
            Step::Ended(end, fraction) => self.end(end, fraction),
            Step::Urgent(urgent) => self.registration.handle_urgent(now, urgent),
            Step::Move(why, to) => {
                let why = [
                    Why::First,
                    Why::Lost,
                    Why::New,
                    Why::Back,
                    Why::Changed,
                    Why::Silent,
                    Why::Better,
                ][usize::from(why)];
                self.registration
                    .handle_move(now, &Move { to: to.map(|n| uplink(&format!("up{n}"))), why });
            }
            Step::Suspicion => self.registration.handle_suspicion(now),
            Step::Wait(ms) => self.wait(Duration::from_millis(ms.into())),
        }
        self.carry_out();
        assert!(
            self.dialling || self.registration.poll_timeout().is_some(),
            "nothing is due: {:?}",
            self.registration
        );
        assert_eq!(
            self.registration.is_registered(),
            self.standing == Standing::Registered,
            "people are told how it stands"
        );
        if let Some(due) = self.registration.poll_timeout() {
            assert!(due <= self.now.plus(WAIT_MOST), "{due:?} at {:?}", self.now);
        }
    }

    /// Lets time pass as a shell does: everything is done when it is due.
    fn wait(&mut self, time: Duration) {
        let until = self.now.plus(time);
        while let Some(due) = self.registration.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.registration.handle_timeout(self.now);
            assert_ne!(self.registration.poll_timeout(), Some(due), "what is due is done");
            self.carry_out();
        }
        self.now = until;
    }

    fn end(&mut self, end: End, fraction: f64) {
        if !self.attempt {
            return;
        }
        let revoked = self.up && matches!(end, End::Forbidden(_));
        if end.is_refusal() {
            self.spent.extend(self.given.take());
            self.refused_until = (!revoked).then(|| self.now.plus(BACKOFF_REFUSED));
        }
        (self.attempt, self.dialling) = (false, false);
        self.registration.handle_ended(self.now, end, fraction);
        let due = self.registration.poll_timeout().unwrap();
        assert!(
            due >= self.now.plus(BACKOFF_LEAST),
            "no attempt follows the other without a pause"
        );
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.registration.poll_effect() {
            match effect {
                Effect::Dial { .. } => {
                    let refused = self.refused_until.take();
                    assert!(refused.is_none_or(|until| self.now >= until), "a refusal was hurried");
                    (self.attempt, self.dialling) = (true, true);
                    self.given = None;
                }
                Effect::Register { claim } => {
                    assert!(self.dialling && !self.spent.contains(&claim), "a code that was spent");
                    self.dialling = false;
                    self.given = Some(claim);
                }
                Effect::Ping { .. } => assert!(self.attempt),
                Effect::HangUp(end) => self.end(end, 0.5),
                Effect::Up(up) => {
                    assert_ne!(up, self.up, "no news");
                    assert!(!up || self.attempt, "up without a connection");
                    self.up = up;
                }
                Effect::Show(code) => {
                    assert!(
                        self.given.as_ref().is_none_or(|given| *given == code),
                        "not the code that the host has"
                    )
                }
                Effect::Stand(standing) => self.standing = standing,
                Effect::Hide => {}
            }
        }
        while self.registration.poll_event().is_some() {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn something_is_always_due_and_a_refusal_is_never_hurried(
        steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut world = World {
            registration: Registration::new(START),
            now: START,
            randoms: 0,
            attempt: false,
            dialling: false,
            up: false,
            standing: Standing::default(),
            given: None,
            spent: Vec::new(),
            refused_until: None,
        };
        world.carry_out();
        for step in steps {
            world.step(step);
        }
        // After any history, a host that is back has the car again within the longest wait.
        if !world.registration.is_open() {
            world.step(Step::Ended(failed(), 1.0));
            world.step(Step::Wait(u32::try_from(WAIT_MOST.as_millis()).unwrap()));
            world.step(Step::Challenged);
        }
        world.step(Step::Registered);
        prop_assert!(world.up && world.registration.is_registered());
    }

    #[test]
    fn a_second_uplink_is_knocked_at_again_and_again_while_somebody_drives(
        steps in prop::collection::vec((0u8..5, any::<bool>(), 0u32..12_000), 0..60),
    ) {
        let all = [uplink("up0"), uplink("up1"), uplink("up2")];
        let (mut standby, mut now) = (Standby::default(), START);
        let (mut knocking, mut urgent, mut there) = (false, false, false);
        for (what, flag, ms) in steps {
            match what {
                0 => {
                    urgent = flag;
                    standby.handle_urgent(now, urgent);
                }
                1 => standby.handle_uplinks(now, &all[..usize::from(flag) + 1]),
                2 if knocking => {
                    knocking = false;
                    there |= flag;
                    standby.handle_knocked(now, flag);
                }
                3 => {
                    let taken = standby.take(now, "up1");
                    prop_assert!(!taken || there, "what is taken is there");
                    there &= !taken;
                }
                _ => {
                    now = now.plus(Duration::from_millis(ms.into()));
                    if standby.poll_timeout().is_some_and(|due| due <= now) {
                        standby.handle_timeout(now);
                    }
                }
            }
            while let Some(effect) = standby.poll_effect() {
                match effect {
                    standby::Effect::Knock { .. } => {
                        prop_assert!(
                            urgent && !knocking,
                            "one at a time, and only for somebody who drives"
                        );
                        knocking = true;
                    }
                    standby::Effect::Drop => there = false,
                }
            }
            prop_assert!(
                !urgent || knocking || standby.poll_timeout().is_some(),
                "something is due"
            );
        }
    }
}
