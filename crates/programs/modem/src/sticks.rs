//! Sticks that look like Ethernet. They are found by their drivers. Each has a core of its own, all
//! in one task.

use crate::bus::StickReport;
use crate::config::Config;
use crate::dhcp::News;
use crate::link::Links;
use crate::stick::{Done, Runner, Seen};
use crate::supervisor::{dice, moment};
use crate::usb;
use futures_util::future::select_all;
use rccar_bus::modem::ModemSignals;
use rccar_interfaces::{Interface, Watcher, driver_of};
use rccar_modem_core::{Car, Stick};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use zbus::Connection;

/// How long a new interface is only watched. The ports of a modem appear one after the other; if a
/// control port is among them, the interface is not a stick.
const SETTLES: Duration = Duration::from_secs(3);
/// Sleep of the loop if nothing is due.
const NEVER: Duration = Duration::from_secs(3600);

/// The result of something that was begun for a stick.
pub(crate) enum Message {
    /// An action has ended.
    Done(Box<Done>),
    /// Whether a probe was answered.
    Data(bool),
}

/// Follows the interfaces and supervises those that are sticks, until nobody receives reports any
/// more.
pub(crate) struct Sticks {
    config: Config,
    connection: Connection,
    links: Links,
    car: watch::Receiver<Car>,
    reports: watch::Sender<Vec<StickReport>>,
    sender: mpsc::UnboundedSender<(String, Message)>,
    messages: mpsc::UnboundedReceiver<(String, Message)>,
    /// By USB device, so that a stick that comes back is known; by interface if there is no USB
    /// device.
    runners: BTreeMap<String, Runner>,
    interfaces: Vec<Interface>,
    /// When an interface was first seen, by its index.
    first: BTreeMap<u32, Instant>,
    /// When the next new interface has been there for [`SETTLES`].
    settles_at: Option<Instant>,
}

impl Sticks {
    /// Starts the task. Reports come over the channel; without drivers in the configuration, none.
    pub(crate) fn start(
        config: Config,
        connection: Connection,
        links: Links,
        car: watch::Receiver<Car>,
    ) -> watch::Receiver<Vec<StickReport>> {
        let (reports, receiver) = watch::channel(Vec::new());
        if config.stick.drivers.is_empty() {
            return receiver;
        }
        let (sender, messages) = mpsc::unbounded_channel();
        let (runners, interfaces, first) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let sticks = Self {
            config,
            connection,
            links,
            car,
            reports,
            sender,
            messages,
            runners,
            interfaces,
            first,
            settles_at: None,
        };
        tokio::spawn(sticks.run());
        receiver
    }

    async fn run(mut self) {
        let mut watcher = Watcher::new();
        loop {
            self.drain().await;
            if self.reports.is_closed() {
                return;
            }
            self.runners.values_mut().for_each(|runner| runner.machine.handle_dice(dice()));
            let due = self.due();
            tokio::select! {
                biased;
                Some((key, message)) = self.messages.recv() => self.handle(&key, message),
                (key, news) = next_news(&mut self.runners) => self.handle_news(&key, news).await,
                interfaces = watcher.next() => self.look(interfaces).await,
                Ok(()) = self.car.changed() => {
                    let car = *self.car.borrow_and_update();
                    for runner in self.runners.values_mut() {
                        runner.machine.handle_car(moment(), car.in_session);
                    }
                }
                () = sleep(due) => {
                    for runner in self.runners.values_mut() {
                        runner.machine.handle_timeout(moment());
                    }
                    if self.settles_at.is_some_and(|at| at <= Instant::now()) {
                        self.look(self.interfaces.clone()).await;
                    }
                }
            }
        }
    }

    /// Time until a core's next timeout, or until a new interface has been there for long enough.
    fn due(&self) -> Duration {
        let dues = self.runners.values().filter_map(|runner| runner.machine.poll_timeout());
        let machines = dues.map(|due| due.since(moment()));
        let settled = self.settles_at.map(|at| at.saturating_duration_since(Instant::now()));
        machines.chain(settled).min().unwrap_or(NEVER).min(NEVER)
    }

