//! Passes the name servers of the link on to systemd-resolved.

use crate::link::Link;
use rccar_causes::causes;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;
use zbus::Connection;

/// `AF_INET` and `AF_INET6`, by which resolved knows the families.
const FAMILIES: (i32, i32) = (2, 10);

/// Longest wait for resolved. One that is stopped or starts must not hold the supervisor up.
const LIMIT: Duration = Duration::from_secs(2);

/// Gives resolved the link's servers, and lets it ask them for every name. Without resolved nothing
/// happens.
pub(crate) async fn set(connection: &Connection, link: &Link) {
    let Ok(index) = i32::try_from(link.index) else { return };
    let servers: Vec<(i32, Vec<u8>)> = link.dns.iter().map(octets).collect();
    let (set, default) = ((index, servers), (index, true));
    let outcome = async {
        call(connection, "SetLinkDNS", &set).await?;
        call(connection, "SetLinkDefaultRoute", &default).await
    };
    if let Err(error) = outcome.await {
        tracing::debug!(
            error = %causes(&error),
            interface = link.interface,
            "systemd-resolved did not take the name servers"
        );
    }
}

/// Takes back what [`set`] did.
pub(crate) async fn clear(connection: &Connection, link: &Link) {
    let Ok(index) = i32::try_from(link.index) else { return };
    if let Err(error) = call(connection, "RevertLink", &index).await {
        tracing::debug!(
            error = %causes(&error),
            interface = link.interface,
            "systemd-resolved did not forget the name servers"
        );
    }
}

async fn call<B>(connection: &Connection, method: &str, body: &B) -> zbus::Result<()>
where
    B: serde::Serialize + zbus::zvariant::DynamicType,
{
    let (name, path) = ("org.freedesktop.resolve1", "/org/freedesktop/resolve1");
    let call = connection.call_method(
        Some(name),
        path,
        Some("org.freedesktop.resolve1.Manager"),
        method,
        body,
    );
    match timeout(LIMIT, call).await {
        Ok(answer) => answer.map(drop),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

fn octets(address: &IpAddr) -> (i32, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (FAMILIES.0, address.octets().to_vec()),
        IpAddr::V6(address) => (FAMILIES.1, address.octets().to_vec()),
    }
}
