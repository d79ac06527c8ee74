//! A day of random faults of a stick. `RCCAR_SEED=7` repeats one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Agenda, Climbed, DAY, Random, START, due, live_through_all};
use rccar_modem_core::{Effect, Outcome, Rung, Status, Stick, timing};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::time::Duration;

/// Within this time after the last fault the link has to be up, if it can mend itself: the longest
/// distance and the longest waits.
const RECOVERY: Duration = Duration::from_secs(30 * 60);
/// Seconds that a stick takes from the USB to an interface.
const BOOTS: u64 = 20;

/// The longest wait at +20 %, then the longest action.
fn longest_pause() -> Duration {
    timing::backoff(u32::MAX, 400) + timing::limit(Rung::CycleUsb)
}

/// A stick and everything that can be wrong with it.
#[derive(Debug, Clone, Copy)]
struct World {
    plugged_in: bool,
    /// It is off the USB or boots.
    away: bool,
    carrier: bool,
    leases: bool,
    network: bool,
    /// Carries nothing; needs at least this rung.
    hung: Option<Rung>,
    leased: bool,
}

impl World {
    const WELL: Self = Self {
        plugged_in: true,
        away: false,
        carrier: true,
        leases: true,
        network: true,
        hung: None,
        leased: false,
    };

    fn seen(&self) -> Option<bool> {
        (self.plugged_in && !self.away).then_some(self.carrier)
    }

    fn fault(&mut self, random: &mut Random) {
        match random.below(9) {
            0 => (self.plugged_in, self.leased) = (false, false),
            1 => self.carrier = false,
            2 => self.leases = false,
            3 | 4 => self.network = false,
            5 | 6 => {
                self.hung = Some(random.of(&[Rung::Reconnect, Rung::CycleBearer, Rung::CycleUsb]))
            }
            _ => *self = self.mended(),
        }
    }

    /// Only the faults that a cure helps against remain.
    fn mended(&self) -> Self {
        Self { away: self.away, hung: self.hung, leased: self.leased, ..Self::WELL }
    }

    fn act(&mut self, rung: Rung) -> Outcome {
        self.hung = self.hung.filter(|needs| rung < *needs);
        if rung == Rung::CycleUsb {
            (self.away, self.leased) = (true, false);
            return Outcome::Done;
        }
        self.leased = self.leases && self.carrier && self.seen().is_some();
        if self.leased { Outcome::Done } else { Outcome::Failed }
    }

    fn carries(&self) -> bool {
        self.leased && self.carrier && self.network && self.hung.is_none() && self.seen().is_some()
    }
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Fault,
    Lease,
    Car,
    Done(u64, Rung),
    Data,
    Back,
}

struct Day {
    seed: u64,
    random: Random,
    world: World,
    stick: Stick,
    agenda: Agenda<Due>,
    climbed: Climbed,
    last_attempt: Duration,
    /// Faults still happen.
    faulty: bool,
}

impl Day {
    fn new(seed: u64) -> Self {
        let random = Random(seed);
        let mut agenda = Agenda::new(seed);
        [Due::Fault, Due::Car, Due::Lease]
            .into_iter()
            .for_each(|due| agenda.add(Duration::ZERO, due));
        let stick = Stick::new(START, 0);
        let (climbed, last_attempt) = (Climbed::new(seed), Duration::ZERO);
        Self {
            seed,
            random,
            world: World::WELL,
            stick,
            agenda,
            climbed,
            last_attempt,
            faulty: true,
        }
    }

    fn at(&mut self) -> MonotonicMicros {
        let dice = self.random.dice();
        self.stick.handle_dice(dice);
        START.plus(self.agenda.now())
    }

    fn run_until(&mut self, end: Duration) {
        while self.agenda.now() < end {
            let stick_at = due(self.stick.poll_timeout());
            let waits = stick_at.saturating_sub(self.agenda.now());
            assert!(
                !self.stick.is_present() || waits < longest_pause(),
                "seed {}: no next attempt: {:?}",
                self.seed,
                self.stick
            );
            if let Some(due) = self.agenda.advance(stick_at, end, &self.stick) {
                self.world_acts(due);
            }
            let at = self.at();
            self.stick.handle_timeout(at);
            self.drain();
        }
    }

