//! PPP over a serial port of the modem. pppd has a unit of its own (`rccar-ppp@.service`), because
//! it must be root.
//!
//! ModemManager only dials. For it such a bearer stays connected until a program disconnects it,
//! even if PPP has ended. The unit shows the true state: it has started when pppd and the network
//! have agreed on IPv4 or IPv6, whichever comes first, and it ends with pppd.

use futures_util::StreamExt;
use rccar_causes::causes;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_modem_manager::{Bearer, IpMethod};
use zbus::Connection;
use zbus::zvariant::OwnedObjectPath;

/// Directory in which `ip-pre-up` writes the name servers of an interface.
const NAME_SERVERS: &str = "/run/rccar-ppp";
/// The unit's `TimeoutStartSec`, and a little more for systemd.
const START: Duration = Duration::from_secs(40);
/// The unit's `TimeoutStopSec`, and a little more.
const STOP: Duration = Duration::from_secs(8);

#[derive(Debug, Error)]
pub enum PppError {
    /// A unit cannot have the name of this port.
    #[error("{port:?} is no name of a serial port")]
    Port { port: String },
    #[error("systemd does not start {unit}")]
    Systemd { unit: String, source: Box<zbus::Error> },
    /// pppd ended before the link was up.
    #[error("{unit}: pppd has no address ({result}); its own words are in the journal")]
    NoAddress {
        unit: String,
        /// The result of the job in systemd's words, such as `failed`.
        result: String,
    },
}

/// The unit of a port, and the interface that pppd makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    unit: String,
    pub(crate) interface: String,
}

/// A line on which PPP runs.
#[derive(Debug)]
pub(crate) struct Dialled {
    pub(crate) line: Line,
    connection: Connection,
    ended: oneshot::Receiver<()>,
    watch: JoinHandle<()>,
}

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1",
    gen_blocking = false
)]
trait Manager {
    fn subscribe(&self) -> zbus::Result<()>;
    fn start_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn stop_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn load_unit(&self, name: &str) -> zbus::Result<OwnedObjectPath>;
    #[zbus(signal)]
    fn job_removed(
        &self,
        id: u32,
        job: OwnedObjectPath,
        unit: String,
        result: String,
    ) -> zbus::Result<()>;
}

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Unit",
    default_service = "org.freedesktop.systemd1",
    gen_blocking = false
)]
trait Unit {
    #[zbus(property)]
    fn active_state(&self) -> zbus::Result<String>;
}

/// Whether a bearer needs PPP.
pub(crate) fn wants(bearer: &Bearer) -> bool {
    [&bearer.ip4, &bearer.ip6].into_iter().flatten().any(|config| config.method == IpMethod::Ppp)
}

impl Line {
    /// The line of a port on which ModemManager has dialled, such as `ttyUSB2`.
    pub(crate) fn of(port: &str) -> Result<Self, PppError> {
        // An interface's name has 15 characters at most, 4 of them `ppp-`. Other characters than
        // these would have to be escaped in a unit's name.
        let plain = port.starts_with("tty")
            && port.len() <= 11
            && port.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain {
            return Err(PppError::Port { port: port.to_owned() });
        }
        Ok(Self { unit: format!("rccar-ppp@{port}.service"), interface: format!("ppp-{port}") })
    }

    /// Starts pppd and returns when the link is up. A pppd that runs already is taken over.
    pub(crate) async fn start(self, connection: &Connection) -> Result<Dialled, PppError> {
        let failed =
            |source| PppError::Systemd { unit: self.unit.clone(), source: Box::new(source) };
        let manager = ManagerProxy::new(connection).await.map_err(failed)?;
        let result = self
            .job(&manager, manager.start_unit(&self.unit, "replace"), START)
            .await
            .map_err(failed)?;
        if result != "done" {
            return Err(PppError::NoAddress { unit: self.unit, result });
        }
        let path = manager.load_unit(&self.unit).await.map_err(failed)?;
        let unit = UnitProxy::builder(connection)
            .path(path)
            .map_err(failed)?
            .build()
            .await
            .map_err(failed)?;
        let (tell, ended) = oneshot::channel();
        let watch = tokio::spawn(async move {
            watch(&unit).await;
            // Nobody may listen any more.
            let _ = tell.send(());
        });
        Ok(Dialled { line: self, connection: connection.clone(), ended, watch })
    }

