//! Random faults: recovery and uplinks always have a next attempt, and every session is saved that
//! can be saved.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use proptest::prelude::*;
use rccar_car_core::recovery::{self, Commit, Connection, Recovery};
use rccar_car_core::timing;
use rccar_car_core::uplinks::{self, Kind, Options, Uplink, Uplinks, Why};
use rccar_protocol::units::MonotonicMicros;
use std::time::Duration;

/// The parts of the world around one session: true if they work.
#[derive(Debug, Clone, Copy)]
struct World {
    /// Packets between car and driver, over the old path and over a new one.
    old_path: bool,
    new_path: bool,
    host: bool,
    driver_answers: bool,
}

#[derive(Debug, Clone)]
enum Step {
    World(World),
    Move(u8),
    Wish,
    Wait(u16),
}

fn world() -> impl Strategy<Value = World> {
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(old_path, new_path, host, driver_answers)| World {
            old_path,
            new_path,
            host,
            driver_answers,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        world().prop_map(Step::World),
        (0u8..7).prop_map(Step::Move),
        Just(Step::Wish),
        (0u16..8_000).prop_map(Step::Wait),
    ]
}

/// A session with its surroundings, in steps of 50 ms.
struct Simulation {
    recovery: Recovery,
    world: World,
    now: MonotonicMicros,
    /// The offer that is out, and when it is answered.
    offer: Option<(Commit, MonotonicMicros)>,
    /// When a committed restart connects.
    checking: Option<MonotonicMicros>,
    has_path: bool,
    host_told: bool,
}

impl Simulation {
    fn tick(&mut self) {
        self.now = self.now.plus(Duration::from_millis(50));
        if self.world.host != self.host_told {
            self.host_told = self.world.host;
            self.recovery.handle_host(self.now, self.host_told);
        }
        if self.has_path && self.world.old_path {
            self.recovery.handle_heard(self.now);
        }
        if let Some((commit, due)) = self.offer
            && self.world.host
            && self.world.driver_answers
            && self.now >= due
        {
            self.offer = None;
            self.recovery.handle_answer(self.now);
            if commit == Commit::WithAnswer {
                self.commit();
            }
            self.checking = Some(self.now.plus(Duration::from_millis(150)));
        }
        if self.checking.is_some_and(|due| self.now >= due && self.world.new_path) {
            self.checking = None;
            self.has_path = true;
            self.world.old_path = true;
            self.recovery.handle_connection(self.now, Connection::Connected);
        }
        self.recovery.handle_timeout(self.now);
        self.carry_out();
        assert_eq!(
            self.recovery.poll_timeout().is_none(),
            self.recovery.is_ended(),
            "a next look, unless it is over"
        );
        if let Some(due) = self.recovery.poll_timeout() {
            assert!(due <= self.now.plus(timing::GIVE_UP), "{due:?} at {:?}", self.now);
        }
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.recovery.poll_effect() {
            match effect {
                recovery::Effect::Restart { commit, .. } => {
                    self.offer = Some((commit, self.now.plus(Duration::from_millis(100))));
                    if commit == Commit::AtOnce {
                        self.commit();
                    }
                }
                recovery::Effect::AskHost if self.world.host => {
                    self.recovery.handle_host_heard(self.now.plus(Duration::from_millis(20)))
                }
                _ => {}
            }
        }
    }

