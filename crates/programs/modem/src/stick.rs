//! The shell of one stick: carries out what its core ([`Stick`]) decides.

use crate::bus::StickReport;
use crate::config::Config;
use crate::dhcp::News;
use crate::link::{Connected, LinkError, Links};
use crate::sticks::Message;
use crate::supervisor::{moment, word};
use crate::{dns, probe, usb};
use rccar_causes::causes;
use rccar_modem_core::{Effect, Event, Outcome, Rung, Status, Stick, timing};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinHandle;
use zbus::Connection;

/// How long the interface stays off. Some drivers pass it on to the stick only when all is quiet.
const OFF: Duration = Duration::from_secs(2);

/// A stick that is plugged in now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) interface: String,
    pub(crate) index: u32,
    pub(crate) carrier: bool,
    pub(crate) driver: String,
    /// USB device, as a path in sysfs; `None` if it is not on the USB.
    pub(crate) device: Option<PathBuf>,
}

/// How an action ended.
pub(crate) struct Done {
    action: u64,
    outcome: Outcome,
    connected: Option<Connected>,
}

/// News for other programs. `Ok`: up, with interface and addresses; `Err`: down, with the cause.
pub(crate) type Told = Result<(String, Vec<String>), String>;

/// A stick that is plugged in, or was once.
pub(crate) struct Runner {
    pub(crate) machine: Stick,
    links: Links,
    seen: Option<Seen>,
    /// As it was when it was last plugged in.
    last: Option<Seen>,
    connected: Option<Connected>,
    acting: Option<(u64, JoinHandle<()>)>,
    climbed: BTreeMap<String, u64>,
}

impl Runner {
    pub(crate) fn new(machine: Stick, links: Links) -> Self {
        Self {
            machine,
            links,
            seen: None,
            last: None,
            connected: None,
            acting: None,
            climbed: BTreeMap::new(),
        }
    }

    /// Takes the present state of the stick; `None`: it is not plugged in. A new interface index
    /// means that it was unplugged in between.
    pub(crate) async fn see(&mut self, seen: Option<Seen>) {
        if let (Some(old), Some(new)) = (&self.seen, &seen)
            && old.index != new.index
        {
            self.machine.handle_seen(moment(), None);
        }
        self.machine.handle_seen(moment(), seen.as_ref().map(|seen| seen.carrier));
        if seen.is_some() {
            self.last.clone_from(&seen);
        }
        self.seen = seen;
        if let Some(connected) = &mut self.connected {
            self.links.refresh(connected).await;
        }
    }

    pub(crate) fn handle_done(&mut self, done: Done) {
        // The end of an abandoned action does not count.
        if self.acting.take_if(|(present, _)| *present == done.action).is_none() {
            return;
        }
        if done.connected.is_some() {
            self.connected = done.connected;
        }
        self.machine.handle_done(moment(), done.action, done.outcome);
    }

    pub(crate) async fn news(&mut self) -> News {
        match &mut self.connected {
            Some(connected) => connected.news().await,
            None => std::future::pending().await,
        }
    }

