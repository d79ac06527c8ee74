//! The bus, ModemManager, and stand-ins for polkit and systemd, which the programs ask.

use crate::root::Root;
use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::mpsc;
use zbus::Connection;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue};

/// Address of the bus inside the root.
const BUS: &str = "/run/dbus/system_bus_socket";
/// A bus that allows everything, because only programs of the story can reach it.
const BUS_CONFIGURATION: &str = r#"<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
"#;
/// ModemManager's log, inside the root.
pub(crate) const LOG: &str = "/run/mm.log";
/// Events of the kernel that ModemManager reads at its start, inside the root.
pub(crate) const EVENTS: &str = "/run/events";

/// Starts the bus and returns when it listens.
pub(crate) async fn start_bus(root: &Root) -> io::Result<(Child, String)> {
    std::fs::write(root.at("run/bus.conf"), BUS_CONFIGURATION)?;
    let child = root.start(
        "dbus-daemon",
        &["--config-file=/run/bus.conf", "--nofork", "--nopidfile", "--nosyslog"],
    )?;
    let socket = root.at(BUS);
    let limit = Instant::now() + Duration::from_secs(20);
    // The socket is there a moment before the bus listens on it.
    while UnixStream::connect(&socket).await.is_err() {
        if Instant::now() > limit {
            return Err(io::Error::other("dbus-daemon does not listen"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok((child, format!("unix:path={}", socket.display())))
}

/// Starts ModemManager. It uses the story's bus as its "session" bus, because then it asks polkit
/// as little as possible.
pub(crate) fn start_modem_manager(root: &Root) -> io::Result<Child> {
    let mut command = root.command("ModemManager");
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={BUS}"));
    command.args([
        "--test-session",
        "--test-no-udev",
        "--test-no-suspend-resume",
        "--test-no-qrtr",
        "--no-auto-scan",
    ]);
    command.arg(format!("--initial-kernel-events={EVENTS}"));
    command.args(["--debug", "--log-relative-timestamps"]).arg(format!("--log-file={LOG}"));
    command.spawn()
}

/// polkit's answer: whether the action is allowed, whether a person must be asked, and details.
type Verdict = (bool, bool, HashMap<String, String>);

/// polkit's authority, which allows everything. ModemManager 1.24 asks it for the manager's own
/// methods, whatever its options are.
pub(crate) struct Polkit;

#[zbus::interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Polkit {
    #[expect(clippy::unused_self, reason = "the signature is polkit's")]
    fn check_authorization(
        &self,
        _subject: (String, HashMap<String, OwnedValue>),
        _action: String,
        _details: HashMap<String, String>,
        _flags: u32,
        _cancellation: String,
    ) -> (Verdict,) {
        // D-Bus wants one structure here, not three values.
        ((true, false, HashMap::new()),)
    }

    #[zbus(property)]
    #[expect(clippy::unused_self, reason = "the signature is polkit's")]
    fn backend_name(&self) -> String {
        "lab".to_owned()
    }

    #[zbus(property)]
    #[expect(clippy::unused_self, reason = "the signature is polkit's")]
    fn backend_version(&self) -> String {
        "1".to_owned()
    }

    #[zbus(property)]
    #[expect(clippy::unused_self, reason = "the signature is polkit's")]
    fn backend_features(&self) -> u32 {
        0
    }
}

/// systemd, with the one method by which a program asks it to restart a unit. It only takes a note.
pub(crate) struct Systemd {
    pub(crate) asked: mpsc::UnboundedSender<String>,
}

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl Systemd {
    fn restart_unit(&self, name: String, _mode: String) -> OwnedObjectPath {
        // At the end of the story nobody receives this any more.
        let _ = self.asked.send(name);
        OwnedObjectPath::from(ObjectPath::from_static_str_unchecked(
            "/org/freedesktop/systemd1/job/1",
        ))
    }
}

/// Puts the stand-ins on the bus. They live as long as the connection.
pub(crate) async fn start_stand_ins(address: &str, systemd: Systemd) -> zbus::Result<Connection> {
    zbus::connection::Builder::address(address)?
        .serve_at("/org/freedesktop/PolicyKit1/Authority", Polkit)?
        .serve_at("/org/freedesktop/systemd1", systemd)?
        .name("org.freedesktop.PolicyKit1")?
        .name("org.freedesktop.systemd1")?
        .build()
        .await
}
