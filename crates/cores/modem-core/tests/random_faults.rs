//! A day of random faults in the time of a blink. `RCCAR_SEED=7` repeats one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Agenda, Climbed, DAY, Random, START, due, live_through_all};
use rccar_modem_core::{
    Car, Effect, Fault, Machine, ModemView, Observation, Outcome, Pin, Registration, Rung, Stage,
    timing,
};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::time::Duration;

/// Within this time after the last fault the link has to be up, if it can mend itself: the sum of
/// the longest waits of the ladder.
const RECOVERY: Duration = Duration::from_secs(45 * 60);

/// The longest try, then the longest wait at +20 %.
fn longest_pause() -> Duration {
    timing::limit(Rung::CycleBearer) + timing::spread(timing::FAULT_LONGEST, 400)
}

/// A car's modem and everything that can be wrong with it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct World {
    daemon: bool,
    modem: bool,
    /// Answers nothing; needs at least this rung.
    hung: Option<Rung>,
    coverage: bool,
    denied: bool,
    sim: bool,
    /// Data flows; `believed` is what ModemManager believes. The network may end a connection
    /// without a word.
    connected: bool,
    believed: bool,
    /// The network's answer to a try.
    refusal: Option<Fault>,
    /// Fails for an unknown reason; needs at least this rung.
    sick: Option<Rung>,
    /// Never gets ready, or reports that it failed; needs at least this rung.
    stuck: Option<(Stage, Rung)>,
    /// Wants a code. `pin_wrong`: the configured PIN is not that code.
    lock: Option<Stage>,
    pin_wrong: bool,
    /// The kernel shows it. ModemManager may have it even when the kernel does not.
    on_usb: bool,
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
        stuck: None,
        lock: None,
        pin_wrong: false,
        on_usb: true,
    };

    fn seen(&self) -> Observation {
        let stage = match (self.sim, self.stuck, self.lock) {
            (false, ..) => Stage::Failed(Fault::SimMissing),
            (true, Some((stage, _)), _) | (true, None, Some(stage)) => stage,
            (true, None, None) => Stage::Ready,
        };
        let registration = match (self.denied, self.coverage && stage == Stage::Ready) {
            (true, _) => Registration::Denied,
            (false, true) => Registration::Registered,
            (false, false) => Registration::Missing,
        };
        let modem = ModemView::new(stage, registration, self.believed);
        Observation {
            expected: self.on_usb,
            daemon: self.daemon,
            modem: (self.daemon && self.modem).then_some(modem),
        }
    }

    /// `carried`: data has flowed since the start. Only then may a fault need a reboot.
    fn fault(&mut self, random: &mut Random, carried: bool) {
        let cures =
            [Rung::CycleRadio, Rung::Reset, Rung::RestartDaemon, Rung::CycleUsb, Rung::Reboot];
        let cure = random.of(&cures[..if carried { 5 } else { 4 }]);
        match random.below(18) {
            0 | 1 => (self.connected, self.believed) = (false, false),
            2 => self.connected = false,
            3 => (self.coverage, self.connected) = (false, false),
            4 => (self.denied, self.connected, self.believed) = (true, false, false),
            5 => (self.sim, self.connected, self.believed) = (false, false, false),
            6 => (self.daemon, self.believed) = (false, false),
            7 => (self.modem, self.connected, self.believed) = (false, false, false),
            8 => (self.hung, self.connected) = (Some(cure.max(Rung::Reset)), false),
            9 => self.refusal = Some(random.of(&[Fault::Apn, Fault::Credentials, Fault::Roaming])),
            10 => (self.sick, self.connected) = (Some(cure), false),
            11 => {
                self.stuck =
                    Some((random.of(&[Stage::Starting, Stage::Broken]), cure.max(Rung::Reset)));
                (self.connected, self.believed) = (false, false);
            }
            12 | 13 => {
                let tries = random.of(&[Some(3), Some(2), Some(1), None]);
                (self.lock, self.pin_wrong) = (Some(Stage::LockedByPin(tries)), random.one_in(2));
                (self.connected, self.believed) = (false, false);
            }
            14 => {
                (self.lock, self.connected, self.believed) =
                    (Some(Stage::LockedForGood), false, false)
            }
            15 => self.on_usb = false,
            // A person or the network mends everything that they can.
            _ => *self = self.mended(),
        }
    }

    /// Only the faults that a cure helps against remain.
    fn mended(&self) -> Self {
        let Self { hung, sick, stuck, connected, believed, .. } = *self;
        Self { hung, sick, stuck, connected, believed, ..Self::WELL }
    }

    fn act(&mut self, rung: Rung, with_pin: bool) -> Outcome {
        if !rung.needs_modem() {
            (self.connected, self.believed) = (false, false);
        }
        self.hung = self.hung.filter(|needs| rung < *needs);
        self.sick = self.sick.filter(|needs| rung < *needs);
        self.stuck = self.stuck.filter(|(_, needs)| rung < *needs);
        match rung {
            Rung::Reconnect | Rung::CycleBearer => self.connect(with_pin),
            Rung::CycleRadio | Rung::Reset
                if self.hung.is_some() || !self.daemon || !self.modem =>
            {
                Outcome::Mute
            }
            Rung::CycleRadio | Rung::Reset => Outcome::Done,
            Rung::RestartDaemon | Rung::CycleUsb | Rung::Reboot => {
                (self.daemon, self.modem) = (true, true);
                Outcome::Done
            }
        }
    }

    fn connect(&mut self, with_pin: bool) -> Outcome {
        match *self {
            Self { hung: Some(_), .. } => return Outcome::Mute,
            Self { daemon: false, .. } | Self { modem: false, .. } | Self { sim: false, .. } => {
                return Outcome::Failed;
            }
            Self { stuck: Some(_), .. } => return Outcome::Failed,
            Self { lock: Some(Stage::LockedByPin(left)), pin_wrong: true, .. } if with_pin => {
                self.lock = Some(Stage::LockedByPin(left.map(|left| left - 1)));
                return Outcome::Refused(Fault::PinWrong);
            }
            Self { lock: Some(Stage::LockedByPin(_)), .. } if with_pin => self.lock = None,
            Self { lock: Some(_), .. } => return Outcome::Failed,
            _ => {}
        }
        match *self {
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
        (!self.sim || self.denied || self.refusal.is_some() || self.lock.is_some())
            && self.stuck.is_none()
    }
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Fault,
    Done(u64, Rung, bool),
    Data,
    Control,
    Car,
    Lease,
}

