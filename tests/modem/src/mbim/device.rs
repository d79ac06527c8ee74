//! The emulated MBIM modem: basic connectivity, as far as ModemManager uses it.

use super::wire::{BASIC_CONNECT, INTERNET, Info, element4, element6, read_text, read_u32};
use crate::DataPath;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

/// Commands of basic connectivity (MBIM 1.0, 10.5) that the modem knows.
pub(super) mod cid {
    pub(crate) const DEVICE_CAPS: u32 = 1;
    pub(crate) const SUBSCRIBER_READY_STATUS: u32 = 2;
    pub(crate) const RADIO_STATE: u32 = 3;
    pub(crate) const PIN: u32 = 4;
    pub(crate) const PIN_LIST: u32 = 5;
    pub(crate) const HOME_PROVIDER: u32 = 6;
    pub(crate) const REGISTER_STATE: u32 = 9;
    pub(crate) const PACKET_SERVICE: u32 = 10;
    pub(crate) const SIGNAL_STATE: u32 = 11;
    pub(crate) const CONNECT: u32 = 12;
    pub(crate) const PROVISIONED_CONTEXTS: u32 = 13;
    pub(crate) const IP_CONFIGURATION: u32 = 15;
    pub(crate) const DEVICE_SERVICES: u32 = 16;
    pub(crate) const SUBSCRIBE_LIST: u32 = 19;
    pub(crate) const PACKET_STATISTICS: u32 = 20;
    pub(crate) const ALL: [u32; 15] = [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 15, 16, 19, 20];
}

/// `MBIM_STATUS_…`.
pub(super) mod status {
    pub(crate) const NONE: u32 = 0;
    pub(crate) const FAILURE: u32 = 2;
    pub(crate) const NO_DEVICE_SUPPORT: u32 = 9;
    pub(crate) const PACKET_SERVICE_DETACHED: u32 = 14;
}

/// Registration of the emulated modem: `MBIM_REGISTER_STATE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Not registered, and not searching.
    Deregistered = 1,
    Searching = 2,
    Home = 3,
    Roaming = 4,
    Denied = 6,
}

/// The addresses that the network gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// IPv4 address of the modem's side, in a /24.
    pub ip4: Ipv4Addr,
    pub gateway4: Ipv4Addr,
    /// IPv6 address, in a /64.
    pub ip6: Option<Ipv6Addr>,
    pub mtu: u32,
    /// If set, the modem does not give the addresses itself: a DHCP server gives IPv4, and a router
    /// with this address advertises IPv6. See `Lab::start_dhcp`.
    pub asked_for: Option<Ipv6Addr>,
}

impl Default for Addresses {
    fn default() -> Self {
        Self {
            ip4: Ipv4Addr::new(10, 64, 0, 2),
            gateway4: Ipv4Addr::new(10, 64, 0, 1),
            ip6: None,
            mtu: 1430,
            asked_for: None,
        }
    }
}

/// Requests to the modem so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub connects: u32,
    /// Time of the last request to connect.
    pub last_connect: Option<Instant>,
    /// Families that the last connect asked for (`MBIM_CONTEXT_IP_TYPE`).
    pub last_ip_type: Option<u32>,
    /// Number of times that the radio was switched off.
    pub radio_offs: u32,
    /// Number of PINs that were tried.
    pub pins: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sim {
    Ready = 1,
    Missing = 2,
    Locked = 6,
}

const ACTIVATED: u32 = 1;
const DEACTIVATED: u32 = 3;
const ATTACHED: u32 = 2;
const DETACHED: u32 = 4;
/// Reject cause "PLMN not allowed" (3GPP TS 24.008).
const NOT_ALLOWED: u32 = 11;
/// The same (TS 24.301 section 9.9.4.4): user name or password are wrong.
const USER_AUTHENTICATION_FAILED: u32 = 29;
/// `MBIM_DATA_CLASS_LTE`.
const LTE: u32 = 0x20;

pub(super) struct Device {
    pub(super) sim: Sim,
    pub(super) pin: String,
    pub(super) pin_tries: u32,
    pub(super) registration: Registration,
    pub(super) rssi: u32,
    /// Number of connects that are still to be refused.
    pub(super) refuse: u32,
    /// IP families (`MBIM_CONTEXT_IP_TYPE`) that the network takes, and the cause with which it
    /// refuses others; `None`: all.
    pub(super) only: Option<(u32, u32)>,
    /// Ways to authenticate (`MBIM_AUTH_PROTOCOL`) that the network takes; `None`: all.
    pub(super) only_auth: Option<u32>,
    pub(super) network_error: u32,
    pub(super) hangs: bool,
    pub(super) addresses: Addresses,
    pub(super) counters: Counters,
    radio: bool,
    packet_service: u32,
    activation: u32,
    ip_type: u32,
    path: Arc<dyn DataPath>,
}

