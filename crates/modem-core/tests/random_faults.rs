//! A day of random faults in the time of a blink. `RCCAR_SEED=7` repeats one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use rccar_modem_core::{
    Car, Effect, Fault, Machine, ModemView, Moment, Observation, Outcome, Pin, Registration, Rung, Stage, timing,
};
use std::collections::BTreeMap;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// From the last fault on, by when everything that can mend itself has to be up: the longest waits of the ladder one after the other.
const RECOVERY: Duration = Duration::from_secs(45 * 60);

/// The longest try and the longest wait, spread upward, one after the other.
fn longest_pause() -> Duration {
    timing::limit(Rung::CycleBearer) + timing::spread(timing::FAULT_LONGEST, 400)
}

/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators".
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn seconds(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most * 1000))
    }
}

/// A car's modem with what can be wrong with it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct World {
    daemon: bool,
    modem: bool,
    /// Answers nothing; needs at least this rung.
    hung: Option<Rung>,
    coverage: bool,
    denied: bool,
    sim: bool,
    /// The network ends sessions, and tells or does not.
    connected: bool,
    believed: bool,
    /// What the network says to a try.
    refusal: Option<Fault>,
    /// Fails without a reason that anybody knows; needs at least this rung.
    sick: Option<Rung>,
}

impl World {
    const WELL: Self = Self {
        daemon: true,
        modem: true,
        hung: None,
        coverage: true,
        denied: false,
        sim: true,
        connected: false,
        believed: false,
        refusal: None,
        sick: None,
    };

    fn seen(&self) -> Observation {
        let stage = if self.sim { Stage::Ready } else { Stage::Failed(Fault::SimMissing) };
        let registration = match (self.denied, self.coverage && self.sim) {
            (true, _) => Registration::Denied,
            (false, true) => Registration::Registered,
            (false, false) => Registration::Missing,
        };
        let modem = ModemView::new(stage, registration, self.believed);
        Observation { expected: true, daemon: self.daemon, modem: (self.daemon && self.modem).then_some(modem) }
    }

    /// `carried`: data have flowed. Nothing that was never well needs a reboot: what it needed was the one that has just been.
    fn fault(&mut self, random: &mut Random, carried: bool) {
        let cures = [Rung::CycleRadio, Rung::Reset, Rung::RestartDaemon, Rung::CycleUsb, Rung::Reboot];
        let cure = cures[usize::try_from(random.below(if carried { 5 } else { 4 })).unwrap()];
        match random.below(12) {
            0 | 1 => (self.connected, self.believed) = (false, false),
            2 => self.connected = false,
            3 => (self.coverage, self.connected) = (false, false),
            4 => (self.denied, self.connected, self.believed) = (true, false, false),
            5 => (self.sim, self.connected, self.believed) = (false, false, false),
            6 => (self.daemon, self.believed) = (false, false),
            7 => (self.modem, self.connected, self.believed) = (false, false, false),
            8 => (self.hung, self.connected) = (Some(cure.max(Rung::Reset)), false),
            9 => self.refusal = Some([Fault::Apn, Fault::Credentials, Fault::Roaming][usize::try_from(random.below(3)).unwrap()]),
            10 => (self.sick, self.connected) = (Some(cure), false),
            // Everything that a person or the network mends is mended.
            _ => {
                *self = Self { hung: self.hung, sick: self.sick, connected: self.connected, believed: self.believed, ..Self::WELL }
            }
        }
    }

    fn act(&mut self, rung: Rung) -> Outcome {
        if rung >= Rung::Reset {
            (self.connected, self.believed) = (false, false);
        }
        self.hung = self.hung.filter(|needs| rung < *needs);
        self.sick = self.sick.filter(|needs| rung < *needs);
        match rung {
            Rung::Reconnect | Rung::CycleBearer => self.connect(),
            Rung::CycleRadio | Rung::Reset if self.hung.is_some() || !self.daemon || !self.modem => Outcome::Mute,
            Rung::CycleRadio | Rung::Reset => Outcome::Done,
            Rung::RestartDaemon | Rung::CycleUsb | Rung::Reboot => {
                (self.daemon, self.modem) = (true, true);
                Outcome::Done
            }
        }
    }

