//! The network behind the modem: a network namespace at the other end of the modem's interface. It
//! answers only while the modem is connected.

use crate::root::Root;
use crate::{Addresses, DataPath};
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::process::Child;

/// Addresses that answer behind the gateway while the network carries data: two name servers and a
/// target for probes.
pub const BEHIND: [Ipv4Addr; 3] =
    [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(192, 0, 2, 54), Ipv4Addr::new(198, 51, 100, 1)];
/// The same for IPv6.
pub const BEHIND6: &str = "2001:db8:53::1";

/// Log of the DHCP server, inside the root.
pub(crate) const DHCP_LOG: &str = "/run/dhcp.log";
/// Name of the namespace.
const CELL: &str = "cell";

#[derive(Clone)]
pub(crate) struct Cell {
    root: Arc<Root>,
    interface: &'static str,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Addresses of the connected modem; `None` while it is not connected.
    addresses: Option<Addresses>,
    /// The network drops all packets although the modem is connected.
    swallows: bool,
}

impl Cell {
    /// Makes `interface` in this namespace, with the network at its other end.
    pub(crate) fn start(root: &Arc<Root>, interface: &'static str) -> io::Result<Self> {
        let cell = Self { root: root.clone(), interface, state: Arc::default() };
        cell.outside("link set lo up")?;
        cell.outside(&format!("netns add {CELL}"))?;
        cell.ip("link set lo up")?;
        cell.be_lonely(false)?;
        cell.ip(&format!("addr add {BEHIND6}/128 dev lo"))?;
        cell.plug()?;
        Ok(cell)
    }

    /// Makes the interface, as if a stick was plugged in.
    pub(crate) fn plug(&self) -> io::Result<()> {
        self.outside(&format!(
            "link add {} type veth peer name tower netns {CELL}",
            self.interface
        ))?;
        self.ip("link set tower up")?;
        self.change(|_| ())
    }

    /// Takes the interface away.
    pub(crate) fn unplug(&self) -> io::Result<()> {
        self.outside(&format!("link del {}", self.interface))
    }

    /// With `lonely` only the other end of the interface answers, like a stick that has lost its
    /// network.
    pub(crate) fn be_lonely(&self, lonely: bool) -> io::Result<()> {
        let action = if lonely { "del" } else { "add" };
        BEHIND.iter().try_for_each(|address| self.ip(&format!("addr {action} {address}/32 dev lo")))
    }

    /// Starts a DHCP server, and a router that advertises, at the other end of the interface.
    pub(crate) fn start_dhcp(&self, addresses: Addresses, options: &[&str]) -> io::Result<Child> {
        let mut command = self.root.command("ip");
        command.args([
            "netns",
            "exec",
            CELL,
            "dnsmasq",
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--user=root",
            "--port=0",
        ]);
        command.args([
            "--interface=tower",
            "--bind-dynamic",
            "--dhcp-authoritative",
            "--no-ping",
            "--pid-file=",
        ]);
        command.args([
            "--dhcp-leasefile=/run/leases",
            &format!("--log-facility={DHCP_LOG}"),
            "--log-dhcp",
            "--enable-ra",
        ]);
        let [a, b, c, _] = addresses.gateway4.octets();
        command.arg(format!("--dhcp-range={a}.{b}.{c}.50,{a}.{b}.{c}.59,255.255.255.0,2m"));
        if let Some(router) = addresses.asked_for {
            command.arg(format!("--dhcp-range={router},ra-only,64"));
        }
        command.args(options).spawn()
    }

    /// With `swallows` the network drops all packets although the modem is connected. The carrier
    /// stays.
    pub(crate) fn swallow(&self, swallows: bool) -> io::Result<()> {
        self.change(|state| state.swallows = swallows)
    }

    /// Changes the state, and the addresses and routes of the tower by it. Without them the tower
    /// drops all packets, and nothing reports that.
    fn change(&self, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        self.ip("addr flush dev tower")?;
        self.ip("-6 route flush dev tower")?;
        let (Some(Addresses { gateway4, ip6, asked_for, .. }), false) =
            (state.addresses, state.swallows)
        else {
            return Ok(());
        };
        self.ip(&format!("addr add {gateway4}/24 dev tower"))?;
        self.ip("addr add fe80::1/64 dev tower nodad")?;
        if let Some(router) = asked_for {
            self.ip(&format!("addr add {router}/64 dev tower nodad"))?;
        }
        ip6.map_or(Ok(()), |ip6| self.ip(&format!("route replace {ip6}/128 dev tower")))
    }

    fn outside(&self, line: &str) -> io::Result<()> {
        self.root.run("ip", &line.split(' ').collect::<Vec<_>>())
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
