//! A simulated car with a bootloader, a disk, a host and a driver, in simulated time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code, reason = "tests")]

use rccar_protocol::units::MonotonicMicros;
use rccar_update_core::{
    Boot, CarStatus, Effect, Fault, Input, InstallNews, Machine, Mark, Month, Release, Saved,
    Settings, Source, State, Status, Traffic, Version, Wish,
};
use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) const V1: Version = Version::new(1, 0, 0);
pub(crate) const V2: Version = Version::new(2, 0, 0);
pub(crate) const V3: Version = Version::new(3, 0, 0);

/// How a version turns out on this car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    /// Its kernel panics.
    DoesNotStart,
    /// It boots, but the camera gives nothing.
    NoPicture,
    /// The installer refuses it.
    Refused,
    /// It was made for another board.
    WrongBoard,
}

/// A slot as the bootloader sees it.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    /// `None`: empty, or half written.
    pub(crate) version: Option<Version>,
    pub(crate) tries: u32,
}

pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) kinds: BTreeMap<Version, Kind>,
    pub(crate) offered: Option<Version>,
    pub(crate) driver: bool,
    pub(crate) registered: bool,
    pub(crate) link: bool,
    pub(crate) metered: bool,
    pub(crate) battery_mv: Option<u32>,
    pub(crate) size: u64,
    pub(crate) slots: [Slot; 2],
    pub(crate) first: usize,
    pub(crate) booted: usize,
    pub(crate) disk: Saved,
    pub(crate) machine: Machine,
    pub(crate) now: MonotonicMicros,
    pub(crate) dice: u32,
    pub(crate) boots: u32,
    pub(crate) checks: u32,
    /// Installations begun, by version.
    pub(crate) installs: BTreeMap<Version, u32>,
    pub(crate) fetched: u64,
    frames: u64,
    install: Option<(Release, u64)>,
    traffic: Traffic,
    answer: Option<Input>,
    rebooting: bool,
}

const TRIES: u32 = 3;
const MONTH: Option<Month> = Some(Month { year: 2026, month: 11 });
/// Bytes a second of the simulated link.
pub(crate) const RATE: u64 = 100_000;

impl World {
    /// A card as it is flashed: version 1 in slot A, slot B empty.
    pub(crate) fn new(settings: Settings) -> Self {
        let boot = Boot { slot: "A".into(), running: V1, primary: Some("A".into()) };
        let mut world = Self {
            machine: Machine::new(
                MonotonicMicros(0),
                0,
                None,
                settings.clone(),
                Saved::default(),
                boot,
            ),
            settings,
            kinds: BTreeMap::from([(V1, Kind::Good)]),
            offered: None,
            driver: false,
            registered: true,
            link: true,
            metered: false,
            battery_mv: None,
            size: 3_000_000,
            slots: [Slot { version: Some(V1), tries: TRIES }, Slot { version: None, tries: 0 }],
            first: 0,
            booted: 0,
            disk: Saved::default(),
            now: MonotonicMicros(0),
            dice: 12_345,
            boots: 0,
            checks: 0,
            installs: BTreeMap::new(),
            fetched: 0,
            frames: 0,
            install: None,
            traffic: Traffic::Hold,
            answer: None,
            rebooting: false,
        };
        world.boot();
        world
    }

    pub(crate) fn release(&mut self, version: Version, kind: Kind) {
        self.kinds.insert(version.clone(), kind);
        self.offered = Some(version);
    }

    pub(crate) fn running(&self) -> &Version {
        self.slots[self.booted].version.as_ref().expect("what runs was written")
    }

    pub(crate) fn status(&self) -> Status {
        self.machine.status(self.now)
    }

    pub(crate) fn state(&self) -> State {
        self.status().state
    }

    pub(crate) fn reason(&self) -> String {
        self.status().reason.unwrap_or_default()
    }

    pub(crate) fn installs_of(&self, version: &Version) -> u32 {
        self.installs.get(version).copied().unwrap_or(0)
    }

    pub(crate) fn wish(&mut self, version: Version, downgrade: bool) {
        self.roll();
        self.machine.handle_wish(self.now, Wish::Install { version, downgrade }).unwrap();
        while self.effect() {}
    }

    /// Power is lost at this moment and comes back.
    pub(crate) fn boot(&mut self) {
        self.boots += 1;
        assert!(self.boots < 10_000, "the car only boots");
        let slot = loop {
            let order = [self.first, 1 - self.first];
            let Some(slot) = order.into_iter().find(|slot| self.slots[*slot].tries > 0) else {
                // The boot script does the same when no slot has tries left.
                self.slots.iter_mut().for_each(|slot| slot.tries = TRIES);
                continue;
            };
            self.slots[slot].tries -= 1;
            let starts = |version: &Version| self.kinds[version] != Kind::DoesNotStart;
            if self.slots[slot].version.as_ref().is_some_and(starts) {
                break slot;
            }
        };
        self.booted = slot;
        self.now = MonotonicMicros(8_000_000);
        (self.install, self.answer, self.rebooting, self.frames) = (None, None, false, 0);
        let boot = Boot {
            slot: name(slot),
            running: self.running().clone(),
            primary: Some(name(self.primary())),
        };
        self.machine = Machine::new(
            self.now,
            self.dice,
            MONTH,
            self.settings.clone(),
            self.disk.clone(),
            boot,
        );
    }