    /// Takes the present interfaces: finds new sticks and those that are gone.
    async fn look(&mut self, interfaces: Vec<Interface>) {
        let sticks: Vec<(String, Seen)> =
            interfaces.iter().filter_map(|interface| self.stick(interface)).collect();
        self.first.retain(|index, _| sticks.iter().any(|(_, stick)| stick.index == *index));
        let now = Instant::now();
        let mut seen = BTreeMap::new();
        for (key, stick) in sticks {
            let first = *self.first.entry(stick.index).or_insert(now);
            if first + SETTLES <= now {
                seen.insert(key, stick);
            }
        }
        self.settles_at = self
            .first
            .values()
            .map(|first| *first + SETTLES)
            .filter(|settled| *settled > now)
            .min();
        for key in seen.keys() {
            if !self.runners.contains_key(key) {
                // Each has a metric of its own, so that one's default route is not the other's.
                let metric = self
                    .config
                    .link
                    .metric
                    .saturating_add(u32::try_from(self.runners.len()).unwrap_or(0))
                    .saturating_add(1);
                self.runners.insert(
                    key.clone(),
                    Runner::new(Stick::new(moment(), dice()), self.links.with_metric(metric)),
                );
            }
        }
        let in_session = self.car.borrow().in_session;
        for (key, runner) in &mut self.runners {
            runner.machine.handle_car(moment(), in_session);
            runner.see(seen.remove(key)).await;
        }
        self.interfaces = interfaces;
    }

    /// The stick of an interface, and its key; `None` if it is not a stick's.
    fn stick(&self, interface: &Interface) -> Option<(String, Seen)> {
        let driver = driver_of(&interface.name)
            .filter(|driver| self.config.stick.drivers.contains(driver))?;
        let device = usb::device_of(Path::new(usb::SYS), &interface.name);
        if device.as_ref().is_some_and(|device| usb::is_modem(Path::new(usb::SYS), device)) {
            return None;
        }
        let key = device
            .as_ref()
            .map_or_else(|| interface.name.clone(), |device| device.display().to_string());
        Some((
            key,
            Seen {
                interface: interface.name.clone(),
                index: interface.index,
                carrier: interface.up,
                driver,
                device,
            },
        ))
    }

    fn handle(&mut self, key: &str, message: Message) {
        let Some(runner) = self.runners.get_mut(key) else { return };
        match message {
            Message::Done(done) => runner.handle_done(*done),
            Message::Data(answered) => runner.machine.handle_data_probe(moment(), answered),
        }
    }

    async fn handle_news(&mut self, key: &str, news: News) {
        if let Some(runner) = self.runners.get_mut(key) {
            runner.handle_news(news, &self.connection).await;
        }
    }

    /// Carries out what the cores want, and publishes their state.
    async fn drain(&mut self) {
        let signals = ModemSignals::new(&self.connection).ok();
        for (key, runner) in &mut self.runners {
            let sender = self.sender.clone();
            let key = key.clone();
            let tell = move |message| drop(sender.send((key.clone(), message)));
            for told in runner.drain(&self.config, &self.connection, tell).await {
                let Some(signals) = &signals else { continue };
                match told {
                    Ok((interface, addresses)) => signals.link_up(&interface, addresses).await,
                    Err(cause) => signals.link_down(&cause).await,
                }
            }
        }
        let present = self.runners.values().filter(|runner| runner.machine.is_present());
        let reports: Vec<StickReport> = present.map(Runner::report).collect();
        self.reports.send_if_modified(|last| {
            let differs = *last != reports;
            *last = reports;
            differs
        });
    }
}

/// The next change of any stick's lease.
async fn next_news(runners: &mut BTreeMap<String, Runner>) -> (String, News) {
    let waits: Vec<_> = runners
        .iter_mut()
        .map(|(key, runner)| Box::pin(async { (key.clone(), runner.news().await) }))
        .collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    select_all(waits).await.0
}