    fn commit(&mut self) {
        self.has_path = false;
        self.checking = None;
        self.recovery.handle_connection(self.now, Connection::Connecting);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_session_always_has_a_next_look_and_is_saved_or_ended_when_the_world_is_well(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let well = World { old_path: true, new_path: true, host: true, driver_answers: true };
        let mut simulation = Simulation {
            recovery: Recovery::new(MonotonicMicros(0), true),
            world: well,
            now: MonotonicMicros(0),
            offer: None,
            checking: None,
            has_path: true,
            host_told: true,
        };
        simulation.recovery.handle_connection(MonotonicMicros(0), Connection::Connected);
        for step in steps {
            match step {
                Step::World(world) => simulation.world = world,
                Step::Move(why) => {
                    let why = [
                        Why::First,
                        Why::Lost,
                        Why::New,
                        Why::Back,
                        Why::Changed,
                        Why::Silent,
                        Why::Better,
                    ][usize::from(why)];
                    simulation.recovery.handle_move(simulation.now, why);
                    simulation.carry_out();
                }
                Step::Wish => simulation.recovery.handle_wish(simulation.now),
                Step::Wait(ms) => (0..ms / 50).for_each(|_| simulation.tick()),
            }
        }
        simulation.world = well;
        // One retry, and one restart that waits for its answer.
        let saved_within = timing::ANSWER_WITHIN + timing::RETRY + Duration::from_secs(1);
        (0..saved_within.as_millis() / 50).for_each(|_| simulation.tick());
        let recovery = &simulation.recovery;
        let saved = recovery.is_connected() && !recovery.is_unreachable(simulation.now);
        prop_assert!(recovery.is_ended() || saved, "{recovery:?}");
    }

    #[test]
    fn the_best_uplink_that_answers_is_used_in_the_end(
        history in prop::collection::vec(
            (prop::collection::vec(0u8..4, 0..4), 0u8..4, 0u16..20_000),
            0..30,
        ),
        present in prop::collection::btree_set(0u8..4, 1..4),
        answers in prop::collection::vec(any::<bool>(), 4),
    ) {
        let kinds = [Kind::Ethernet, Kind::Wifi, Kind::Mobile, Kind::Other];
        let uplink = |n: u8| {
            let address = std::net::IpAddr::from([192, 0, 2, n + 1]);
            Uplink::new(u32::from(n) + 2, &format!("up{n}"), kinds[usize::from(n)], [address])
        };
        let mut uplinks = Uplinks::new(Options::default());
        let mut now = MonotonicMicros(0);
        for (there, silent, wait) in history {
            uplinks.handle_uplinks(now, there.iter().copied().map(uplink).collect());
            uplinks.handle_silent(now, &format!("up{silent}"));
            now = pass(&mut uplinks, now, now.plus(Duration::from_millis(wait.into())), &[true; 4]);
            let wanted = uplinks.poll_timeout();
            prop_assert!(wanted.is_none_or(|due| due > now), "what is due is done");
        }
        uplinks.handle_uplinks(now, present.iter().copied().map(uplink).collect());
        // While somebody drives, the signaling socket reports which uplinks are alive.
        let answer = |uplink: &Uplink| answers[usize::try_from(uplink.index).unwrap() - 2];
        for _ in 0..3 {
            now = pass(&mut uplinks, now, now.plus(Duration::from_secs(1)), &answers);
            if let Some(used) = uplinks.in_use().cloned()
                && !answer(&used)
            {
                uplinks.handle_silent(now, &used.name);
            }
            if let Some(living) = uplinks.order().iter().find(|uplink| answer(uplink)) {
                uplinks.handle_alive(now, &living.name.clone());
            }
        }
        let most = timing::DISTRUST_MOST + timing::RETURN_MOST + timing::PROBE_WITHIN;
        pass(&mut uplinks, now, now.plus(most), &answers);
        let best = present.iter().copied().find(|n| answers[usize::from(*n)]);
        let used = uplinks.in_use().map(|used| used.index);
        prop_assert!(used.is_some(), "one is there, so one is used");
        if let Some(best) = best {
            prop_assert_eq!(used, Some(u32::from(best) + 2));
        }
    }
}

/// Lets time pass and answers probes.
fn pass(
    uplinks: &mut Uplinks,
    mut now: MonotonicMicros,
    until: MonotonicMicros,
    answers: &[bool],
) -> MonotonicMicros {
    loop {
        while let Some(effect) = uplinks.poll_effect() {
            if let uplinks::Effect::Probe(uplink) = effect {
                uplinks.handle_probe(
                    now,
                    &uplink.name,
                    answers[usize::try_from(uplink.index).unwrap() - 2],
                );
            }
        }
        match uplinks.poll_timeout() {
            Some(due) if due <= until => {
                now = now.max(due);
                uplinks.handle_timeout(now);
            }
            _ => return until,
        }
    }
}