    pub(crate) fn run(&mut self, time: Duration) {
        for _ in 0..time.as_secs() {
            self.second();
        }
    }

    /// Runs until the condition holds; panics after ten simulated hours.
    pub(crate) fn until(&mut self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..36_000 {
            if condition(self) {
                return;
            }
            self.second();
        }
        panic!("{what} did not come: {:?} of {:?}", self.status(), self.disk);
    }

    /// One second: `rccar-car` reports, the transfer goes on, time passes.
    pub(crate) fn second(&mut self) {
        let before = self.now;
        self.now = self.now.plus(Duration::from_secs(1));
        let picture = self.kinds[self.running()] != Kind::NoPicture;
        if self.driver && picture {
            self.frames += 30;
        }
        self.handle(Input::Link { metered: self.metered });
        self.tell_car();
        if let Some(answer) = self.answer.take() {
            self.handle(answer);
        }
        self.transfer();
        if let Some(due) = self.machine.poll_timeout() {
            assert!(due > before, "a time in the past would keep the program spinning");
        }
        self.roll();
        self.machine.handle_timeout(self.now);
        while self.effect() {}
    }

    pub(crate) fn tell_car(&mut self) {
        self.handle(Input::Car(Some(CarStatus {
            registered: self.registered,
            frames: self.frames,
            drive_alive: true,
            armed: self.driver,
            in_session: self.driver,
            battery_mv: self.battery_mv,
        })));
    }

    /// Does the next effect; false if there is none.
    pub(crate) fn effect(&mut self) -> bool {
        if self.rebooting {
            self.boot();
            return true;
        }
        let Some(effect) = self.machine.poll_effect() else { return false };
        let disturbing =
            matches!(effect, Effect::Install(_) | Effect::Reboot | Effect::Mark(Mark::Bad));
        assert!(!(disturbing && self.driver), "{effect:?} while somebody drives");
        match effect {
            Effect::Save(saved) => self.disk = *saved,
            Effect::Check { .. } => {
                self.checks += 1;
                self.answer = Some(Input::Answer(if self.link {
                    Ok(self.offered.clone().map(|v| self.bundle(v)))
                } else {
                    Err("no link".into())
                }));
            }
            Effect::Install(release) => {
                let pending = self.disk.pending.as_ref().expect("saved before it begins");
                assert_eq!(pending.version, release.version);
                *self.installs.entry(release.version.clone()).or_default() += 1;
                let idle = &mut self.slots[1 - self.booted];
                (idle.version, idle.tries) = (None, 0);
                self.install = Some((release, 0));
            }
            Effect::Traffic(traffic) => self.traffic = traffic,
            Effect::TestCamera => {
                if self.kinds[self.running()] != Kind::NoPicture {
                    self.frames += 5;
                }
            }
            Effect::Mark(mark) => {
                self.slots[self.booted].tries = if mark == Mark::Good { TRIES } else { 0 };
                self.handle(Input::Marked(Ok(())));
            }
            Effect::Reboot => self.rebooting = true,
        }
        true
    }

    pub(crate) fn bundle(&self, version: Version) -> Release {
        Release { version, size: self.size, source: Source::Host("/bundle".into()) }
    }

    fn transfer(&mut self) {
        let Some((release, done)) = self.install.clone() else { return };
        match self.kinds[&release.version] {
            Kind::Refused => {
                return self
                    .fail(Fault::Version("the signature is not one that this car trusts".into()));
            }
            Kind::WrongBoard => {
                return self.fail(Fault::Final("it is made for another board".into()));
            }
            _ if !self.link => return self.fail(Fault::Passing("the link was lost".into())),
            _ => {}
        }
        let allowed = match &mut self.traffic {
            Traffic::Hold => return,
            Traffic::Flow { budget: None } => RATE,
            Traffic::Flow { budget: Some(budget) } => {
                let bytes = RATE.min(*budget);
                *budget -= bytes;
                bytes
            }
        };
        if allowed == 0 {
            return self.fail(Fault::Passing("the cap is reached".into()));
        }
        if self.metered {
            self.fetched += allowed;
            self.handle(Input::Fetched(allowed));
        }
        let done = done + allowed;
        if done < release.size {
            self.handle(Input::Install(InstallNews::Percent(
                u8::try_from(done * 100 / release.size).unwrap(),
            )));
            self.install = Some((release, done));
            return;
        }
        self.install = None;
        self.first = 1 - self.booted;
        self.slots[self.first] = Slot { version: Some(release.version), tries: TRIES };
        self.handle(Input::Install(InstallNews::Done));
    }

    fn fail(&mut self, fault: Fault) {
        self.install = None;
        self.handle(Input::Install(InstallNews::Failed(fault)));
    }

    fn handle(&mut self, input: Input) {
        self.roll();
        self.machine.handle_input(self.now, input);
    }

    fn roll(&mut self) {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.machine.handle_dice(self.dice);
        self.machine.handle_month(MONTH);
    }

    fn primary(&self) -> usize {
        [self.first, 1 - self.first]
            .into_iter()
            .find(|slot| self.slots[*slot].tries > 0)
            .unwrap_or(self.first)
    }
}

fn name(slot: usize) -> String {
    ["A", "B"][slot].to_owned()
}