    /// Ends pppd, if it runs. No other program may use the port before that.
    pub(crate) async fn stop(&self, connection: &Connection) {
        let outcome = async {
            let manager = ManagerProxy::new(connection).await?;
            self.job(&manager, manager.stop_unit(&self.unit, "replace"), STOP).await
        };
        match outcome.await {
            Ok(result) => tracing::debug!(unit = self.unit, result, "pppd was asked to end"),
            Err(error) => {
                tracing::debug!(
                    unit = self.unit, error = %causes(&error),
                    "pppd could not be asked to end"
                );
            }
        }
    }

    /// Whether pppd runs and its link is up.
    pub(crate) async fn runs(&self, connection: &Connection) -> bool {
        let state = async {
            let path = ManagerProxy::new(connection).await?.load_unit(&self.unit).await?;
            UnitProxy::builder(connection).path(path)?.build().await?.active_state().await
        };
        state.await.is_ok_and(|state: String| state == "active")
    }

    pub(crate) fn name_servers(&self) -> Vec<IpAddr> {
        name_servers(
            &std::fs::read_to_string(Path::new(NAME_SERVERS).join(&self.interface))
                .unwrap_or_default(),
        )
    }

    /// Begins a job of systemd and waits for its end. Returns its result in systemd's words.
    async fn job(
        &self,
        manager: &ManagerProxy<'_>,
        begin: impl Future<Output = zbus::Result<OwnedObjectPath>>,
        limit: Duration,
    ) -> zbus::Result<String> {
        let job = async {
            // Without this systemd sends no signals about jobs and states. A second call fails.
            if let Err(error) = manager.subscribe().await {
                tracing::trace!(error = %causes(&error), "systemd tells already");
            }
            // Before the job begins, because it may end before its name is known.
            let mut removed = manager.receive_job_removed().await?;
            let job = begin.await?;
            while let Some(signal) = removed.next().await {
                if let Ok(over) = signal.args()
                    && over.job == job
                {
                    return Ok(over.result);
                }
            }
            Ok("the bus is gone".to_owned())
        };
        timeout(limit, job).await.unwrap_or_else(|_| Ok(format!("not within {limit:?}")))
    }
}

impl Dialled {
    /// Resolves when pppd has ended by itself. After that it must not be called again.
    pub(crate) async fn ended(&mut self) {
        // An error means that the watching task has died, which is as bad.
        let _ = (&mut self.ended).await;
    }

    pub(crate) async fn hang_up(self) {
        self.line.stop(&self.connection).await;
    }
}

impl Drop for Dialled {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Resolves when the unit is neither active nor about to be.
async fn watch(unit: &UnitProxy<'_>) {
    let mut changes = unit.receive_active_state_changed().await;
    while let Some(change) = changes.next().await {
        match change.get().await.as_deref() {
            Ok("active" | "activating" | "reloading") => {}
            _ => return,
        }
    }
}

/// Reads addresses, one a line. `0.0.0.0` is left out: some networks give it instead of none.
fn name_servers(text: &str) -> Vec<IpAddr> {
    let mut servers: Vec<IpAddr> = Vec::new();
    for address in text.lines().filter_map(|line| line.trim().parse::<Ipv4Addr>().ok()) {
        if !address.is_unspecified() && !servers.contains(&address.into()) {
            servers.push(address.into());
        }
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_a_unit_and_an_interface() {
        let line = Line::of("ttyUSB12").unwrap();
        assert_eq!(
            (line.unit.as_str(), line.interface.as_str()),
            ("rccar-ppp@ttyUSB12.service", "ppp-ttyUSB12")
        );
        assert!(line.interface.len() <= 15);
    }

    #[test]
    fn what_is_no_serial_port_gets_no_unit() {
        for port in [
            "",
            "wwan0",
            "ttyUSB0/../mem",
            "tty-USB0",
            "ttyUSB0.service",
            "ttyAVeryLongOne",
            "tty\u{e9}",
        ] {
            assert!(matches!(Line::of(port), Err(PppError::Port { .. })), "{port}");
        }
    }

    #[test]
    fn name_servers_are_addresses_of_somebody() {
        let servers = name_servers("10.0.2.3\n\n0.0.0.0\nnonsense\n10.0.2.3\n192.0.2.53\n");
        assert_eq!(
            servers,
            ["10.0.2.3", "192.0.2.53"].map(|server| server.parse::<IpAddr>().unwrap())
        );
        assert!(name_servers("").is_empty());
    }
}
