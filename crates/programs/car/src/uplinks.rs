//! The car's uplinks: watches them and publishes for sessions and signaling which one is in use.

use crate::dial::{self, LastAddresses};
use crate::due::until;
use crate::host_url::HostUrl;
use rccar_car_core::timing;
use rccar_car_core::uplinks::{Effect, Kind, Options, Uplink, Uplinks, Why};
use rccar_daemon::clock;
use rccar_interfaces::{Interface, Medium, Watcher};
use rccar_peer::Binding;
use rccar_protocol::events::UplinkKind;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct UplinksConfig {
    pub(crate) watch: bool,
    pub(crate) prefer: Vec<UplinkKind>,
    pub(crate) kinds: BTreeMap<String, InterfaceKind>,
    pub(crate) return_after_s: u16,
}

impl Default for UplinksConfig {
    fn default() -> Self {
        Self {
            watch: true,
            prefer: vec![UplinkKind::Ethernet, UplinkKind::Wifi, UplinkKind::Mobile],
            kinds: BTreeMap::new(),
            return_after_s: 5,
        }
    }
}

/// A value of `[uplinks.kinds]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum InterfaceKind {
    Ethernet,
    Wifi,
    Mobile,
    Other,
    /// No uplink, whatever routes it has.
    Ignore,
}

/// The uplinks at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Situation {
    /// Counts moves from one uplink to another.
    pub(crate) moves: u64,
    /// Why the last move was made.
    pub(crate) why: Option<Why>,
    pub(crate) in_use: Option<Uplink>,
    /// All uplinks, the best one to try first.
    pub(crate) order: Vec<Uplink>,
    pub(crate) interfaces: Arc<Vec<Interface>>,
}

impl Situation {
    /// The addresses for a connection over the uplink in use and over interfaces that are no
    /// uplink, such as a local network; with `wide`, over all interfaces. Packets leave through the
    /// interface of their address, also while another one has the better route.
    pub(crate) fn binding(&self, wide: bool) -> Binding {
        let of_interface = |uplink: &Uplink| {
            let interface =
                self.interfaces.iter().find(|interface| interface.index == uplink.index);
            interface.map(|interface| interface.addresses.clone()).unwrap_or_default()
        };
        let devices = self.order.iter().flat_map(|uplink| {
            let name = uplink.name.clone();
            of_interface(uplink).into_iter().map(move |address| (address, name.clone()))
        });
        let others = self
            .order
            .iter()
            .filter(|uplink| self.in_use.as_ref().is_some_and(|used| used.index != uplink.index));
        let others: BTreeSet<IpAddr> = others.flat_map(of_interface).collect();
        let own = || {
            self.interfaces
                .iter()
                .filter(|interface| interface.up && interface.medium != Medium::Loopback)
        };
        // `None`, no limit at all, if there is no other uplink to leave out.
        let addresses = (!wide && !others.is_empty()).then(|| {
            own().flat_map(|interface| interface.addresses.difference(&others).copied()).collect()
        });
        Binding { addresses, devices: devices.collect() }
    }
}

/// Something that another part of the program has found out about uplinks.
#[derive(Debug)]
pub(crate) enum Report {
    /// The host answered over the uplink `over`, and not over the `silent` ones tried before.
    Dialled { over: String, silent: Vec<String> },
}

/// The way to the uplinks; all clones share one state.
#[derive(Clone)]
pub(crate) struct UplinksHandle {
    situation: watch::Receiver<Situation>,
    reports: mpsc::Sender<Report>,
    suspicions: Arc<watch::Sender<u64>>,
}

/// Most reports that wait. Each is worth little when the next one is here.
const REPORTS: usize = 16;

impl UplinksHandle {
    pub(crate) fn subscribe(&self) -> watch::Receiver<Situation> {
        self.situation.clone()
    }

    pub(crate) fn now(&self) -> Situation {
        self.situation.borrow().clone()
    }

    pub(crate) fn report(&self, report: Report) {
        // With a full queue this report is lost; the next dialling makes another one.
        let _ = self.reports.try_send(report);
    }

    /// Asks signaling to dial the host again, over all uplinks: neither driver nor host answers.
    pub(crate) fn suspect(&self) {
        self.suspicions.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Changes with each call of [`suspect`](Self::suspect).
    pub(crate) fn suspicions(&self) -> watch::Receiver<u64> {
        self.suspicions.subscribe()
    }
}

/// Begins to watch. A probe of an uplink connects to `host`; without one it always succeeds.
pub(crate) fn start(config: &UplinksConfig, host: Option<HostUrl>) -> UplinksHandle {
    let (publish, situation) = watch::channel(Situation::default());
    let (reports, queue) = mpsc::channel(REPORTS);
    let handle = UplinksHandle { situation, reports, suspicions: Arc::default() };
    if config.watch {
        let options = Options {
            prefer: config.prefer.iter().map(|kind| kind_of(*kind)).collect(),
            return_after: seconds(config.return_after_s),
        };
        let manager = Manager {
            machine: Uplinks::new(options),
            kinds: config.kinds.clone(),
            host,
            interfaces: Arc::default(),
            publish,
            probes: JoinSet::new(),
        };
        tokio::spawn(manager.run(queue));
    }
    handle
}

fn seconds(count: u16) -> Duration {
    Duration::from_secs(count.into())
}

struct Manager {
    machine: Uplinks,
    kinds: BTreeMap<String, InterfaceKind>,
    host: Option<HostUrl>,
    interfaces: Arc<Vec<Interface>>,
    publish: watch::Sender<Situation>,
    probes: JoinSet<(String, bool)>,
}

impl Manager {
    async fn run(mut self, mut reports: mpsc::Receiver<Report>) {
        let mut watcher = Watcher::new();
        loop {
            let due = self.machine.poll_timeout();
            tokio::select! {
                interfaces = watcher.next() => {
                    let uplinks =
                        interfaces.iter().filter_map(|interface| self.uplink(interface)).collect();
                    self.interfaces = Arc::new(interfaces);
                    self.machine.handle_uplinks(clock::now(), uplinks);
                }
                Some(Report::Dialled { over, silent }) = reports.recv() => {
                    for name in silent {
                        self.machine.handle_silent(clock::now(), &name);
                    }
                    self.machine.handle_alive(clock::now(), &over);
                }
                Some(Ok((name, answered))) = self.probes.join_next() => {
                    self.machine.handle_probe(clock::now(), &name, answered);
                }
                () = until(due) => self.machine.handle_timeout(clock::now()),
            }
            self.carry_out();
        }
    }

