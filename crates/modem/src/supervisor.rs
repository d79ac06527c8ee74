//! The loop: what happens goes into the machine, what it wants is done.

use crate::bus::{Published, Report};
use crate::config::Config;
use crate::cures::Cures;
use crate::link::{Link, LinkError, Links};
use crate::reboots::Reboots;
use crate::{dns, probe, usb, view};
use futures_util::StreamExt;
use rccar_daemon::{clock, notify};
use rccar_modem_core::{Car, Effect, Event, Machine, Moment, Outcome, Rung, Status, timing};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_modem_manager::{CoreError, FaultKind, Modem, ModemManager, Snapshot};
use zbus::Connection;
use zbus::object_server::SignalEmitter;

/// Why the supervisor cannot work.
#[derive(Debug, Error)]
pub enum SupervisorError {
    /// The system bus.
    #[error("cannot use the system bus")]
    Bus(#[source] Box<zbus::Error>),
    /// ModemManager cannot be followed.
    #[error(transparent)]
    ModemManager(#[from] tokio_modem_manager::Error),
    /// Routing.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The bus went away; systemd starts the supervisor again with it.
    #[error("the connection to the system bus has ended")]
    BusGone,
}

/// How often the USB is looked at: a modem that comes is seen by ModemManager anyway, and one that hangs is missed slowly.
const LOOK_AT_USB: Duration = Duration::from_secs(5);
/// Where the kernel tells what is on it.
const SYS: &str = "/sys";
/// How long ModemManager's signals may lag behind its answer to a connect.
const BEARER_SIGNAL: Duration = Duration::from_millis(500);

impl From<zbus::Error> for SupervisorError {
    fn from(error: zbus::Error) -> Self {
        Self::Bus(Box::new(error))
    }
}

/// What comes back from what was begun.
enum Message {
    Done(u64, Outcome, Option<Link>),
    Data(bool),
    Control(bool),
}

/// The supervisor.
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
    link: Option<Link>,
    device: Option<String>,
    climbed: BTreeMap<String, u64>,
}

impl Supervisor {
    /// Connects to everything.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn start(config: Config) -> Result<Self, SupervisorError> {
        let connection = Connection::system().await?;
        let modem = ModemManager::new(connection.clone()).await?.modem(config.modem.selector());
        let links = Links::connect(config.link.metric)?;
        let (sender, car) = watch::channel(Car { in_session: false, parked: false });
        let published = Published::new(sender);
        published.serve(&connection).await?;
        let at = moment();
        let ages = Reboots::new(&config.paths.state_dir, &config.paths.reboot_request).ages(SystemTime::now());
        let reboots: Vec<Duration> = ages.into_iter().map(|age| at.now.saturating_sub(age)).collect();
        let machine = Machine::new(at, config.modem.pin.is_some(), &reboots);
        let (acting, link, device, climbed) = (None, None, None, BTreeMap::new());
        let reports = mpsc::unbounded_channel();
        Ok(Self { config, connection, modem, links, machine, published, car, reports, acting, link, device, climbed })
    }

