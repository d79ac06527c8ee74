//! Carries out the rungs of the ladder.

use crate::config::{Config, ModemConfig};
use crate::link::{Connected, LinkError, Links};
use crate::ppp::{self, Line};
use crate::reboots::Reboots;
use crate::{probe, usb, view};
use rccar_causes::causes;
use rccar_modem_core::asking::{Asking, Wish};
use rccar_modem_core::{Outcome, Rung, timing};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio_modem_manager::{
    Bearer, ConnectProperties, CoreError, Error, FaultKind, Modem, PowerState,
};
use zbus::Connection;

/// How long the radio stays off. A network forgets a detached modem within a second or two.
const RADIO_OFF: Duration = Duration::from_secs(5);
/// How long ModemManager has to let go of a modem that cannot be reset.
const INHIBITED: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub(crate) struct Cures {
    pub(crate) config: Config,
    pub(crate) modem: Modem,
    pub(crate) links: Links,
    pub(crate) connection: Connection,
    pub(crate) asked: Arc<Mutex<Asked>>,
    /// Sysfs path of the modem's device, as ModemManager last had it; `None` if it never did.
    pub(crate) device: Option<String>,
}

/// What the network and the modem were asked for before.
#[derive(Debug)]
pub(crate) struct Asked {
    asking: Asking,
    /// The initial EPS bearer that the modem took.
    initial: Option<ConnectProperties>,
}

impl Asked {
    pub(crate) fn new(config: &ModemConfig) -> Self {
        Self { asking: config.asking(), initial: None }
    }
}

impl Cures {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out `rung`. The second value is the new link, if the rung makes one.
    pub(crate) async fn climb(self, rung: Rung, with_pin: bool) -> (Outcome, Option<Connected>) {
        let done = |outcome: Result<(), Error>| match outcome {
            Ok(()) => Outcome::Done,
            Err(error) => {
                tracing::debug!(error = %causes(&error), "a cure failed");
                view::outcome(&error)
            }
        };
        match rung {
            Rung::Reconnect => self.connect(with_pin).await,
            Rung::CycleBearer => {
                if self.is_mute().await {
                    return (Outcome::Mute, None);
                }
                self.disconnect().await;
                self.connect(with_pin).await
            }
            Rung::CycleRadio => (done(self.cycle_radio().await), None),
            Rung::Reset => (done(self.reset().await), None),
            Rung::RestartDaemon if self.config.recovery.restart_daemon => {
                (self.restart_daemon().await, None)
            }
            Rung::CycleUsb if self.config.recovery.cycle_usb => (self.cycle_usb().await, None),
            Rung::Reboot if self.config.recovery.reboot => (self.reboot(), None),
            Rung::RestartDaemon | Rung::CycleUsb | Rung::Reboot => {
                tracing::info!(?rung, "not done: switched off in the configuration");
                (Outcome::Failed, None)
            }
        }
    }

    /// Whether the modem hangs. Without this question ModemManager would wait 70 s for the end of
    /// the bearer before it reports the same.
    async fn is_mute(&self) -> bool {
        for _ in 0..timing::CONTROLS {
            if probe::control(&self.modem).await {
                return false;
            }
        }
        true
    }

    async fn disconnect(&self) {
        // pppd first: ModemManager needs the port to hang up.
        if let Some(line) = self.line() {
            line.stop(&self.connection).await;
        }
        if let Err(error) = self.modem.disconnect(None).await {
            tracing::debug!(error = %causes(&error), "the bearer could not be disconnected");
        }
    }

    /// The line on which ModemManager has dialled; `None` without PPP.
    fn line(&self) -> Option<Line> {
        let modem = self.modem.state()?;
        let bearer = modem.connected_bearer().filter(|bearer| ppp::wants(bearer))?;
        Line::of(bearer.interface.as_deref()?).ok()
    }

    /// Disconnects a line whose pppd has ended. ModemManager thinks that it is still connected and
    /// would not dial again.
    async fn drop_dead_line(&self) {
        if let Some(line) = self.line()
            && !line.runs(&self.connection).await
        {
            self.disconnect().await;
        }
    }

    async fn configure(&self, bearer: &Bearer) -> Result<Connected, LinkError> {
        if !ppp::wants(bearer) {
            return self.links.configure(bearer).await;
        }
        let line = Line::of(bearer.interface.as_deref().ok_or(LinkError::NoInterface)?)?;
        self.links.adopt(line.start(&self.connection).await?).await
    }

