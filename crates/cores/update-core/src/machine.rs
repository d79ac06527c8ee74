//! The states of an update.
//!
//! ```text
//!   ┌──────┐ 1 offer  ┌─────────┐ 3 nothing holds it ┌────────────┐ 5 done ┌─────────┐ 7 parked ┌───────────┐
//!   │ Idle │─────────►│ Offered │───────────────────►│ Installing │───────►│ Waiting │─────────►│ Rebooting │
//!   │      │◄─────────│         │◄───────────────────│            │        │         │◄─────────│           │
//!   └──────┘ 2 gone   └─────────┘ 4 failed           └────────────┘ 6      └─────────┘ 8 still  └─────┬─────┘
//!      ▲                                               held while driven        ▲        here         │
//!      │ 13 fell back, or left for good                                         │ not booted yet      │ boot
//!      ├───────────────────────────────┐                                        └─────────────────────┤
//!      │ 10 healthy                    │                                                              │
//!   ┌──┴────┐ 11 not within the limit ┌┴──────────┐ 12 marked bad, disarmed: reboot                   │
//!   │ Trial │────────────────────────►│ Condemned │──────────────────────────► boot                   │
//!   └───────┘◄────────────────────────┴───────────┴─────────────── 9 the new slot is booted ◄─────────┘
//! ```
//!
//! 1. The host offers a version that is newer than the running one, or the owner asks for one.
//! 2. The host no longer offers it, or the owner's wish cannot be fulfilled.
//! 3. No [`Hold`]: not armed, no session, battery, cap, asked for or automatic, no failure that is
//!    too fresh.
//! 4. The failure is saved with its reason. A version that failed [`Settings::tries`] times stays
//!    here until the owner asks for it.
//! 5. The installer has switched the bootloader to the other slot.
//! 6. While somebody drives, the transfer rests.
//! 7. Nobody has driven for [`Settings::park`], or the owner asked for it. Never while somebody
//!    drives, or with a low battery.
//! 8. The reboot was refused, or did not come.
//! 9. The booted slot is not the one from which the update was installed.
//! 10. Registered, a picture, a drive: the slot is marked good.
//! 11. The reason is saved before anything else is done.
//! 12. The bootloader goes back to the old slot, whose `rccar-update` reports the reason.
//! 13. Also when the new slot never came up: "did not start".

mod events;
mod steps;

use crate::effect::{Effect, State, Status, Traffic};
use crate::health::Health;
use crate::hold::{Car, Hold};
use crate::meter::Month;
use crate::saved::{Ended, Pending, Saved};
use crate::settings::Settings;
use crate::start::{self, Begin, Boot};
use crate::words::{Fault, Input, Refusal, Release, Wish};
use rccar_protocol::units::MonotonicMicros;
use semver::Version;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use steps::spread;

