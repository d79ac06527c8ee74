//! The loop around the core: it passes on what happens and does what the core decides.

use crate::bus::Command;
use crate::config::{Config, Metered};
use crate::http::HostClient;
use crate::install::Installer;
use crate::proxy::Gate;
use crate::release_offer::{self, Question};
use crate::state::StateFile;
use crate::status::{self, Details};
use crate::watch::{self, Report};
use crate::{metered, system};
use rccar_bus::BusError;
use rccar_bus::car::{CarClient, CarState};
use rccar_bus::update::{ServedUpdate, UpdateProperties};
use rccar_causes::causes;
use rccar_daemon::{clock, notify};
use rccar_protocol::units::MonotonicMicros;
use rccar_rauc::{Mark, Rauc};
use rccar_update_core::{
    self as core, Effect, Fault, Input, InstallNews, Machine, Release, Traffic, Version,
};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch as channel};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How often to read the counters and the default route.
const TICK: Duration = Duration::from_secs(1);
/// Ample: to mark a slot is to write some bytes.
const MARK_WITHIN: Duration = Duration::from_secs(60);

/// Everything that the shell talks to.
pub(crate) struct World {
    pub(crate) rauc: Rauc,
    pub(crate) host: HostClient,
    pub(crate) car: CarClient,
    pub(crate) served: ServedUpdate,
    pub(crate) properties: Arc<Mutex<UpdateProperties>>,
    pub(crate) reports: channel::Sender<Report>,
}

pub(crate) struct Shell {
    machine: Machine,
    world: World,
    state: StateFile,
    config: Config,
    running: Version,
    inputs: mpsc::Sender<Input>,
    traffic: Traffic,
    /// The gate of the installation that is under way.
    gate: Option<Gate>,
    /// The last [`Effect::Save`] reached the disk.
    saved: bool,
    /// A reboot was asked for and has not happened yet.
    rebooting: bool,
    metered: bool,
    registered: bool,
    /// How often the car has registered; part of the report to the host.
    registrations: u64,
    /// The last line in log and `systemctl status`.
    said: String,
}

impl Shell {
    pub(crate) fn new(
        machine: Machine,
        world: World,
        state: StateFile,
        config: Config,
        running: Version,
        inputs: mpsc::Sender<Input>,
    ) -> Self {
        Self {
            machine,
            world,
            state,
            config,
            running,
            inputs,
            traffic: Traffic::Hold,
            gate: None,
            saved: true,
            rebooting: false,
            metered: true,
            registered: false,
            registrations: 0,
            said: String::new(),
        }
    }

    /// Runs until `stop` resolves.
    pub(crate) async fn run<S>(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut commands: mpsc::Receiver<Command>,
        stop: impl Future<Output = S>,
    ) -> S {
        tokio::pin!(stop);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watchdog = interval(notify::watchdog_interval().unwrap_or(Duration::from_secs(60)));
        loop {
            self.carry_out().await;
            self.publish().await;
            let due = self.machine.poll_timeout().map(|due| due.since(clock::now()));
            tokio::select! {
                biased;
                ended = &mut stop => return ended,
                _ = watchdog.tick() => notify::watchdog(),
                Some(Command { wish, answer }) = commands.recv() => {
                    // Fails if the caller has gone away.
                    let now = self.look();
                    let _ = answer.send(self.machine.handle_wish(now, wish));
                }
                Some(input) = inputs.recv() => self.handle(input),
                _ = ticks.tick() => self.count(),
                () = sleep(due.unwrap_or(TICK)) => {
                    let now = self.look();
                    self.machine.handle_timeout(now);
                }
            }
        }
    }

    /// Reads the clocks, and gives the core a random number and the month.
    fn look(&mut self) -> MonotonicMicros {
        self.machine.handle_dice(dice());
        self.machine.handle_month(system::month());
        clock::now()
    }

    fn tell(&mut self, input: Input) {
        let now = self.look();
        self.machine.handle_input(now, input);
    }