    /// Supervises until `end`.
    ///
    /// # Errors
    /// The bus went away.
    pub async fn run(mut self, end: impl Future<Output = ()>) -> Result<(), SupervisorError> {
        let mut end = std::pin::pin!(end);
        let mut snapshots = self.modem.manager().snapshots();
        notify::ready();
        let watchdog = notify::watchdog_interval().unwrap_or(Duration::from_secs(3600));
        let mut watchdog = tokio::time::interval(watchdog);
        let mut looks = tokio::time::interval(LOOK_AT_USB);
        loop {
            self.drain().await;
            self.publish().await;
            let due = self.machine.poll_timeout().saturating_sub(moment().now);
            tokio::select! {
                biased;
                () = &mut end => break,
                _ = watchdog.tick() => notify::watchdog(),
                Some(report) = self.reports.1.recv() => self.handle_report(report).await,
                snapshot = snapshots.next() => match snapshot {
                    Some(snapshot) => self.handle_snapshot(&snapshot),
                    None => return Err(SupervisorError::BusGone),
                },
                Ok(()) = self.car.changed() => {
                    let car = *self.car.borrow_and_update();
                    self.machine.handle_car(moment(), car);
                }
                _ = looks.tick() => {
                    let snapshot = self.modem.manager().snapshot();
                    self.handle_snapshot(&snapshot);
                }
                () = tokio::time::sleep(due) => self.machine.handle_timeout(moment()),
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
        self.machine.handle_observation(moment(), view::observation(snapshot, modem.as_deref(), usb::has_modem(Path::new(SYS))));
    }

    async fn handle_report(&mut self, report: Message) {
        match report {
            Message::Done(action, outcome, link) => {
                if self.acting.as_ref().is_none_or(|(present, _)| *present != action) {
                    return;
                }
                self.acting = None;
                if let Some(link) = link {
                    dns::set(&self.connection, &link).await;
                    self.link = Some(link);
                }
                self.machine.handle_done(moment(), action, outcome);
                if self.machine.is_up() {
                    self.await_bearer().await;
                }
                // What was seen during the action was not looked at.
                let snapshot = self.modem.manager().snapshot();
                self.handle_snapshot(&snapshot);
            }
            Message::Data(answered) => self.machine.handle_data_probe(moment(), answered),
            Message::Control(answered) => self.machine.handle_control_probe(moment(), answered),
        }
    }

    /// ModemManager answers a connect before it signals the bearer's state; waits for that, not for long.
    async fn await_bearer(&self) {
        let mut connected = self.modem.follow(|modem| modem.is_some_and(|modem| modem.connected_bearer().is_some()));
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
                    if let Some((_, task)) = self.acting.take_if(|(present, _)| *present == action) {
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
            device: self.device.clone(),
        };
        let reports = self.reports.0.clone();
        let task = tokio::spawn(async move {
            let (outcome, link) = cures.climb(rung, with_pin).await;
            // The loop ends before its tasks.
            let _ = reports.send(Message::Done(action, outcome, link));
        });
        self.acting = Some((action, task));
    }

    async fn take_link_down(&mut self) {
        let Some(link) = self.link.take() else { return };
        if let Err(error) = self.links.clear(&link).await {
            tracing::warn!(%error, "the interface keeps its addresses");
        }
        dns::clear(&self.connection, &link).await;
    }

    fn probe_data(&self) {
        let Some(link) = self.link.clone() else { return };
        let reachable = |target: &SocketAddr| link.addresses.iter().any(|own| own.is_ipv4() == target.is_ipv4());
        let servers = link.dns.iter().map(|server| SocketAddr::new(*server, 53));
        let targets: Vec<SocketAddr> = servers.chain(self.config.probe.targets.iter().copied()).filter(reachable).collect();
        let reports = self.reports.0.clone();
        tokio::spawn(async move {
            let answered = probe::data(&link.interface, &targets, timing::PROBE_LIMIT).await;
            let _ = reports.send(Message::Data(answered));
        });
    }

    fn probe_control(&self) {
        let (modem, reports) = (self.modem.clone(), self.reports.0.clone());
        tokio::spawn(async move {
            let answered = match modem.probe().await {
                Ok(_) => true,
                // Any other error is an answer.
                Err(tokio_modem_manager::Error::Timeout { .. }) => false,
                Err(error) => error.fault().is_none_or(|fault| fault.kind != FaultKind::Core(CoreError::Timeout)),
            };
            let _ = reports.send(Message::Control(answered));
        });
    }

    /// Every decision, once: a structured record, and a signal where others have to act on it.
    async fn record(&self, event: Event) {
        let record = serde_json::to_string(&event).unwrap_or_default();
        match event {
            Event::FaultFound { fault } => tracing::warn!(%record, "the modem needs a person: {}", fault.in_words()),
            Event::Up { .. } | Event::Down { .. } | Event::FaultGone { .. } => tracing::info!(%record, "link"),
            Event::Started { rung, .. } if rung > Rung::CycleBearer => tracing::warn!(%record, "link"),
            Event::Started { .. } | Event::Ended { .. } | Event::Steady => tracing::info!(%record, "link"),
        }
        let Ok(emitter) = SignalEmitter::new(&self.connection, crate::bus::PATH) else { return };
        let sent = match (event, &self.link) {
            (Event::Up { .. }, Some(link)) => {
                let addresses = link.addresses.iter().map(ToString::to_string).collect();
                Published::link_up(&emitter, &link.interface, addresses).await
            }
            (Event::Down { cause }, _) => Published::link_down(&emitter, &word(&cause)).await,
            _ => Ok(()),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a signal could not be sent");
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
        let now = u64::try_from(moment().now.as_millis()).unwrap_or(u64::MAX);
        let report = Report {
            state: state.to_owned(),
            rung: rung.as_ref().map(word),
            due_in_ms: due.map(|due| due.saturating_sub(now)),
            fault: self.machine.fault().map(|fault| fault.in_words().to_owned()),
            interface: self.link.as_ref().map(|link| link.interface.clone()),
            addresses: self.link.iter().flat_map(|link| &link.addresses).map(ToString::to_string).collect(),
            operator: of_network.and_then(|network| network.operator_name.clone()),
            registration: of_network.map(|network| network.registration.to_string()),
            signal_percent: modem.as_ref().map(|modem| modem.signal_quality.percent),
            modem_manager: self.modem.manager().snapshot().daemon.is_some(),
            modem: modem.as_ref().and_then(|modem| modem.model.clone()),
            climbed: self.climbed.clone(),
        };
        if self.published.update(&report) {
            notify::status(&report.fault.unwrap_or(report.state));
        }
    }
}

/// Now, and a fresh random number. The clock begins at a day, so that reboots of the day before the start have their times on it.
fn moment() -> Moment {
    // Without randomness cars that lost the same cell try again at the same time; nothing worse.
    Moment { now: timing::DAY + Duration::from_micros(clock::now().0), dice: getrandom::u32().unwrap_or(200) }
}

/// The name of a variant as it is written in records.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