    async fn connect(&self, with_pin: bool) -> (Outcome, Option<Connected>) {
        self.drop_dead_line().await;
        let bearer = match self.ask_for_bearer(with_pin).await {
            Ok(bearer) => bearer,
            Err(error) => {
                tracing::info!(error = %causes(&error), "the modem does not connect");
                let without_apn = self.config.modem.apn.is_empty();
                return (view::outcome_of_connect(&error, without_apn), None);
            }
        };
        match self.configure(&bearer).await {
            Ok(link) => (Outcome::Done, Some(link)),
            Err(error) => {
                tracing::warn!(
                    error = %causes(&error),
                    "the modem is connected, and its interface cannot be configured"
                );
                (Outcome::Failed, None)
            }
        }
    }

    /// Connects. What the network refuses is asked for in another way; if it refuses all, the first
    /// refusal is the error: it is about what the person has configured.
    async fn ask_for_bearer(&self, with_pin: bool) -> Result<Bearer, Error> {
        let mut first = None;
        loop {
            let wish = self.asked().asking.wish();
            self.set_initial_bearer(wish).await;
            let properties = self.config.modem.connect_properties(wish, with_pin);
            let bearer = match self.modem.connect(&properties).await {
                Ok(path) => self.modem.bearer(&path).await,
                Err(error) => Err(error),
            };
            let error = match bearer {
                Ok(bearer) => {
                    self.asked().asking.handle_connected();
                    return Ok(bearer);
                }
                Err(error) => error,
            };
            let refusal = view::refusal(&error);
            let again = refusal.is_some_and(|refusal| self.asked().asking.handle_refused(refusal));
            if !again {
                return Err(first.unwrap_or(error));
            }
            tracing::info!(
                error = %causes(&error), refused = ?wish, next = ?self.asked().asking.wish(),
                "the network is asked for something else"
            );
            first.get_or_insert(error);
        }
    }

    /// Modems keep it, and attach again when it changes. One that cannot be told is left as it is.
    async fn set_initial_bearer(&self, wish: Wish) {
        let Some(initial) = self.config.modem.initial_bearer(wish) else { return };
        if self.asked().initial.as_ref() == Some(&initial) {
            return;
        }
        match self.modem.set_initial_eps_bearer(&initial).await {
            Ok(()) => self.asked().initial = Some(initial),
            Err(error) => {
                tracing::info!(error = %causes(&error), "the initial EPS bearer stays as it is");
            }
        }
    }

    async fn cycle_radio(&self) -> Result<(), Error> {
        self.modem.enable(false).await?;
        // Some modems cannot do this. Enabling switches the radio on again in any case.
        if let Err(error) = self.modem.set_power_state(PowerState::Low).await {
            tracing::debug!(error = %causes(&error), "the radio cannot be switched off");
        }
        tokio::time::sleep(RADIO_OFF).await;
        self.modem.enable(true).await
    }

    async fn reset(&self) -> Result<(), Error> {
        match self.modem.reset().await {
            // Without a reset, ModemManager closes the modem and probes it again.
            Err(error)
                if error
                    .fault()
                    .is_some_and(|fault| fault.kind == FaultKind::Core(CoreError::Unsupported)) =>
            {
                let inhibition = self.modem.inhibit().await?;
                tokio::time::sleep(INHIBITED).await;
                inhibition.release().await
            }
            outcome => outcome,
        }
    }

    async fn restart_daemon(&self) -> Outcome {
        let unit = ("ModemManager.service", "replace");
        let manager = (
            "org.freedesktop.systemd1",
            "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager",
        );
        self.ask(manager, "RestartUnit", &unit).await
    }

    fn reboot(&self) -> Outcome {
        let paths = &self.config.paths;
        let asked = Reboots::new(&paths.state_dir, &paths.reboot_request);
        match asked.ask(SystemTime::now(), "rccar-modem: nothing else has brought the modem back") {
            Ok(()) => Outcome::Done,
            Err(error) => {
                tracing::warn!(error = %causes(&error), "the reboot cannot be asked for");
                Outcome::Failed
            }
        }
    }

    async fn ask<B>(
        &self,
        (name, path, interface): (&str, &str, &str),
        method: &str,
        body: &B,
    ) -> Outcome
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        match self.connection.call_method(Some(name), path, Some(interface), method, body).await {
            Ok(_) => Outcome::Done,
            Err(error) => {
                tracing::warn!(error = %causes(&error), method, "the system does not do it");
                Outcome::Failed
            }
        }
    }

    async fn cycle_usb(&self) -> Outcome {
        match self
            .device
            .as_ref()
            .map(PathBuf::from)
            .or_else(|| usb::modem_device(Path::new(usb::SYS)))
        {
            Some(device) => usb::cycle(&device, &self.config.paths.state_dir).await,
            None => Outcome::Failed,
        }
    }
}