    fn connect(&mut self) -> Outcome {
        match *self {
            Self { hung: Some(_), .. } => return Outcome::Mute,
            Self { daemon: false, .. } | Self { modem: false, .. } | Self { sim: false, .. } => return Outcome::Failed,
            Self { denied: true, .. } => return Outcome::Refused(Fault::Denied),
            Self { refusal: Some(fault), .. } => return Outcome::Refused(fault),
            Self { coverage: false, .. } => return Outcome::NoNetwork,
            Self { sick: Some(_), .. } => return Outcome::Failed,
            _ => {}
        }
        (self.connected, self.believed) = (true, true);
        Outcome::Done
    }

    fn needs_person(&self) -> bool {
        !self.sim || self.denied || self.refusal.is_some()
    }
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Fault,
    Done(u64, Rung),
    Data,
    Control,
    Car,
}

struct Day {
    seed: u64,
    random: Random,
    world: World,
    machine: Machine,
    now: Duration,
    car: Car,
    due: Vec<(Duration, Due)>,
    climbed: BTreeMap<Rung, Vec<Duration>>,
    last_attempt: Duration,
    /// Faults still happen.
    faulty: bool,
    carried: bool,
    /// ModemManager has had the modem: what it never had is looked after once an hour.
    had_modem: bool,
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let machine = Machine::new(Moment { now: Duration::ZERO, dice: 0 }, Pin::Configured, &[]);
        let due = vec![(random.seconds(60), Due::Fault), (random.seconds(60), Due::Car)];
        let (now, climbed) = (Duration::ZERO, BTreeMap::new());
        let (car, world, faulty, carried) = (Car::default(), World::WELL, true, false);
        Self { seed, random, world, machine, now, car, due, climbed, last_attempt: now, faulty, carried, had_modem: false }
    }

    fn at(&mut self) -> Moment {
        Moment { now: self.now, dice: u32::try_from(self.random.next() >> 32).unwrap() }
    }

    fn run_until(&mut self, end: Duration) {
        let mut spins = 0;
        while self.now < end {
            let machine_at = self.machine.poll_timeout();
            assert!(machine_at < self.now + self.longest_pause(), "seed {}: no next attempt: {:?}", self.seed, self.machine);
            let world_at = self.due.iter().map(|(at, _)| *at).min().unwrap_or(Duration::MAX);
            let next = machine_at.min(world_at).max(self.now);
            spins = if next == self.now { spins + 1 } else { 0 };
            assert!(spins < 1000, "seed {}: time stands still: {:?}", self.seed, self.machine);
            self.now = next.min(end);
            if world_at <= self.now {
                self.world_acts();
            }
            let at = self.at();
            self.machine.handle_timeout(at);
            self.drain();
        }
    }

    fn world_acts(&mut self) {
        let index = self.due.iter().position(|(at, _)| *at <= self.now).unwrap();
        let (_, due) = self.due.remove(index);
        let at = self.at();
        match due {
            Due::Fault => {
                self.world.fault(&mut self.random, self.carried);
                let pause = self.random.seconds(1200);
                self.due.push((self.now + pause, Due::Fault));
            }
            Due::Car => {
                let parked = self.random.below(2) == 0;
                self.car = Car { in_session: !parked, parked };
                self.machine.handle_car(at, self.car);
                let pause = self.random.seconds(1800);
                self.due.push((self.now + pause, Due::Car));
            }
            Due::Done(action, rung) => {
                let outcome = self.world.act(rung);
                self.machine.handle_done(at, action, outcome);
            }
            Due::Data => {
                let flows = self.world.connected && self.world.coverage && self.world.hung.is_none();
                self.machine.handle_data_probe(at, flows);
                self.carried |= flows && self.machine.is_up();
            }
            Due::Control => {
                let answers = self.world.hung.is_none() && self.world.daemon && self.world.modem;
                self.machine.handle_control_probe(at, answers);
            }
        }
        let at = self.at();
        let seen = self.world.seen();
        self.had_modem |= seen.modem.is_some();
        self.machine.handle_observation(at, seen);
    }

    fn longest_pause(&self) -> Duration {
        if self.had_modem { longest_pause() } else { timing::STRANGER }
    }

    fn drain(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Act { action, rung, .. } => self.climb(action, rung),
                // Lost answers are a part of life, as long as there are faults.
                Effect::ProbeData if self.random.below(50) > 0 || !self.faulty => {
                    self.due.push((self.now + Duration::from_millis(80), Due::Data))
                }
                Effect::ProbeControl if self.random.below(50) > 0 || !self.faulty => {
                    self.due.push((self.now + Duration::from_millis(90), Due::Control))
                }
                Effect::ProbeData | Effect::ProbeControl | Effect::LinkDown => {}
                Effect::Abandon { action } => {
                    self.due.retain(|(_, due)| !matches!(due, Due::Done(present, _) if *present == action))
                }
            }
        }
        while self.machine.poll_event().is_some() {}
        if self.machine.is_up() {
            self.last_attempt = self.now;
        }
        let idle = self.now - self.last_attempt;
        assert!(idle <= self.longest_pause(), "seed {}: no attempt for {idle:?}: {:?}", self.seed, self.machine);
    }

    fn climb(&mut self, action: u64, rung: Rung) {
        self.last_attempt = self.now;
        if rung == Rung::Reboot {
            assert!(self.car.parked, "seed {}: reboots while somebody drives", self.seed);
        }
        if let Some(last) = self.climbed.get(&rung).and_then(|times| times.last()) {
            assert!(self.now - *last >= timing::apart(rung), "seed {}: {rung:?} after {:?}", self.seed, self.now - *last);
        }
        if matches!(rung, Rung::Reset | Rung::CycleUsb | Rung::Reboot) {
            let hopeless = self.world.needs_person() && self.world.daemon && self.world.modem && self.machine.fault().is_some();
            assert!(!hopeless, "seed {}: {rung:?} although a person is needed: {:?}", self.seed, self.world);
        }
        self.climbed.entry(rung).or_default().push(self.now);
        // One in ten never comes back. After the faults all do: as many reboots in vain as a day may have would end the next day as well.
        if self.random.below(10) > 0 || !self.faulty {
            let takes = self.random.seconds(40);
            self.due.push((self.now + takes, Due::Done(action, rung)));
        }
    }

    /// The faults end; what only a person can mend is mended.
    fn calm(&mut self) {
        self.faulty = false;
        self.due.retain(|(_, due)| !matches!(due, Due::Fault));
        self.world = World {
            hung: self.world.hung,
            sick: self.world.sick,
            ..World { connected: self.world.connected, believed: self.world.believed, ..World::WELL }
        };
        self.car = Car { in_session: false, parked: true };
        self.due.retain(|(_, due)| !matches!(due, Due::Car));
        let at = self.at();
        self.machine.handle_car(at, self.car);
        let at = self.at();
        self.machine.handle_observation(at, self.world.seen());
    }
}

