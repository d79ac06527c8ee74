//! Bearers and their IP configuration.

use crate::dict::Dict;
use crate::{BearerType, Fault, IpMethod};
use std::net::IpAddr;
use std::time::Duration;
use zbus::zvariant::OwnedObjectPath;

/// A packet data bearer.
#[derive(Debug, Clone, PartialEq)]
pub struct Bearer {
    /// Path of its object.
    pub path: OwnedObjectPath,
    /// Whether it carries data, as far as ModemManager knows.
    pub connected: bool,
    /// Whether data is held up, for instance by a call.
    pub suspended: bool,
    /// Network interface, or the serial port to run PPP on. `None` while it is not connected.
    pub interface: Option<String>,
    /// IPv4, if it was asked for and granted.
    pub ip4: Option<IpConfig>,
    /// IPv6, if it was asked for and granted.
    pub ip6: Option<IpConfig>,
    /// Why it is not connected: a failed try, or the network's reason for ending it.
    pub connection_error: Option<Fault>,
    /// How long PPP may take.
    pub ip_timeout: Duration,
    /// Kind of bearer.
    pub bearer_type: BearerType,
    /// Number of its profile in the modem, if it has one.
    pub profile_id: Option<i32>,
    /// Access point name that it was made with.
    pub apn: Option<String>,
    /// Counters, refreshed every 30 s if the modem counts.
    pub stats: BearerStats,
}

/// IP configuration of one family. It only has addresses of that family; those that cannot be
/// parsed are left out.
///
/// **Read it again after every connect**: networks give another address each time. ModemManager
/// does not refresh it when the network changes it during the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpConfig {
    /// How the address gets onto the interface.
    pub method: IpMethod,
    /// Address for [`IpMethod::Static`]. For IPv6 with [`IpMethod::Dhcp`] it is a link-local
    /// address that has to be set first.
    pub address: Option<IpAddr>,
    /// Prefix length.
    pub prefix: Option<u8>,
    /// Gateway.
    pub gateway: Option<IpAddr>,
    /// Name servers, up to three.
    pub dns: Vec<IpAddr>,
    /// Maximum transmission unit in bytes.
    pub mtu: Option<u32>,
}

/// `Stats`: bytes and seconds of the present connection, and of all connections of the bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BearerStats {
    /// Bytes received in this connection.
    pub rx_bytes: u64,
    /// Bytes sent in this connection.
    pub tx_bytes: u64,
    /// Seconds since it was connected.
    pub duration: u32,
    /// Tries to connect.
    pub attempts: u32,
    /// Tries to connect that failed.
    pub failed_attempts: u32,
    /// Bytes received in all connections.
    pub total_rx_bytes: u64,
    /// Bytes sent in all connections.
    pub total_tx_bytes: u64,
    /// Negotiated rate upward in bit/s, 0 if not known.
    pub uplink_speed: u64,
    /// Negotiated rate downward in bit/s, 0 if not known.
    pub downlink_speed: u64,
}

impl Bearer {
    pub(crate) fn from_properties(path: OwnedObjectPath, properties: &Dict) -> Self {
        let error = properties
            .pair("ConnectionError")
            .filter(|(name, _): &(String, String)| !name.is_empty());
        Self {
            path,
            connected: properties.get_or_default("Connected"),
            suspended: properties.get_or_default("Suspended"),
            interface: properties.text("Interface"),
            ip4: IpConfig::from_dict(&properties.dict("Ip4Config"), IpAddr::is_ipv4),
            ip6: IpConfig::from_dict(&properties.dict("Ip6Config"), IpAddr::is_ipv6),
            connection_error: error.map(|(name, message)| Fault::new(&name, message)),
            ip_timeout: Duration::from_secs(properties.u32("IpTimeout").into()),
            bearer_type: properties.u32("BearerType").into(),
            profile_id: properties.get::<i32>("ProfileId").filter(|id| *id >= 0),
            apn: properties.dict("Properties").text("apn"),
            stats: BearerStats::from_dict(&properties.dict("Stats")),
        }
    }
}

impl IpConfig {
    /// `None` if the dictionary is empty or has [`IpMethod::Unknown`]: ModemManager's ways to say
    /// that there is no configuration.
    fn from_dict(dict: &Dict, of_family: fn(&IpAddr) -> bool) -> Option<Self> {
        let method = IpMethod::from(dict.get::<u32>("method")?);
        let address =
            |key: &str| dict.text(key).and_then(|text| text.parse().ok()).filter(of_family);
        let config = Self {
            method,
            address: address("address"),
            prefix: dict.get::<u32>("prefix").and_then(|prefix| u8::try_from(prefix).ok()),
            gateway: address("gateway"),
            dns: ["dns1", "dns2", "dns3"].into_iter().filter_map(address).collect(),
            mtu: dict.get("mtu"),
        };
        (method != IpMethod::Unknown).then_some(config)
    }
}

impl BearerStats {
    fn from_dict(dict: &Dict) -> Self {
        Self {
            rx_bytes: dict.get_or_default("rx-bytes"),
            tx_bytes: dict.get_or_default("tx-bytes"),
            duration: dict.u32("duration"),
            attempts: dict.u32("attempts"),
            failed_attempts: dict.u32("failed-attempts"),
            total_rx_bytes: dict.get_or_default("total-rx-bytes"),
            total_tx_bytes: dict.get_or_default("total-tx-bytes"),
            uplink_speed: dict.get_or_default("uplink-speed"),
            downlink_speed: dict.get_or_default("downlink-speed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zbus::zvariant::Value;

    fn config(entries: Vec<(&str, Value<'_>)>) -> Option<IpConfig> {
        let values = entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.try_to_owned().unwrap()))
            .collect();
        IpConfig::from_dict(&Dict::new(values), IpAddr::is_ipv4)
    }

    #[test]
    fn a_static_configuration_is_read_whole() {
        let entries = vec![
            ("method", Value::U32(2)),
            ("address", Value::from("10.64.0.2")),
            ("prefix", Value::U32(24)),
            ("gateway", Value::from("10.64.0.1")),
            ("dns1", Value::from("192.0.2.53")),
            ("dns2", Value::from("192.0.2.54")),
            ("mtu", Value::U32(1430)),
        ];
        let config = config(entries).unwrap();
        assert_eq!(
            (config.method, config.prefix, config.mtu),
            (IpMethod::Static, Some(24), Some(1430))
        );
        assert_eq!(config.address, Some("10.64.0.2".parse().unwrap()));
        assert_eq!(config.dns.len(), 2);
    }

    #[test]
    fn nonsense_is_left_out_and_no_method_is_no_configuration() {
        let entries = vec![
            ("method", Value::U32(2)),
            ("address", Value::from("2001:db8::1")),
            ("prefix", Value::U32(300)),
            ("dns1", Value::from("nameserver")),
        ];
        let config_ = config(entries).unwrap();
        assert_eq!((config_.address, config_.prefix, config_.dns.len()), (None, None, 0));
        assert_eq!((config(vec![]), config(vec![("method", Value::U32(0))])), (None, None));
    }
}
