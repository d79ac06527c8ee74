//! The loop: it tells the core ([`Machine`]) what happens, and does what the core decides.

use crate::bus::{Published, Report, StickReport, take_over_stick};
use crate::config::Config;
use crate::cures::{Asked, Cures};
use crate::dhcp::News;
use crate::link::{Connected, LinkError, Links};
use crate::reboots::Reboots;
use crate::refused_pin::RefusedPin;
use crate::sticks::Sticks;
use crate::{dns, gps, network_time, probe, usb, view};
use futures_util::StreamExt;
use rccar_bus::BusError;
use rccar_bus::modem::ModemSignals;
use rccar_causes::causes;
use rccar_daemon::{clock, notify};
use rccar_modem_core::{Car, Effect, Event, Machine, Outcome, Rung, Status, timing};
use rccar_protocol::units::MonotonicMicros;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_modem_manager::{Modem, ModemManager, Snapshot};
use zbus::Connection;

#[derive(Debug, Error)]
pub enum SupervisorError {
    #[error("cannot use the system bus")]
    Bus(#[source] Box<zbus::Error>),
    /// The supervisor's own object cannot be on the bus.
    #[error(transparent)]
    Serve(#[from] BusError),
    #[error(transparent)]
    ModemManager(#[from] tokio_modem_manager::Error),
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The bus went away. When it is back, systemd starts the supervisor again.
    #[error("the connection to the system bus has ended")]
    BusGone,
}

/// How often the supervisor looks at the USB. That is soon enough: ModemManager reports a modem
/// that comes, and a modem that hangs is missed slowly.
const LOOK_AT_USB: Duration = Duration::from_secs(5);
/// How long ModemManager's signals may lag behind its answer to a connect.
const BEARER_SIGNAL: Duration = Duration::from_millis(500);

impl From<zbus::Error> for SupervisorError {
    fn from(error: zbus::Error) -> Self {
        Self::Bus(Box::new(error))
    }
}

/// The result of something that was begun.
enum Message {
    Done(u64, Outcome, Option<Box<Connected>>),
    Data(bool),
    Control(bool),
}

pub struct Supervisor {
    config: Config,
    connection: Connection,
    modem: Modem,
    links: Links,
    machine: Machine,
    published: Published,
    car: watch::Receiver<Car>,
    reports: (mpsc::UnboundedSender<Message>, mpsc::UnboundedReceiver<Message>),
    acting: Option<(u64, JoinHandle<()>)>,
    link: Option<Connected>,
    sticks: watch::Receiver<Vec<StickReport>>,
    asked: Arc<Mutex<Asked>>,
    device: Option<String>,
    climbed: BTreeMap<String, u64>,
    refused_pin: RefusedPin,
}

impl Supervisor {
    /// Connects to the bus, ModemManager and the kernel. First it puts back USB devices that a
    /// supervisor before it left off.
    pub async fn start(config: Config) -> Result<Self, SupervisorError> {
        usb::put_back(Path::new(usb::SYS), &config.paths.state_dir);
        let connection = Connection::system().await?;
        let modem = ModemManager::new(connection.clone()).await?.modem(config.modem.selector());
        let links = Links::connect(config.link.metric)?;
        let (sender, car) = watch::channel(Car { in_session: false, parked: false });
        network_time::start(modem.clone(), config.paths.network_time.clone());
        let place = config.modem.gps.then(|| gps::start(modem.clone(), car.clone()));
        let published = Published::new(sender, place);
        published.serve(&connection).await?;
        let sticks = Sticks::start(config.clone(), connection.clone(), links.clone(), car.clone());
        let ages = Reboots::new(&config.paths.state_dir, &config.paths.reboot_request)
            .ages(SystemTime::now());
        let reboots: Vec<MonotonicMicros> =
            ages.into_iter().map(|age| moment().minus(age)).collect();
        let refused_pin = RefusedPin::new(&config.paths.state_dir, config.modem.pin.as_ref());
        let machine = Machine::new(moment(), dice(), refused_pin.pin(), &reboots);
        let (acting, link, device, climbed) = (None, None, None, BTreeMap::new());
        let asked = Arc::new(Mutex::new(Asked::new(&config.modem)));
        let reports = mpsc::unbounded_channel();
        Ok(Self {
            config,
            connection,
            modem,
            links,
            machine,
            published,
            car,
            reports,
            acting,
            link,
            sticks,
            asked,
            device,
            climbed,
            refused_pin,
        })
    }

    /// Supervises until `end` resolves. The only error is [`SupervisorError::BusGone`].
    pub async fn run(mut self, end: impl Future<Output = ()>) -> Result<(), SupervisorError> {
        let mut end = std::pin::pin!(end);
        let mut snapshots = self.modem.manager().snapshots();
        notify::ready();
        let watchdog = notify::watchdog_interval().unwrap_or(Duration::from_secs(3600));
        let mut watchdog = tokio::time::interval(watchdog);
        let mut looks = tokio::time::interval(LOOK_AT_USB);
        loop {
            self.refused_pin.keep(self.machine.is_pin_refused());
            self.drain().await;
            self.publish().await;
            self.machine.handle_dice(dice());
            let due = self.machine.poll_timeout();
            tokio::select! {
                biased;
                () = &mut end => break,
                _ = watchdog.tick() => notify::watchdog(),
                Some(report) = self.reports.1.recv() => self.handle_report(report).await,
                news = next_news(&mut self.link) => self.handle_lease(news).await,
                snapshot = snapshots.next() => match snapshot {
                    Some(snapshot) => self.handle_snapshot(&snapshot),
                    None => return Err(SupervisorError::BusGone),
                },
                Ok(()) = self.car.changed() => {
                    let car = *self.car.borrow_and_update();
                    self.machine.handle_car(moment(), car);
                }
                // Each turn of the loop publishes their state.
                Ok(()) = self.sticks.changed() => {}
                _ = looks.tick() => {
                    if let Some(connected) = &mut self.link
                        && self.links.refresh(connected).await
                    {
                        dns::set(&self.connection, &connected.link).await;
                    }
                    let snapshot = self.modem.manager().snapshot();
                    self.handle_snapshot(&snapshot);
                }
                () = until(due) => self.machine.handle_timeout(moment()),
            }
        }
        // The link stays: a supervisor that is updated must not cost the connection.
        notify::stopping();
        Ok(())
    }

    fn handle_snapshot(&mut self, snapshot: &Arc<Snapshot>) {
        let modem = self.modem.state();
        if let Some(modem) = &modem {
            self.device = Some(modem.device.clone());
        }
        self.machine.handle_observation(
            moment(),
            view::observation(snapshot, modem.as_deref(), usb::has_modem(Path::new(usb::SYS))),
        );
    }

    async fn handle_report(&mut self, report: Message) {
        match report {
            Message::Done(action, outcome, link) => {
                if self.acting.as_ref().is_none_or(|(present, _)| *present != action) {
                    return;
                }
                self.acting = None;
                if let Some(connected) = link {
                    dns::set(&self.connection, &connected.link).await;
                    self.link = Some(*connected);
                }
                self.machine.handle_done(moment(), action, outcome);
                if self.machine.is_up() {
                    self.await_bearer().await;
                }
                // Now, because during an action the core does not act on what it sees.
                let snapshot = self.modem.manager().snapshot();
                self.handle_snapshot(&snapshot);
            }
            Message::Data(answered) => self.machine.handle_data_probe(moment(), answered),
            Message::Control(answered) => self.machine.handle_control_probe(moment(), answered),
        }
    }

    async fn handle_lease(&mut self, news: News) {
        let Some(connected) = &mut self.link else { return };
        match news {
            News::Given(lease) => match self.links.renew(connected, &lease).await {
                Ok(true) => {
                    dns::set(&self.connection, &connected.link).await;
                    tracing::info!(
                        addresses = ?connected.link.addresses,
                        "the lease was renewed with something else in it"
                    );
                }
                Ok(false) => tracing::debug!("the lease was renewed"),
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "a renewed lease cannot be applied")
                }
            },
            News::Lost(reason) => {
                tracing::info!(
                    interface = connected.link.interface,
                    reason,
                    "what the link lived with is gone"
                );
                connected.forget_keeper();
                self.machine.handle_lease_lost(moment());
            }
        }
    }

    /// Waits a short time until ModemManager signals the bearer as connected: it does so after its
    /// answer to the connect.
    async fn await_bearer(&self) {
        let mut connected = self
            .modem
            .follow(|modem| modem.is_some_and(|modem| modem.connected_bearer().is_some()));
        let seen = async { while connected.next().await == Some(false) {} };
        if tokio::time::timeout(BEARER_SIGNAL, seen).await.is_err() {
            tracing::debug!("ModemManager does not say that the bearer is connected");
        }
    }

    async fn drain(&mut self) {
        while let Some(event) = self.machine.poll_event() {
            self.record(event).await;
        }
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Act { action, rung, with_pin } => self.act(action, rung, with_pin),
                Effect::Abandon { action } => {
                    if let Some((_, task)) = self.acting.take_if(|(present, _)| *present == action)
                    {
                        task.abort();
                    }
                }
                Effect::LinkDown => self.take_link_down().await,
                Effect::ProbeData => self.probe_data(),
                Effect::ProbeControl => self.probe_control(),
            }
        }
    }

    fn act(&mut self, action: u64, rung: Rung, with_pin: bool) {
        *self.climbed.entry(word(&rung)).or_default() += 1;
        let cures = Cures {
            config: self.config.clone(),
            modem: self.modem.clone(),
            links: self.links.clone(),
            connection: self.connection.clone(),
            asked: Arc::clone(&self.asked),
            device: self.device.clone(),
        };
        let reports = self.reports.0.clone();
        // A ModemManager that has just started does not know of an earlier call and wants the port.
        let call =
            self.link.take_if(|connected| connected.is_dialled() && rung != Rung::RestartDaemon);
        let task = tokio::spawn(async move {
            if let Some(call) = call {
                call.release().await;
            }
            let (outcome, link) = cures.climb(rung, with_pin).await;
            // At the end of the program nobody receives this any more.
            let _ = reports.send(Message::Done(action, outcome, link.map(Box::new)));
        });
        self.acting = Some((action, task));
    }

    async fn take_link_down(&mut self) {
        let Some(connected) = self.link.take() else { return };
        let link = connected.release().await;
        if let Err(error) = self.links.clear(&link).await {
            tracing::warn!(error = %causes(&error), "the interface keeps its addresses");
        }
        dns::clear(&self.connection, &link).await;
    }

    fn probe_data(&self) {
        let Some(link) = self.link.as_ref().map(|connected| &connected.link) else { return };
        let (interface, targets) =
            (link.interface.clone(), probe::targets(link, &self.config.probe.targets));
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let answered = probe::data(&interface, &targets, timing::PROBE_LIMIT).await;
            let _ = reports.send(Message::Data(answered));
        });
    }

    fn probe_control(&self) {
        let (modem, reports) = (self.modem.clone(), self.reports.0.clone());
        tokio::spawn(async move {
            let answered = probe::control(&modem).await;
            let _ = reports.send(Message::Control(answered));
        });
    }

    /// Logs a decision as a structured record, and sends a signal if other programs need it.
    async fn record(&self, event: Event) {
        let record = serde_json::to_string(&event).unwrap_or_default();
        match event {
            Event::FaultFound { fault } => {
                tracing::warn!(%record, "the modem needs a person: {}", fault.in_words())
            }
            Event::Up { .. } | Event::Down { .. } | Event::FaultGone { .. } => {
                tracing::info!(%record, "link")
            }
            Event::Started { rung, .. } if !rung.is_try() => tracing::warn!(%record, "link"),
            Event::Started { .. } | Event::Ended { .. } | Event::Steady => {
                tracing::info!(%record, "link")
            }
        }
        let Ok(signals) = ModemSignals::new(&self.connection) else { return };
        match (event, &self.link) {
            (Event::Up { .. }, Some(Connected { link, .. })) => {
                let addresses = link.addresses.iter().map(ToString::to_string).collect();
                signals.link_up(&link.interface, addresses).await;
            }
            (Event::Down { cause }, _) => signals.link_down(&word(&cause)).await,
            _ => {}
        }
    }

    async fn publish(&self) {
        let modem = self.modem.state();
        let of_network = modem.as_ref().and_then(|modem| modem.modem3gpp.as_ref());
        let (state, rung, due) = match self.machine.status() {
            Status::Up => ("up", None, None),
            Status::Acting { rung } => ("acting", Some(rung), None),
            Status::Waiting { rung, due_ms } => ("waiting", Some(rung), Some(due_ms)),
        };
        let now = moment().0 / 1000;
        let link = self.link.as_ref().map(|connected| &connected.link);
        let mut report = Report {
            state: state.to_owned(),
            rung: rung.as_ref().map(word),
            due_in_ms: due.map(|due| due.saturating_sub(now)),
            fault: self.machine.fault().map(|fault| fault.in_words().to_owned()),
            interface: link.map(|link| link.interface.clone()),
            addresses: link
                .iter()
                .flat_map(|link| &link.addresses)
                .map(ToString::to_string)
                .collect(),
            operator: of_network.and_then(|network| network.operator_name.clone()),
            registration: of_network.map(|network| network.registration.to_string()),
            signal_percent: modem.as_ref().map(|modem| modem.signal_quality.percent),
            modem_manager: self.modem.manager().snapshot().daemon.is_some(),
            modem: modem.as_ref().and_then(|modem| modem.model.clone()),
            climbed: self.climbed.clone(),
            sticks: self.sticks.borrow().clone(),
            position: None,
        };
        // Without a modem the best stick stands for it, unless the modem's link still works without
        // ModemManager.
        if modem.is_none() && !self.machine.is_up() {
            take_over_stick(&mut report);
        }
        if self.published.update(&report) {
            notify::status(&report.fault.unwrap_or(report.state));
        }
    }
}

/// The next change of the link's lease, or the end of its pppd.
async fn next_news(link: &mut Option<Connected>) -> News {
    match link {
        Some(connected) => connected.news().await,
        None => std::future::pending().await,
    }
}

/// The time now. The clock begins at one day instead of 0, so that reboots of the day before the
/// start have times on it.
pub(crate) fn moment() -> MonotonicMicros {
    clock::now().plus(timing::DAY)
}

pub(crate) fn dice() -> u32 {
    // Without randomness, cars that lost the same cell try again at the same time: no harm is done.
    getrandom::u32().unwrap_or(200)
}

/// Resolves at the time that the core's `poll_timeout` gave; never for `None`.
async fn until(due: Option<MonotonicMicros>) {
    match due {
        Some(due) => tokio::time::sleep(due.since(moment())).await,
        None => std::future::pending().await,
    }
}

/// The name of an enum's variant as records have it.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