    pub(crate) async fn handle_news(&mut self, news: News, connection: &Connection) {
        let Some(connected) = &mut self.connected else { return };
        match news {
            News::Given(lease) => match self.links.renew(connected, &lease).await {
                Ok(true) => dns::set(connection, &connected.link).await,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "a renewed lease cannot be applied")
                }
            },
            News::Lost(reason) => {
                tracing::info!(interface = connected.link.interface, reason, "the lease is lost");
                connected.forget_keeper();
                self.machine.handle_lease_lost(moment());
            }
        }
    }

    /// Carries out the core's effects. `tell` gets the results that come later.
    pub(crate) async fn drain(
        &mut self,
        config: &Config,
        connection: &Connection,
        tell: impl Fn(Message) + Clone + Send + 'static,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        loop {
            while let Some(event) = self.machine.poll_event() {
                told.extend(self.record(event));
            }
            let Some(effect) = self.machine.poll_effect() else { return told };
            match effect {
                Effect::Act { action, rung, .. } => {
                    self.act(action, rung, config, connection, tell.clone())
                }
                Effect::Abandon { action } => {
                    if let Some((_, task)) = self.acting.take_if(|(present, _)| *present == action)
                    {
                        task.abort();
                    }
                }
                Effect::LinkDown => self.take_link_down(connection).await,
                Effect::ProbeData => self.probe(config, tell.clone()),
                // A stick has no control port to ask.
                Effect::ProbeControl => {}
            }
        }
    }

    pub(crate) fn report(&self) -> StickReport {
        let (state, rung, due) = match self.machine.status() {
            Status::Up => ("up", None, None),
            Status::Acting { rung } => ("acting", Some(rung), None),
            Status::Waiting { rung, due_ms } => ("waiting", Some(rung), Some(due_ms)),
        };
        let now = moment().0 / 1000;
        let last = self.last.as_ref();
        StickReport {
            interface: last.map(|seen| seen.interface.clone()).unwrap_or_default(),
            driver: last.map(|seen| seen.driver.clone()).unwrap_or_default(),
            state: state.to_owned(),
            rung: rung.as_ref().map(word),
            due_in_ms: due.map(|due| due.saturating_sub(now)),
            addresses: self
                .connected
                .iter()
                .flat_map(|connected| &connected.link.addresses)
                .map(ToString::to_string)
                .collect(),
            climbed: self.climbed.clone(),
        }
    }

    fn act(
        &mut self,
        action: u64,
        rung: Rung,
        config: &Config,
        connection: &Connection,
        tell: impl Fn(Message) + Send + 'static,
    ) {
        *self.climbed.entry(word(&rung)).or_default() += 1;
        let Some(Seen { interface, device, .. }) = self.last.clone() else { return };
        // First, because two DHCP clients on one interface would get each other's answers.
        if let Some(connected) = &mut self.connected {
            connected.forget_keeper();
        }
        let (links, connection) = (self.links.clone(), connection.clone());
        let (may_cycle, state_dir) = (config.recovery.cycle_usb, config.paths.state_dir.clone());
        let task = tokio::spawn(async move {
            let leased = match rung {
                Rung::CycleUsb => None,
                Rung::CycleBearer => Some(cycle_link(&links, &interface).await),
                _ => Some(links.lease(&interface).await),
            };
            let (outcome, connected) = match leased {
                Some(Ok(connected)) => {
                    dns::set(&connection, &connected.link).await;
                    (Outcome::Done, Some(connected))
                }
                Some(Err(error)) => {
                    tracing::info!(error = %causes(&error), "the stick gives no address");
                    (Outcome::Failed, None)
                }
                None => match device.filter(|_| may_cycle) {
                    Some(device) => (usb::cycle(&device, &state_dir).await, None),
                    None => (Outcome::Failed, None),
                },
            };
            tell(Message::Done(Box::new(Done { action, outcome, connected })));
        });
        self.acting = Some((action, task));
    }

    async fn take_link_down(&mut self, connection: &Connection) {
        let Some(connected) = self.connected.take() else { return };
        let link = connected.release().await;
        if let Err(error) = self.links.clear(&link).await {
            tracing::warn!(error = %causes(&error), "the interface keeps its addresses");
        }
        dns::clear(connection, &link).await;
    }

    fn probe(&self, config: &Config, tell: impl Fn(Message) + Send + 'static) {
        let Some(connected) = &self.connected else { return };
        let (interface, targets) = (
            connected.link.interface.clone(),
            probe::targets_beyond(&connected.link, &config.probe.targets),
        );
        tokio::spawn(async move {
            let answered = probe::data(&interface, &targets, timing::PROBE_LIMIT).await;
            tell(Message::Data(answered));
        });
    }

    /// Logs a decision as a structured record. Returns the news that other programs need.
    fn record(&self, event: Event) -> Option<Told> {
        let record = serde_json::to_string(&event).unwrap_or_default();
        let interface = self.last.as_ref().map(|seen| seen.interface.clone()).unwrap_or_default();
        match event {
            Event::Started { rung: Rung::CycleUsb, .. } => {
                tracing::warn!(%record, interface, "stick")
            }
            _ => tracing::info!(%record, interface, "stick"),
        }
        match event {
            Event::Up { .. } => Some(Ok((interface, self.report().addresses))),
            Event::Down { cause } => Some(Err(word(&cause))),
            _ => None,
        }
    }
}

async fn cycle_link(links: &Links, interface: &str) -> Result<Connected, LinkError> {
    links.switch_off(interface).await?;
    tokio::time::sleep(OFF).await;
    links.lease(interface).await
}