/// The first wait after a passing failure; doubles up to [`PASSING_LONGEST`].
const PASSING_FIRST: Duration = Duration::from_secs(60);
const PASSING_LONGEST: Duration = Duration::from_secs(15 * 60);
/// Checks are spread over this time: many cars may register at the same moment, when their host
/// comes back.
const CHECK_SPREAD: Duration = Duration::from_secs(20);
/// An answer to a check that takes longer will not come: several times what the HTTP client allows.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// A reboot that has not happened by then will not: services have 90 s to stop.
const REBOOT_WITHIN: Duration = Duration::from_secs(180);
/// Time between two attempts to mark the slot, and between two tests of the camera.
const AGAIN: Duration = Duration::from_secs(10);
/// Attempts to mark a slot bad. After that the car reboots without the mark, and the bootloader's
/// own counter decides.
const MARK_TRIES: u32 = 3;
/// If `rccar-update` starts late, after a slow boot, a trial still lasts this long: enough for
/// several rounds of all checks.
const TRIAL_AT_LEAST: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
enum Phase {
    Idle,
    Offered { release: Release, asked: bool },
    Installing { release: Release, asked: bool, percent: u8, traffic: Traffic },
    Waiting { pending: Pending, again_at: MonotonicMicros },
    Rebooting { pending: Pending, until: MonotonicMicros },
    Trial { pending: Pending, health: Health, camera_at: MonotonicMicros },
    Condemned { pending: Pending, reason: String, marks: u32, marked: bool },
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub struct Machine {
    settings: Settings,
    boot: Boot,
    saved: Saved,
    phase: Phase,
    car: Car,
    metered: bool,
    check_at: MonotonicMicros,
    /// When the check began that has no answer yet.
    checking: Option<MonotonicMicros>,
    check_failures: u32,
    /// The version that the owner asked for and the host has not offered yet, and whether it may
    /// be older than the running one.
    wish: Option<(Version, bool)>,
    /// A version that the owner wants although it is older than the running one.
    downgrade: Option<Version>,
    /// When a failed version is tried again.
    retry_at: BTreeMap<Version, MonotonicMicros>,
    /// The booted slot is marked good.
    settled: bool,
    /// A mark was asked for and is not done yet.
    marking: bool,
    mark_at: MonotonicMicros,
    mark_error: Option<String>,
    /// Metered bytes that are counted and not yet saved.
    unsaved: u64,
    started: MonotonicMicros,
    now: MonotonicMicros,
    dice: u32,
    month: Option<Month>,
    effects: VecDeque<Effect>,
}

impl Machine {
    /// Goes on where `saved` ends. `now` counts from the start of the kernel; `dice` and `month`
    /// are as in [`Self::handle_dice`] and [`Self::handle_month`].
    #[must_use]
    pub fn new(
        now: MonotonicMicros,
        dice: u32,
        month: Option<Month>,
        settings: Settings,
        mut saved: Saved,
        boot: Boot,
    ) -> Self {
        let before = saved.clone();
        let begin = start::begin(&mut saved, &boot);
        let mut machine = Self {
            settings,
            boot,
            saved,
            phase: Phase::Idle,
            car: Car::unknown(now),
            // Until the first `Input::Link`: the cheaper mistake.
            metered: true,
            check_at: now.plus(spread(CHECK_SPREAD, dice)),
            checking: None,
            check_failures: 0,
            wish: None,
            downgrade: None,
            retry_at: BTreeMap::new(),
            settled: false,
            marking: false,
            mark_at: now,
            mark_error: None,
            unsaved: 0,
            started: now,
            dice,
            month,
            now,
            effects: VecDeque::new(),
        };
        match begin {
            Begin::Idle => {}
            Begin::Interrupted(pending) => {
                machine.remember(
                    now,
                    &pending.version,
                    &Fault::Passing("the installation was interrupted".to_owned()),
                );
                if pending.asked {
                    // Judged and granted before the interruption, so an older version is fine.
                    machine.downgrade = Some(pending.version.clone());
                    machine.wish = Some((pending.version, true));
                }
            }
            Begin::Waiting(pending) => machine.wait(now, pending),
            Begin::Trial(pending) => {
                machine.phase = Phase::Trial { pending, health: Health::default(), camera_at: now };
            }
            Begin::Condemned(pending, reason) => {
                machine.phase = Phase::Condemned { pending, reason, marks: 0, marked: false };
            }
        }
        // Nobody knows how much time has passed since a failure before this boot: it waits in full
        // once more.
        for failure in machine.saved.failures.clone() {
            let wait = machine.wait_after(failure.tries, failure.passing);
            machine.retry_at.entry(failure.version).or_insert(now.plus(wait));
        }
        if machine.saved != before {
            machine.save();
        }
        machine.handle_timeout(now);
        machine
    }

    /// Takes a fresh random number, which spreads the checks of many cars.
    pub fn handle_dice(&mut self, dice: u32) {
        self.dice = dice;
    }

    /// Takes the month; `None` if the clock cannot be trusted. The computer has no clock of its own
    /// and may think it is 1970.
    pub fn handle_month(&mut self, month: Option<Month>) {
        self.month = month;
    }

    pub fn handle_input(&mut self, now: MonotonicMicros, input: Input) {
        match input {
            Input::Car(status) => self.handle_car(now, status),
            Input::Answer(answer) => self.handle_answer(now, answer),
            Input::Install(news) => self.handle_install(now, news),
            Input::Link { metered } => self.metered = metered,
            Input::Fetched(bytes) => self.handle_fetched(bytes),
            Input::Marked(outcome) => self.handle_marked(now, outcome),
            Input::RebootRefused(_) => self.rebooted_not(now),
        }
        self.handle_timeout(now);
    }