    fn handle(&mut self, input: Input) {
        match &input {
            Input::Install(news) => {
                // The last bytes count, too: the gate is gone after the end.
                self.count();
                if matches!(news, InstallNews::Done | InstallNews::Failed(_)) {
                    self.gate = None;
                }
            }
            Input::Car(status) => {
                let registered = status.is_some_and(|status| status.registered);
                self.registrations += u64::from(registered && !self.registered);
                self.registered = registered;
            }
            Input::Answer(Err(error)) => tracing::info!(error, "no answer about releases"),
            _ => {}
        }
        self.tell(input);
    }

    /// Reads what sends no message when it changes: the meter and the default route.
    fn count(&mut self) {
        let metered = metered::is_metered(self.config.link.metered);
        if metered != self.metered {
            self.metered = metered;
            tracing::info!(metered, by = ?self.config.link.metered, "link");
        }
        self.tell(Input::Link { metered });
        let fetched = self.gate.as_ref().map_or(0, Gate::take_metered);
        if fetched > 0 {
            self.tell(Input::Fetched(fetched));
        }
    }

    /// Does the effects, in their order.
    async fn carry_out(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            tracing::debug!(?effect);
            match effect {
                Effect::Save(saved) => {
                    self.saved = true;
                    if let Err(error) = self.state.store(&saved) {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the state cannot be saved"
                        );
                        self.saved = false;
                    }
                }
                Effect::Check { older } => self.check(older),
                Effect::Traffic(traffic) => {
                    self.traffic = traffic;
                    if let Some(gate) = &self.gate {
                        gate.set(traffic);
                    }
                }
                Effect::Install(release) => self.install(release),
                Effect::TestCamera => {
                    let car = self.world.car.clone();
                    tokio::spawn(async move { car.test_camera().await });
                }
                Effect::Mark(mark) => self.mark(mark),
                Effect::Reboot => self.reboot().await,
            }
        }
    }

    fn check(&self, older: bool) {
        let (rauc, host, inputs) =
            (self.world.rauc.clone(), self.world.host.clone(), self.inputs.clone());
        let channel = self.config.update.channel.clone();
        let newer_than = if older { oldest() } else { self.running.clone() };
        tokio::spawn(async move {
            let answer = async {
                let compatible =
                    rauc.compatible().await.map_err(|error| causes(&error).to_string())?;
                release_offer::ask(&host, &Question { channel, compatible, newer_than })
                    .await
                    .map_err(|error| causes(&error).to_string())
            };
            // Fails only when the program ends.
            let _ = inputs.send(Input::Answer(answer.await)).await;
        });
    }

    fn install(&mut self, release: Release) {
        tracing::info!(version = %release.version, size = release.size, "installing");
        if !self.saved {
            // Otherwise, after a power cut, nothing would know that the other slot is on trial.
            let fault =
                Fault::Passing("what is needed after a power cut cannot be written".to_owned());
            self.tell(Input::Install(InstallNews::Failed(fault)));
            return;
        }
        let gate = Gate::default();
        gate.set(self.traffic);
        self.gate = Some(gate.clone());
        let installer = Installer { rauc: self.world.rauc.clone(), host: self.world.host.clone() };
        tokio::spawn(installer.run(release, gate, self.inputs.clone()));
    }

    fn mark(&self, mark: core::Mark) {
        let (rauc, inputs) = (self.world.rauc.clone(), self.inputs.clone());
        let mark = match mark {
            core::Mark::Good => Mark::Good,
            core::Mark::Bad => Mark::Bad,
        };
        tokio::spawn(async move {
            let outcome = match timeout(MARK_WITHIN, rauc.mark(mark)).await {
                Ok(outcome) => outcome.map_err(|error| causes(&error).to_string()),
                Err(_) => Err("RAUC does not answer".to_owned()),
            };
            if let Err(error) = &outcome {
                tracing::warn!(?mark, error, "the bootloader could not be told");
            }
            let _ = inputs.send(Input::Marked(outcome)).await;
        });
    }

    /// Asks for the reboot, unless a driver has come since the last report of `rccar-car`.
    async fn reboot(&mut self) {
        let now = timeout(watch::ANSWER_WITHIN, self.world.car.state()).await;
        let may_be_driven = may_be_driven(now.ok().as_ref());
        let status = self.machine.status(clock::now());
        let reason = format!(
            "rccar-update: from version {} to {}",
            self.running,
            status.version.as_ref().unwrap_or(&self.running)
        );
        let path: &PathBuf = &self.config.paths.reboot_request;
        let refused = if may_be_driven {
            Some("somebody has come to drive, or rccar-car does not say".to_owned())
        } else {
            system::request_reboot(path, &reason)
                .err()
                .map(|error| format!("cannot write {}: {error}", path.display()))
        };
        match refused {
            None => {
                tracing::info!("{reason}: rebooting");
                self.rebooting = true;
            }
            Some(why) => {
                tracing::warn!(why, "not rebooting");
                self.tell(Input::RebootRefused(why));
            }
        }
    }

    /// Passes changes of the state to the bus, the host, the log and systemd.
    async fn publish(&mut self) {
        let now = clock::now();
        let status = self.machine.status(now);
        // The core has given up on the reboot: it must not come later, when somebody drives.
        if self.rebooting && status.state != core::State::Rebooting {
            self.rebooting = false;
            system::withdraw_reboot(&self.config.paths.reboot_request);
        }
        let saved = self.machine.saved();
        let details = Details {
            last: saved.last.clone(),
            failures: saved.failures.clone(),
            meter: saved.meter,
            metered_cap: self.config.settings().metered_cap,
            metered: self.metered,
            next_check_s: self.machine.next_check().since(now).as_secs(),
        };
        let after = status::for_bus(&status, &details);
        let before = std::mem::replace(
            &mut *self.world.properties.lock().unwrap_or_else(PoisonError::into_inner),
            after.clone(),
        );
        self.world.served.announce(&before, &after).await;

        let bytes = self.gate.as_ref().map_or(0, Gate::total);
        let report = (status::for_host(&status, bytes), self.registrations);
        self.world.reports.send_if_modified(|last| {
            let modified = *last != report;
            *last = report;
            modified
        });
        let said = format!(
            "{}{}",
            status.state,
            status.reason.map(|reason| format!(": {reason}")).unwrap_or_default()
        );
        if said != self.said {
            tracing::info!(
                running = %status.running,
                version = status.version.map(tracing::field::display),
                "{said}"
            );
            notify::status(&said);
            self.said = said;
        }
    }
}