fn live_through(seed: u64) -> BTreeMap<Rung, usize> {
    let mut day = Day::new(seed);
    day.run_until(DAY);
    for reboots in day.climbed.get(&Rung::Reboot).into_iter() {
        assert!(reboots.len() <= timing::REBOOTS_A_DAY, "seed {seed}: {reboots:?}");
    }
    let counts = day.climbed.iter().map(|(rung, times)| (*rung, times.len())).collect();
    // Reboots are used up by then, perhaps: those that need one wait for the next day.
    let needs_reboot = [day.world.hung, day.world.sick].contains(&Some(Rung::Reboot));
    day.calm();
    day.run_until(DAY + RECOVERY + if needs_reboot { DAY } else { Duration::ZERO });
    assert!(day.machine.is_up() && day.world.connected, "seed {seed}: not up after all: {:?} in {:?}", day.machine, day.world);
    counts
}

#[test]
fn a_day_of_random_faults_never_ends_without_a_next_attempt() {
    let seeds = match std::env::var("RCCAR_SEED") {
        Ok(seed) => {
            let seed = seed.parse().unwrap();
            seed..seed + 1
        }
        Err(_) => {
            // Another hundred days every time, and the seed is told by whatever fails.
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
            now * 1000..now * 1000 + 100
        }
    };
    println!("seeds {seeds:?}; RCCAR_SEED=… repeats one");
    let mut total: BTreeMap<Rung, usize> = BTreeMap::new();
    for seed in seeds {
        for (rung, count) in live_through(seed) {
            *total.entry(rung).or_default() += count;
        }
    }
    println!("climbed: {total:?}");
}