impl Device {
    pub(super) fn new(addresses: Addresses, path: Arc<dyn DataPath>) -> Self {
        Self {
            sim: Sim::Ready,
            pin: "1234".to_owned(),
            pin_tries: 3,
            registration: Registration::Home,
            rssi: 25,
            refuse: 0,
            only: None,
            only_auth: None,
            network_error: 0,
            hangs: false,
            addresses,
            counters: Counters::default(),
            radio: true,
            packet_service: ATTACHED,
            activation: DEACTIVATED,
            ip_type: 0,
            path,
        }
    }

    /// The modem's answer: status, information, and the commands whose information it indicates
    /// afterwards.
    pub(super) fn answer(&mut self, cid: u32, set: Option<&[u8]>) -> (u32, Vec<u8>, Vec<u32>) {
        let (status, after) = set.map_or((status::NONE, vec![]), |body| self.set(cid, body));
        match (cid, set) {
            (cid::SUBSCRIBE_LIST, Some(body)) => (status, body.to_vec(), after),
            _ => match self.information(cid) {
                Some(body) => (status, body, after),
                None => (status::NO_DEVICE_SUPPORT, vec![], vec![]),
            },
        }
    }

    /// The present information of a command, as an answer or an indication has it; `None` if the
    /// modem does not know the command.
    pub(super) fn information(&self, cid: u32) -> Option<Vec<u8>> {
        Some(match cid {
            cid::DEVICE_CAPS => {
                let fixed = Info::new().u32(&[1, 1, 0, 2, 0x3f, 3, 1, 8]).text("");
                fixed.text("867698041234567").text("EMU-MBIM 1.0").text("EMU-HW").build()
            }
            cid::SUBSCRIBER_READY_STATUS => {
                let imsi = if self.sim == Sim::Ready { "001010123456789" } else { "" };
                let iccid = if self.sim == Sim::Missing { "" } else { "89001010123456789012" };
                Info::new().u32(&[self.sim as u32]).text(imsi).text(iccid).u32(&[0, 0]).build()
            }
            cid::RADIO_STATE => Info::new().u32(&[1, u32::from(self.radio)]).build(),
            cid::PIN => {
                let locked = u32::from(self.sim == Sim::Locked);
                Info::new().u32(&[locked * 2, locked, self.pin_tries]).build()
            }
            cid::PIN_LIST => Info::new().u32(&[2, 1, 4, 8].repeat(10)).build(),
            cid::HOME_PROVIDER => {
                Info::new().text("00101").u32(&[1]).text("TestNet").u32(&[1, self.rssi, 99]).build()
            }
            cid::REGISTER_STATE => self.register_state(),
            cid::PACKET_SERVICE => {
                let class = if self.packet_service == ATTACHED { LTE } else { 0 };
                Info::new()
                    .u32(&[self.network_error, self.packet_service, class])
                    .u64(&[50_000_000, 150_000_000])
                    .build()
            }
            cid::SIGNAL_STATE => Info::new().u32(&[self.rssi, 99, 5, 1, u32::MAX]).build(),
            cid::CONNECT => {
                let fixed = Info::new().u32(&[0, self.activation, 0, self.ip_type]);
                fixed.uuid(&INTERNET).u32(&[self.network_error]).build()
            }
            cid::PROVISIONED_CONTEXTS => Info::new().u32(&[0]).build(),
            cid::IP_CONFIGURATION => self.ip_configuration(),
            cid::DEVICE_SERVICES => {
                let head = [0, 0, u32::try_from(cid::ALL.len()).unwrap_or(0)];
                let service = Info::new().uuid(&BASIC_CONNECT).u32(&head).u32(&cid::ALL).build();
                Info::new().u32(&[1, 0]).sized(service).build()
            }
            cid::PACKET_STATISTICS => {
                Info::new().u32(&[0, 0]).u64(&[1000, 10, 2000, 20]).u32(&[0, 0]).build()
            }
            _ => return None,
        })
    }

    /// Ends the connection, without an indication.
    pub(super) fn drop_connection(&mut self) {
        self.activation = DEACTIVATED;
        self.path.carry(None);
    }

    pub(super) fn detach(&mut self) {
        self.packet_service = DETACHED;
        self.drop_connection();
    }

    pub(super) fn attach(&mut self) {
        self.packet_service = ATTACHED;
    }

    pub(super) fn is_connected(&self) -> bool {
        self.activation == ACTIVATED
    }

    fn is_registered(&self) -> bool {
        self.radio
            && self.sim == Sim::Ready
            && matches!(self.registration, Registration::Home | Registration::Roaming)
    }

