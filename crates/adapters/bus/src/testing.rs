//! A message bus for one test (feature `testing`).

use crate::Address;
use std::io;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use zbus::Connection;

/// A `dbus-daemon` on a socket of its own, without any restrictions. It ends when this is dropped.
#[derive(Debug)]
pub struct TestBus {
    address: String,
    daemon: Child,
    directory: TempDir,
}

impl TestBus {
    /// Returns once the bus can be used.
    ///
    /// # Errors
    /// If `dbus-daemon` is not installed (`ci/setup` does that) or does not start.
    pub async fn start() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let config = directory.path().join("bus.conf");
        let content = format!(
            "<busconfig><listen>unix:path={}/bus</listen><policy context=\"default\">\
             <allow own=\"*\"/><allow send_destination=\"*\"/>\
             <allow send_type=\"signal\"/><allow eavesdrop=\"true\"/></policy></busconfig>",
            directory.path().display()
        );
        std::fs::write(&config, content)?;
        let (daemon, address) = Self::spawn(&config).await?;
        Ok(Self { address, daemon, directory })
    }

    /// Ends the daemon, and every connection with it.
    pub async fn stop(&mut self) -> io::Result<()> {
        self.daemon.kill().await
    }

    /// Another daemon at the same address, after [`Self::stop`].
    pub async fn start_again(&mut self) -> io::Result<()> {
        let (daemon, address) = Self::spawn(&self.directory.path().join("bus.conf")).await?;
        (self.daemon, self.address) = (daemon, address);
        Ok(())
    }

    async fn spawn(config: &Path) -> io::Result<(Child, String)> {
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        // `dbus-daemon` prints the address once the bus can be used.
        let mut line = String::new();
        if let Some(output) = daemon.stdout.take() {
            BufReader::new(output).read_line(&mut line).await?;
        }
        // Each daemon has an identifier of its own, which is not part of the place.
        let address = line.trim().split(',').next().unwrap_or_default().to_owned();
        Ok((daemon, address))
    }

    /// For `DBUS_SYSTEM_BUS_ADDRESS` and configurations.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// A new connection at each call.
    pub async fn connect(&self) -> io::Result<Connection> {
        let address = Address::try_from(self.address.clone()).map_err(io::Error::other)?;
        address.connect().await.map_err(io::Error::other)
    }
}