/// A version that comes before every other one (semver.org, section 11).
fn oldest() -> Version {
    Version { pre: semver::Prerelease::new("0").unwrap_or_default(), ..Version::new(0, 0, 0) }
}

pub(crate) fn dice() -> u32 {
    // Without randomness all cars check at the same moment of their interval. That does no more
    // harm than a busy host.
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

/// Warns of a configuration that can never fetch anything.
pub(crate) fn warn_of_settings(config: &Config) {
    if config.update.metered_mb == 0 && config.link.metered == Metered::Always {
        tracing::warn!(
            "every link is metered and nothing may be fetched over metered links: \
             there will be no updates by network"
        );
    }
}

/// The car's answer in the last moment before a reboot; `None`: it did not come in time. A car that
/// is not running is driven by nobody.
fn may_be_driven(answer: Option<&Result<CarState, BusError>>) -> bool {
    match answer {
        Some(Ok(state)) => state.armed || state.in_session,
        Some(Err(BusError::Absent(_))) => false,
        Some(Err(_)) | None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_car_that_does_not_answer_may_be_driven_and_one_that_is_not_there_is_not() {
        let parked = CarState::default();
        assert!(!may_be_driven(Some(&Ok(parked.clone()))));
        assert!(may_be_driven(Some(&Ok(CarState { armed: true, ..parked.clone() }))));
        assert!(may_be_driven(Some(&Ok(CarState { in_session: true, ..parked }))));
        assert!(!may_be_driven(Some(&Err(BusError::Absent("org.rccar.Car")))));
        assert!(may_be_driven(Some(&Err(BusError::Refused("busy".to_owned())))));
        assert!(may_be_driven(None));
    }
}