    fn set(&mut self, cid: u32, body: &[u8]) -> (u32, Vec<u32>) {
        match cid {
            cid::RADIO_STATE => self.set_radio(read_u32(body, 0) == Some(1)),
            cid::PIN => self.set_pin(read_text(body, 8).as_deref()),
            cid::PACKET_SERVICE => self.set_packet_service(read_u32(body, 0) == Some(0)),
            cid::CONNECT => {
                let field = |at| read_u32(body, at).unwrap_or(0);
                self.set_connect(field(4) == 1, field(40), field(36))
            }
            _ => (status::NONE, vec![]),
        }
    }

    fn set_radio(&mut self, on: bool) -> (u32, Vec<u32>) {
        self.radio = on;
        if on {
            return (status::NONE, vec![cid::RADIO_STATE, cid::REGISTER_STATE]);
        }
        self.counters.radio_offs += 1;
        self.detach();
        (status::NONE, vec![cid::RADIO_STATE, cid::REGISTER_STATE, cid::PACKET_SERVICE])
    }

    fn set_pin(&mut self, pin: Option<&str>) -> (u32, Vec<u32>) {
        self.counters.pins += 1;
        if pin != Some(self.pin.as_str()) {
            self.pin_tries = self.pin_tries.saturating_sub(1);
            return (status::FAILURE, vec![]);
        }
        (self.sim, self.pin_tries) = (Sim::Ready, 3);
        (status::NONE, vec![cid::SUBSCRIBER_READY_STATUS, cid::REGISTER_STATE])
    }

    fn set_packet_service(&mut self, attach: bool) -> (u32, Vec<u32>) {
        if attach && !self.is_registered() {
            return (status::FAILURE, vec![]);
        }
        if attach {
            self.attach()
        } else {
            self.detach()
        }
        (status::NONE, vec![cid::PACKET_SERVICE])
    }

    fn set_connect(&mut self, activate: bool, ip_type: u32, auth: u32) -> (u32, Vec<u32>) {
        if !activate {
            self.drop_connection();
            return (status::NONE, vec![]);
        }
        self.counters.connects += 1;
        self.counters.last_connect = Some(Instant::now());
        if self.refuse > 0 {
            self.refuse -= 1;
            return (status::FAILURE, vec![]);
        }
        if self.packet_service != ATTACHED || !self.is_registered() {
            return (status::PACKET_SERVICE_DETACHED, vec![]);
        }
        self.counters.last_ip_type = Some(ip_type);
        self.network_error = match (self.only, self.only_auth) {
            (Some((only, cause)), _) if only != ip_type => cause,
            (_, Some(only)) if only != auth => USER_AUTHENTICATION_FAILED,
            _ => 0,
        };
        if self.network_error != 0 {
            return (status::FAILURE, vec![]);
        }
        (self.activation, self.ip_type) = (ACTIVATED, ip_type);
        self.path.carry(Some(self.addresses));
        (status::NONE, vec![])
    }

    fn register_state(&self) -> Vec<u8> {
        let usable = self.radio && self.sim == Sim::Ready;
        let state = if usable { self.registration } else { Registration::Deregistered };
        let on = matches!(state, Registration::Home | Registration::Roaming);
        let (class, id, name) = if on { (LTE, "00101", "TestNet") } else { (0, "", "") };
        let error = if state == Registration::Denied { NOT_ALLOWED } else { self.network_error };
        let head = Info::new().u32(&[error, state as u32, 1, class, 1]);
        head.text(id).text(name).text("").u32(&[if on { 2 } else { 0 }]).build()
    }

    fn ip_configuration(&self) -> Vec<u8> {
        /// Flags: address, gateway, name servers and MTU are there.
        const ALL: u32 = 15;
        let Addresses { ip4, gateway4, ip6, mtu, asked_for } = self.addresses;
        if asked_for.is_some() {
            let nothing = Info::new().u32(&[0, 0, 0]).addresses(&[]).addresses(&[]);
            return nothing
                .pointed(vec![])
                .pointed(vec![])
                .addresses(&[])
                .addresses(&[])
                .u32(&[0, 0])
                .build();
        }
        let (flags6, mtu6) = if ip6.is_some() { (ALL, mtu) } else { (0, 0) };
        let gateway6 = ip6.map(|_| {
            "fe80::1".parse::<Ipv6Addr>().map_or(vec![], |gateway| gateway.octets().to_vec())
        });
        let dns = [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(192, 0, 2, 54)]
            .map(|server| server.octets().to_vec());
        Info::new()
            .u32(&[0, ALL, flags6])
            .addresses(&[element4(ip4, 24)])
            .addresses(&ip6.map(|address| element6(address, 64)).into_iter().collect::<Vec<_>>())
            .pointed(gateway4.octets().to_vec())
            .pointed(gateway6.unwrap_or_default())
            .addresses(&dns)
            .addresses(&[])
            .u32(&[mtu, mtu6])
            .build()
    }
}