    fn again(&mut self, most: u64, due: Due) {
        let pause = self.random.seconds(most);
        self.agenda.add(pause, due);
    }

    fn world_acts(&mut self, due: Due) {
        let at = self.at();
        match due {
            Due::Fault => {
                self.world.fault(&mut self.random);
                self.again(1200, due);
            }
            Due::Lease => {
                self.stick.handle_lease_lost(at);
                self.again(3600, due);
            }
            Due::Car => {
                let in_session = self.random.one_in(2);
                self.stick.handle_car(at, in_session);
                self.again(1800, due);
            }
            Due::Done(action, rung) => {
                let fails = self.faulty && rung == Rung::CycleUsb && self.random.one_in(5);
                let outcome = if fails { Outcome::Failed } else { self.world.act(rung) };
                if self.world.away {
                    // The stick is seen to go before the cure reports its end.
                    self.stick.handle_seen(at, None);
                    self.again(BOOTS, Due::Back);
                }
                self.stick.handle_done(at, action, outcome);
            }
            Due::Data => {
                let carries = self.world.carries();
                self.stick.handle_data_probe(at, carries);
            }
            Due::Back => self.world.away = false,
        }
        self.observe();
    }

    fn observe(&mut self) {
        let at = self.at();
        self.stick.handle_seen(at, self.world.seen());
    }

    fn drain(&mut self) {
        while let Some(effect) = self.stick.poll_effect() {
            match effect {
                Effect::Act { action, rung, with_pin: false } => self.climb(action, rung),
                Effect::ProbeData if !self.faulty || !self.random.one_in(50) => {
                    self.agenda.add(Duration::from_millis(80), Due::Data);
                }
                Effect::ProbeData => {}
                Effect::LinkDown => self.world.leased = false,
                Effect::Abandon { action } => {
                    self.agenda
                        .retain(|due| !matches!(due, Due::Done(present, _) if *present == action));
                }
                Effect::Act { .. } | Effect::ProbeControl => {
                    panic!("seed {}: {effect:?}", self.seed)
                }
            }
        }
        while self.stick.poll_event().is_some() {}
        // A stick that is not plugged in is not missed.
        if self.stick.status() == Status::Up || !self.stick.is_present() {
            self.last_attempt = self.agenda.now();
        }
        let idle = self.agenda.now() - self.last_attempt;
        assert!(
            idle <= longest_pause(),
            "seed {}: no attempt for {idle:?}: {:?}",
            self.seed,
            self.stick
        );
    }

    fn climb(&mut self, action: u64, rung: Rung) {
        self.last_attempt = self.agenda.now();
        let apart = match rung {
            Rung::Reconnect => Duration::ZERO,
            Rung::CycleBearer => timing::CYCLE_LINK,
            Rung::CycleUsb => timing::apart(rung),
            _ => panic!("seed {}: {rung:?} is no stick's", self.seed),
        };
        self.climbed.note(self.agenda.now(), rung, apart);
        // One action in ten never ends.
        if !self.faulty || !self.random.one_in(10) {
            self.again(25, Due::Done(action, rung));
        }
    }

    /// Faults no longer happen, and a person or the network has mended what only they can mend.
    fn calm(&mut self) {
        self.faulty = false;
        self.agenda.retain(|due| !matches!(due, Due::Fault | Due::Lease | Due::Car));
        self.world = self.world.mended();
        self.observe();
    }
}

fn live_through(seed: u64) -> BTreeMap<Rung, usize> {
    let mut day = Day::new(seed);
    day.observe();
    day.run_until(DAY);
    let counts = day.climbed.counts();
    day.calm();
    day.run_until(DAY + RECOVERY);
    let up = day.stick.status() == Status::Up && day.world.carries();
    assert!(up, "seed {seed}: not up after all: {:?} in {:?}", day.stick, day.world);
    counts
}

#[test]
fn a_day_of_random_faults_of_a_stick_never_ends_without_a_next_attempt() {
    live_through_all(live_through);
}
