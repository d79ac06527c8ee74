//! The network behind the modem: a network namespace at the other end of the modem's interface, which answers only while the modem is
//! connected.

use crate::root::Root;
use crate::{Addresses, DataPath};
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

/// Addresses that answer behind the gateway, as long as the network carries data: name servers and somebody to probe.
pub const BEHIND: [Ipv4Addr; 3] = [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(192, 0, 2, 54), Ipv4Addr::new(198, 51, 100, 1)];
/// The same for IPv6.
pub const BEHIND6: &str = "2001:db8:53::1";

/// The name of the namespace.
const CELL: &str = "cell";

/// The network.
#[derive(Clone)]
pub(crate) struct Cell {
    root: Arc<Root>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What the modem is connected with.
    addresses: Option<Addresses>,
    /// The network swallows everything although the modem is connected.
    swallows: bool,
}

impl Cell {
    /// Makes `interface` in this namespace, with the network at its other end.
    pub(crate) fn start(root: &Arc<Root>, interface: &str) -> io::Result<Self> {
        let ip = |line: &str| root.run("ip", &line.split(' ').collect::<Vec<_>>());
        ip("link set lo up")?;
        ip(&format!("netns add {CELL}"))?;
        ip(&format!("link add {interface} type veth peer name tower netns {CELL}"))?;
        let cell = Self { root: root.clone(), state: Arc::default() };
        cell.ip("link set lo up")?;
        for address in BEHIND {
            cell.ip(&format!("addr add {address}/32 dev lo"))?;
        }
        cell.ip(&format!("addr add {BEHIND6}/128 dev lo"))?;
        cell.ip("link set tower up")?;
        Ok(cell)
    }

    /// Whether the network swallows everything although the modem is connected. Carrier and neighbours stay.
    pub(crate) fn swallow(&self, swallows: bool) -> io::Result<()> {
        self.change(|state| state.swallows = swallows)
    }

    /// Without an address and routes of its own the tower drops what arrives, and nobody is told.
    fn change(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.ip("addr flush dev tower")?;
        self.ip("-6 route flush dev tower")?;
        let (Some(Addresses { gateway4, ip6, .. }), false) = (state.addresses, state.swallows) else { return Ok(()) };
        self.ip(&format!("addr add {gateway4}/24 dev tower"))?;
        self.ip("addr add fe80::1/64 dev tower nodad")?;
        ip6.map_or(Ok(()), |ip6| self.ip(&format!("route replace {ip6}/128 dev tower")))
    }

    fn ip(&self, line: &str) -> io::Result<()> {
        let arguments: Vec<&str> = ["-n", CELL].into_iter().chain(line.split(' ')).collect();
        self.root.run("ip", &arguments)
    }
}

impl DataPath for Cell {
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    fn carry(&self, addresses: Option<Addresses>) {
        self.change(|state| state.addresses = addresses).expect("the network can come and go");
    }
}