    fn carry_out(&mut self) {
        let mut next = self.publish.borrow().clone();
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Move(to) => {
                    let name = to.to.as_ref().map(|uplink| uplink.name.as_str());
                    tracing::info!(uplink = name, why = ?to.why, "uplink");
                    next.moves += 1;
                    next.why = Some(to.why);
                }
                Effect::Probe(uplink) => self.probe(uplink),
            }
        }
        next.in_use = self.machine.in_use().cloned();
        next.order = self.machine.order();
        next.interfaces = Arc::clone(&self.interfaces);
        self.publish.send_if_modified(|present| {
            let news = present.moves != next.moves
                || present.order != next.order
                || !Arc::ptr_eq(&present.interfaces, &next.interfaces);
            *present = next;
            news
        });
    }

    /// Tests an uplink by a connection to the host. Without a host there is no better sign than the
    /// uplink itself.
    fn probe(&mut self, uplink: Uplink) {
        let host = self.host.clone();
        self.probes.spawn(async move {
            let answered = match host {
                Some(url) => {
                    dial::only_over(&url, &LastAddresses::default(), &uplink, timing::PROBE_WITHIN)
                        .await
                        .is_ok()
                }
                None => true,
            };
            tracing::debug!(uplink = uplink.name, answered, "a better uplink was tried");
            (uplink.name, answered)
        });
    }

    /// `None` without a default route, or if it is no uplink by kind.
    fn uplink(&self, interface: &Interface) -> Option<Uplink> {
        let metric = interface.default_metric()?;
        let kind = match (self.kinds.get(&interface.name), interface.medium) {
            (Some(InterfaceKind::Ignore), _) | (None, Medium::Loopback) => return None,
            (Some(InterfaceKind::Ethernet), _) | (None, Medium::Ethernet) => Kind::Ethernet,
            (Some(InterfaceKind::Wifi), _) | (None, Medium::Wireless) => Kind::Wifi,
            (Some(InterfaceKind::Mobile), _) | (None, Medium::Mobile) => Kind::Mobile,
            (Some(InterfaceKind::Other), _) | (None, Medium::Other) => Kind::Other,
        };
        Some(Uplink {
            metric,
            ..Uplink::new(interface.index, &interface.name, kind, interface.outside_addresses())
        })
    }
}

fn kind_of(kind: UplinkKind) -> Kind {
    match kind {
        UplinkKind::Ethernet => Kind::Ethernet,
        UplinkKind::Wifi => Kind::Wifi,
        UplinkKind::Mobile => Kind::Mobile,
        UplinkKind::Miscellaneous | UplinkKind::Other(_) => Kind::Other,
    }
}

/// The core's word as the protocol's.
pub(crate) fn word(kind: Kind) -> UplinkKind {
    match kind {
        Kind::Ethernet => UplinkKind::Ethernet,
        Kind::Wifi => UplinkKind::Wifi,
        Kind::Mobile => UplinkKind::Mobile,
        Kind::Other => UplinkKind::Miscellaneous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(index: u32, name: &str, address: &str, default_v4: Option<u32>) -> Interface {
        let addresses = [address.parse().unwrap()].into();
        Interface {
            index,
            name: name.into(),
            medium: Medium::Ethernet,
            up: true,
            addresses,
            default_v4,
            default_v6: None,
        }
    }

    #[test]
    fn a_connection_uses_its_uplink_and_the_local_networks_and_leaves_the_other_uplinks_alone() {
        let interfaces = vec![
            interface(2, "up0", "192.0.2.7", Some(1)),
            interface(3, "up1", "198.51.100.7", Some(2)),
            interface(4, "lan0", "10.0.0.1", None),
        ];
        let uplinks: Vec<_> = interfaces[..2]
            .iter()
            .map(|interface| {
                Uplink::new(
                    interface.index,
                    &interface.name,
                    Kind::Wifi,
                    interface.outside_addresses(),
                )
            })
            .collect();
        let situation = Situation {
            in_use: Some(uplinks[0].clone()),
            order: uplinks,
            interfaces: Arc::new(interfaces),
            ..Situation::default()
        };
        let binding = situation.binding(false);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(binding.addresses, Some([address("192.0.2.7"), address("10.0.0.1")].into()));
        assert_eq!(
            binding.devices,
            [(address("192.0.2.7"), "up0".into()), (address("198.51.100.7"), "up1".into())].into()
        );
        assert_eq!(situation.binding(true).addresses, None);
    }
}