    pub fn handle_wish(&mut self, now: MonotonicMicros, wish: Wish) -> Result<(), Refusal> {
        let granted = self.grant(now, wish);
        self.handle_timeout(now);
        granted
    }

    pub fn handle_timeout(&mut self, now: MonotonicMicros) {
        self.now = self.now.max(now);
        let now = self.now;
        self.saved.meter.turn(self.month);
        self.car.pass(now);
        self.settle(now);
        self.ask(now);
        while self.step(now) {}
    }

    /// When [`Self::handle_timeout`] wants to be called at the latest; always later than its last
    /// call. `None`: not before the next input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<MonotonicMicros> {
        let mut times = vec![self.check_at, self.mark_at];
        times.extend(self.checking.map(|since| since.plus(ANSWER_WITHIN)));
        times.extend(self.car.settles_at());
        match &self.phase {
            Phase::Idle | Phase::Installing { .. } | Phase::Condemned { .. } => {}
            Phase::Offered { release, .. } => times.extend(self.retry_at.get(&release.version)),
            Phase::Waiting { again_at, .. } => {
                times.push(*again_at);
                times.extend(self.car.parked_since().map(|since| since.plus(self.settings.park)));
            }
            Phase::Rebooting { until, .. } => times.push(*until),
            Phase::Trial { camera_at, .. } => times.extend([self.trial_ends(), *camera_at]),
        }
        // A time that has passed without a step waits for an input.
        times.into_iter().filter(|time| *time > self.now).min()
    }

    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    #[must_use]
    pub fn saved(&self) -> &Saved {
        &self.saved
    }

    #[must_use]
    pub fn next_check(&self) -> MonotonicMicros {
        self.check_at
    }

    /// Why the version that is offered or installed cannot go on to its next step.
    #[must_use]
    pub fn hold(&self, now: MonotonicMicros) -> Option<Hold> {
        match &self.phase {
            Phase::Offered { release, asked } => self.holds_install(now, release, *asked),
            Phase::Installing { .. } | Phase::Waiting { .. } => self.holds_work(now),
            Phase::Condemned { .. } => self.car.driving(now),
            Phase::Idle | Phase::Rebooting { .. } | Phase::Trial { .. } => None,
        }
    }

    #[must_use]
    pub fn status(&self, now: MonotonicMicros) -> Status {
        let hold = self.hold(now);
        let on_request = hold.as_ref().is_some_and(Hold::ends_on_request);
        let hold = hold.map(|hold| hold.to_string());
        let (state, version, percent, size, reason) = match &self.phase {
            Phase::Idle => match &self.saved.last {
                Some(Ended { version, failed: Some(reason) }) => (
                    State::Failed,
                    Some(version),
                    None,
                    None,
                    Some(format!("version {version} {reason}")),
                ),
                _ => (State::Idle, None, None, None, None),
            },
            Phase::Offered { release, .. } => {
                let failed =
                    self.saved.failure(&release.version).is_some_and(|failure| failure.tries > 0);
                let state = if failed { State::Failed } else { State::Offered };
                (state, Some(&release.version), None, Some(release.size), hold)
            }
            Phase::Installing { release, percent, .. } => (
                State::Installing,
                Some(&release.version),
                Some(*percent),
                Some(release.size),
                hold,
            ),
            Phase::Waiting { pending, .. } => {
                let parked = || "reboots when the car has been parked for a while".to_owned();
                (
                    State::Waiting,
                    Some(&pending.version),
                    None,
                    None,
                    hold.or_else(|| Some(parked())),
                )
            }
            Phase::Rebooting { pending, .. } => {
                (State::Rebooting, Some(&pending.version), None, None, None)
            }
            Phase::Trial { pending, health, .. } => (
                State::Testing,
                Some(&pending.version),
                None,
                None,
                health.missing(pending.registered),
            ),
            Phase::Condemned { pending, reason, .. } => {
                let reason =
                    format!("version {} did not become healthy: {reason}", pending.version);
                (State::Failed, Some(&pending.version), None, None, Some(reason))
            }
        };
        Status {
            state,
            running: self.boot.running.clone(),
            version: version.cloned(),
            percent,
            size,
            reason,
            on_request,
        }
    }
}
