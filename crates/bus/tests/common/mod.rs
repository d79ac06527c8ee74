//! A message bus for one test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_bus::{Address, Connection};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) struct Bus {
    address: Address,
    _daemon: Child,
    _directory: TempDir,
}

impl Bus {
    /// Starts a `dbus-daemon` that lets everybody do everything.
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("bus.conf");
        let content = format!(
            "<busconfig><listen>unix:path={}/bus</listen><policy context=\"default\"><allow own=\"*\"/><allow send_destination=\"*\"/>\
             <allow send_type=\"signal\"/><allow eavesdrop=\"true\"/></policy></busconfig>",
            directory.path().display()
        );
        std::fs::write(&config, content).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("dbus-daemon is installed (ci/setup)");
        // The address is printed once the bus can be used.
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let address = Address::try_from(line.trim().to_owned()).unwrap();
        Self { address, _daemon: daemon, _directory: directory }
    }

    pub(crate) async fn connect(&self) -> Connection {
        self.address.connect().await.unwrap()
    }
}