struct Day {
    seed: u64,
    random: Random,
    world: World,
    machine: Machine,
    car: Car,
    agenda: Agenda<Due>,
    climbed: Climbed,
    last_attempt: Duration,
    /// Faults still happen.
    faulty: bool,
    carried: bool,
    /// ModemManager has had the modem. A device that it never had is cured only once an hour.
    had_modem: bool,
    /// The PIN was refused, and the SIM has neither been out nor open since.
    refused: bool,
}

impl Day {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let machine = Machine::new(START, 0, Pin::Configured, &[]);
        let mut agenda = Agenda::new(seed);
        for (within, due) in [(60, Due::Fault), (60, Due::Car), (3600, Due::Lease)] {
            agenda.add(random.seconds(within), due);
        }
        let (car, world, faulty, carried) = (Car::default(), World::WELL, true, false);
        Self {
            seed,
            random,
            world,
            machine,
            car,
            agenda,
            climbed: Climbed::new(seed),
            last_attempt: Duration::ZERO,
            faulty,
            carried,
            had_modem: false,
            refused: false,
        }
    }

    fn at(&mut self) -> MonotonicMicros {
        let dice = self.random.dice();
        self.machine.handle_dice(dice);
        START.plus(self.agenda.now())
    }

    fn run_until(&mut self, end: Duration) {
        while self.agenda.now() < end {
            let machine_at = due(self.machine.poll_timeout());
            assert!(
                machine_at < self.agenda.now() + self.longest_pause(),
                "seed {}: no next attempt: {:?}",
                self.seed,
                self.machine
            );
            if let Some(due) = self.agenda.advance(machine_at, end, &self.machine) {
                self.world_acts(due);
            }
            let at = self.at();
            self.machine.handle_timeout(at);
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
                self.world.fault(&mut self.random, self.carried);
                self.again(1200, due);
            }
            Due::Car => {
                let parked = self.random.one_in(2);
                self.car = Car { in_session: !parked, parked };
                self.machine.handle_car(at, self.car);
                self.again(1800, due);
            }
            Due::Lease => {
                self.machine.handle_lease_lost(at);
                self.again(3600, due);
            }
            Due::Done(action, rung, with_pin) => {
                // The configuration or the system may forbid a cure: then it fails, too.
                let fails = self.faulty && !rung.needs_modem() && self.random.one_in(5);
                let outcome = if fails { Outcome::Failed } else { self.world.act(rung, with_pin) };
                self.refused |= outcome == Outcome::Refused(Fault::PinWrong);
                self.machine.handle_done(at, action, outcome);
            }
            Due::Data => {
                let flows =
                    self.world.connected && self.world.coverage && self.world.hung.is_none();
                self.machine.handle_data_probe(at, flows);
                self.carried |= flows && self.machine.is_up();
            }
            Due::Control => {
                let answers = self.world.hung.is_none() && self.world.daemon && self.world.modem;
                self.machine.handle_control_probe(at, answers);
            }
        }
        self.observe();
    }

    fn observe(&mut self) {
        let at = self.at();
        let seen = self.world.seen();
        self.had_modem |= seen.modem.is_some();
        let open = |stage| matches!(stage, Stage::Ready | Stage::Failed(Fault::SimMissing));
        self.refused &= !seen.modem.is_some_and(|modem| open(modem.stage));
        self.machine.handle_observation(at, seen);
    }

    fn longest_pause(&self) -> Duration {
        longest_pause() + if self.had_modem { Duration::ZERO } else { timing::STRANGER }
    }

    fn drain(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Act { action, rung, with_pin } => self.climb(action, rung, with_pin),
                // While there are faults, some answers are lost.
                Effect::ProbeData if !self.random.one_in(50) || !self.faulty => {
                    self.agenda.add(Duration::from_millis(80), Due::Data)
                }
                Effect::ProbeControl if !self.random.one_in(50) || !self.faulty => {
                    self.agenda.add(Duration::from_millis(90), Due::Control)
                }
                Effect::ProbeData | Effect::ProbeControl | Effect::LinkDown => {}
                Effect::Abandon { action } => self
                    .agenda
                    .retain(|due| !matches!(due, Due::Done(present, ..) if *present == action)),
            }
        }
        while self.machine.poll_event().is_some() {}
        // A device that never was a modem is not missed when it is unplugged.
        if self.machine.is_up() || !self.machine.is_expected() {
            self.last_attempt = self.agenda.now();
        }
        let idle = self.agenda.now() - self.last_attempt;
        assert!(
            idle <= self.longest_pause(),
            "seed {}: no attempt for {idle:?}: {:?}",
            self.seed,
            self.machine
        );
    }

    fn climb(&mut self, action: u64, rung: Rung, with_pin: bool) {
        self.last_attempt = self.agenda.now();
        assert!(
            !with_pin || !self.refused,
            "seed {}: a refused PIN is sent again: {:?}",
            self.seed,
            self.machine
        );
        if rung == Rung::Reboot {
            assert!(self.car.parked, "seed {}: reboots while somebody drives", self.seed);
        }
        if matches!(rung, Rung::Reset | Rung::CycleUsb | Rung::Reboot) {
            let hopeless = self.world.needs_person()
                && self.world.daemon
                && self.world.modem
                && self.machine.fault().is_some();
            assert!(
                !hopeless,
                "seed {}: {rung:?} although a person is needed: {:?}",
                self.seed, self.world
            );
        }
        self.climbed.note(self.agenda.now(), rung, timing::apart(rung));
        // One action in ten never ends. After the faults all end: otherwise a day's reboots could
        // be used up without success, and the link would not be up on the next day either.
        if !self.random.one_in(10) || !self.faulty {
            self.again(40, Due::Done(action, rung, with_pin));
        }
    }

    /// Faults no longer happen, and a person has mended what only a person can mend.
    fn calm(&mut self) {
        self.faulty = false;
        self.agenda.retain(|due| !matches!(due, Due::Fault | Due::Lease | Due::Car));
        self.world = self.world.mended();
        self.car = Car { in_session: false, parked: true };
        let at = self.at();
        self.machine.handle_car(at, self.car);
        self.observe();
    }
}

fn live_through(seed: u64) -> BTreeMap<Rung, usize> {
    let mut day = Day::new(seed);
    day.run_until(DAY);
    let reboots = day.climbed.of(Rung::Reboot);
    assert!(reboots.len() <= timing::REBOOTS_A_DAY, "seed {seed}: {reboots:?}");
    let counts = day.climbed.counts();
    // The day's reboots may be used up. A fault that needs one waits for the next day.
    let needs_reboot = [day.world.hung, day.world.sick, day.world.stuck.map(|(_, needs)| needs)]
        .contains(&Some(Rung::Reboot));
    day.calm();
    day.run_until(DAY + RECOVERY + if needs_reboot { DAY } else { Duration::ZERO });
    assert!(
        day.machine.is_up() && day.world.connected,
        "seed {seed}: not up after all: {:?} in {:?}",
        day.machine,
        day.world
    );
    counts
}

#[test]
fn a_day_of_random_faults_never_ends_without_a_next_attempt() {
    live_through_all(live_through);
}
