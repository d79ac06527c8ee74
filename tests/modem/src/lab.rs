//! The lab of one story.

use crate::cell::{Cell, DHCP_LOG};
use crate::daemon::{self, EVENTS, LOG, Systemd};
use crate::root::Root;
use crate::sysfs::{UsbModem, UsbPort};
use crate::{Addresses, AtModem, DataPath, MbimModem};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio_modem_manager::{Modem, ModemManager, ModemState, Selector};
use zbus::Connection;

/// Longest wait for anything that must happen. ModemManager gives a modem 30 s to answer, and the
/// machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// The modem's network interface.
const INTERFACE: &str = "wwan0";
/// The stick's network interface.
pub const STICK_INTERFACE: &str = "enx0c5b8f279a64";

/// The modem of a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    /// MBIM, with these addresses.
    Mbim(Addresses),
    /// AT in the dialect of u-blox.
    Ublox,
    /// A stick that looks like Ethernet: a router with a DHCP server, [`STICK_INTERFACE`], and no
    /// modem for ModemManager.
    Stick,
}

impl Setup {
    /// MBIM with IPv4 only.
    #[must_use]
    pub fn mbim() -> Self {
        Self::Mbim(Addresses::default())
    }

    /// MBIM with IPv4 and IPv6.
    #[must_use]
    pub fn mbim_dual() -> Self {
        Self::Mbim(Addresses { ip6: "2001:db8:1::2".parse().ok(), ..Addresses::default() })
    }

    fn addresses(self) -> Addresses {
        match self {
            Self::Mbim(addresses) => addresses,
            Self::Ublox => Addresses::default(),
            Self::Stick => {
                let gateway4 = [192, 168, 8, 1].into();
                Addresses { gateway4, asked_for: ROUTER6.parse().ok(), ..Addresses::default() }
            }
        }
    }

    /// MBIM with both families by DHCP and advertisements.
    #[must_use]
    pub fn mbim_asked() -> Self {
        Self::Mbim(Addresses { asked_for: ROUTER6.parse().ok(), ..Addresses::default() })
    }
}

/// A modem of a vendor whose plugin ModemManager uses without probing.
const QUECTEL: UsbModem = UsbModem {
    vendor: "2c7c",
    product: "0306",
    name: "EM06-E",
    ports: &[
        UsbPort {
            subsystem: "usbmisc",
            name: "cdc-wdm0",
            interface: 4,
            driver: "cdc_mbim",
            class: ["02", "0e", "00"],
        },
        UsbPort {
            subsystem: "net",
            name: INTERFACE,
            interface: 4,
            driver: "cdc_mbim",
            class: ["02", "0e", "00"],
        },
    ],
};
/// A modem for AT, also without probing.
const UBLOX: UsbModem = UsbModem {
    vendor: "1546",
    product: "1199",
    name: "LARA-R204",
    ports: &[
        UsbPort {
            subsystem: "tty",
            name: "ttyACM0",
            interface: 0,
            driver: "cdc_acm",
            class: ["02", "02", "01"],
        },
        UsbPort {
            subsystem: "tty",
            name: "ttyACM1",
            interface: 2,
            driver: "cdc_acm",
            class: ["02", "02", "01"],
        },
        UsbPort {
            subsystem: "net",
            name: INTERFACE,
            interface: 4,
            driver: "cdc_ether",
            class: ["02", "06", "00"],
        },
    ],
};

/// A well-known stick: HiLink, E3372h.
const HILINK: UsbModem = UsbModem {
    vendor: "12d1",
    product: "14dc",
    name: "HUAWEI_MOBILE",
    ports: &[UsbPort {
        subsystem: "net",
        name: STICK_INTERFACE,
        interface: 0,
        driver: "cdc_ether",
        class: ["02", "06", "00"],
    }],
};
/// Address of the router that advertises.
const ROUTER6: &str = "2001:db8:9::1";

/// The lab: a bus, ModemManager on it, one modem, and a network behind the modem.
pub struct Lab {
    root: Arc<Root>,
    usb: UsbModem,
    cell: Cell,
    addresses: Addresses,
    address: String,
    mbim: Option<MbimModem>,
    at: Option<AtModem>,
    modem_manager: Option<Child>,
    manager: ModemManager,
    restarts: mpsc::UnboundedReceiver<String>,
    dhcp: Option<Child>,
    _bus: Child,
    stand_ins: Connection,
}

impl Lab {
    pub(crate) async fn start(root: &Path, setup: Setup) -> Result<Self, Box<dyn Error>> {
        let root = Arc::new(Root::mount(root)?);
        let cell =
            Cell::start(&root, if setup == Setup::Stick { STICK_INTERFACE } else { INTERFACE })?;
        let path = Arc::new(cell.clone());
        let addresses = setup.addresses();
        let (usb, mbim, at) = match setup {
            Setup::Mbim(addresses) => (QUECTEL, Some(MbimModem::start(addresses, path)?), None),
            Setup::Ublox => (UBLOX, None, Some(AtModem::start(path)?)),
            Setup::Stick => {
                path.carry(Some(addresses));
                (HILINK, None, None)
            }
        };
        usb.write(&root.at("sys"))?;
        root.cover_sys()?;
        // The port must be a special file. Nobody reads it, because libmbim asks the proxy.
        root.make_null("dev/cdc-wdm0")?;
        if let Some(at) = &at {
            for (name, terminal) in at.terminals() {
                std::os::unix::fs::symlink(terminal, root.at("dev").join(name))?;
            }
        }
        fs::write(root.at(EVENTS), usb.events("add").join("\n") + "\n")?;
        let (bus, address) = daemon::start_bus(&root).await?;
        let (asked, restarts) = mpsc::unbounded_channel();
        let stand_ins = daemon::start_stand_ins(&address, Systemd { asked }).await?;
        let connection = zbus::connection::Builder::address(address.as_str())?.build().await?;
        let manager = ModemManager::new(connection).await?;
        Ok(Self {
            root,
            usb,
            cell,
            addresses,
            address,
            mbim,
            at,
            modem_manager: None,
            manager,
            restarts,
            dhcp: None,
            _bus: bus,
            stand_ins,
        })
    }

    /// The client under test.
    #[must_use]
    pub fn manager(&self) -> &ModemManager {
        &self.manager
    }

    /// The only modem.
    #[must_use]
    pub fn modem(&self) -> Modem {
        self.manager.modem(Selector::Any)
    }

    /// Address of the bus.
    #[must_use]
    pub fn bus(&self) -> &str {
        &self.address
    }

    /// The emulated MBIM modem.
    ///
    /// # Panics
    /// The story has none.
    #[must_use]
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn mbim(&self) -> &MbimModem {
        self.mbim.as_ref().expect("a story about an MBIM modem")
    }

    /// The emulated AT modem.
    ///
    /// # Panics
    /// The story has none.
    #[must_use]
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn at(&self) -> &AtModem {
        self.at.as_ref().expect("a story about an AT modem")
    }

    /// Starts ModemManager.
    ///
    /// # Panics
    /// It cannot be started.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn start_modem_manager(&mut self) {
        self.modem_manager =
            Some(daemon::start_modem_manager(&self.root).expect("ModemManager starts"));
    }

    /// Starts ModemManager and waits until the modem can connect.
    pub async fn start_with_modem(&mut self) -> Arc<ModemState> {
        self.start_modem_manager();
        self.await_modem("is ready", |modem| modem.has_simple && modem.has_profile_manager).await
    }

    /// Ends ModemManager by SIGKILL, like a crash.
    ///
    /// # Panics
    /// It does not run.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn kill_modem_manager(&mut self) {
        let mut child = self.modem_manager.take().expect("ModemManager runs");
        // `chroot` becomes the program, so that the child is ModemManager itself.
        child.kill().await.expect("ModemManager can be killed");
    }

    /// Stops ModemManager (SIGSTOP), or lets it go on. Returns when all its threads have stopped.
    ///
    /// # Panics
    /// It does not run.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn freeze_modem_manager(&self, frozen: bool) {
        let id = self.modem_manager.as_ref().and_then(Child::id).expect("ModemManager runs");
        let signal = if frozen { Signal::SIGSTOP } else { Signal::SIGCONT };
        kill(Pid::from_raw(i32::try_from(id).expect("a process id")), signal)
            .expect("ModemManager takes the signal");
        let tasks = self.root.at(&format!("proc/{id}/task"));
        let limit = Instant::now() + PATIENCE;
        // The threads stop one after the other.
        while frozen
            && !fs::read_dir(&tasks)
                .expect("ModemManager has threads")
                .flatten()
                .all(|task| is_stopped(&task.path()))
        {
            assert!(Instant::now() < limit, "ModemManager does not stop");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Reports to ModemManager that the modem was plugged in (`add`) or out (`remove`).
    ///
    /// # Panics
    /// ModemManager does not take it.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn plug(&self, action: &str) {
        for port in self.usb.ports {
            self.manager
                .report_kernel_event(action, port.subsystem, port.name)
                .await
                .expect("ModemManager takes events");
        }
    }

    /// A connection to the bus, for the story's own calls.
    pub fn connection(&self) -> &Connection {
        &self.stand_ins
    }

    /// Waits until a program asks systemd to restart a unit, and returns its name. Nothing is
    /// restarted.
    ///
    /// # Panics
    /// No program does.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn await_restart_request(&mut self) -> String {
        let asked = tokio::time::timeout(PATIENCE, self.restarts.recv())
            .await
            .expect("somebody asks systemd");
        asked.expect("the bus is there")
    }

    /// Whether a program has asked systemd to restart a unit since the last such request was read.
    pub fn was_asked_to_restart(&mut self) -> bool {
        self.restarts.try_recv().is_ok()
    }

    /// With `swallows` the network drops all packets, and nothing reports that.
    ///
    /// # Panics
    /// `ip` fails.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn swallow(&self, swallows: bool) {
        self.cell.swallow(swallows).expect("the network can go and come");
    }

    /// With `lonely` only the other end of the interface answers, and nothing behind it: a stick
    /// that has lost its network.
    ///
    /// # Panics
    /// `ip` fails.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn be_lonely(&self, lonely: bool) {
        self.cell.be_lonely(lonely).expect("the network can go and come");
    }

    /// Takes the stick's interface away, or brings it back under its name. Its DHCP server ends and
    /// must be started again.
    ///
    /// # Panics
    /// `ip` fails.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn plug_stick(&mut self, plugged: bool) {
        self.dhcp = None;
        let outcome = if plugged { self.cell.plug() } else { self.cell.unplug() };
        outcome.expect("the stick can go and come");
    }

    /// Whether modem or stick may be on the USB: its file `authorized` in `/sys`.
    #[must_use]
    pub fn is_authorized(&self) -> bool {
        let file = self.root.at("sys/devices/pci0000:00/0000:00:14.0/usb1/1-1/authorized");
        fs::read_to_string(file).is_ok_and(|text| text.trim() == "1")
    }

    /// Starts a DHCP server at the other end of the interface, with more options for dnsmasq. One
    /// that runs ends first. Leases last two minutes.
    ///
    /// # Panics
    /// It cannot be started.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn start_dhcp(&mut self, options: &[&str]) {
        self.stop_dhcp().await;
        self.dhcp = Some(self.cell.start_dhcp(self.addresses, options).expect("dnsmasq starts"));
    }

    /// Ends the DHCP server, if it runs.
    ///
    /// # Panics
    /// It cannot be ended.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub async fn stop_dhcp(&mut self) {
        if let Some(mut child) = self.dhcp.take() {
            child.kill().await.expect("dnsmasq can be killed");
        }
    }

    /// Number of times that the DHCP server's log has this word, such as `DHCPACK`.
    #[must_use]
    pub fn dhcp_says(&self, word: &str) -> usize {
        let log = fs::read(self.root.at(DHCP_LOG)).unwrap_or_default();
        String::from_utf8_lossy(&log).matches(&format!("{word}(")).count()
    }

    /// Runs `ip` on the car's side of the modem and returns its output.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn ip_says(&self, line: &str) -> String {
        self.root.output("ip", &line.split(' ').collect::<Vec<_>>()).expect("ip does it")
    }

    /// Runs `ip` on the car's side of the modem.
    ///
    /// # Panics
    /// It fails.
    #[allow(clippy::expect_used, reason = "this is what a failed test is")]
    pub fn ip(&self, line: &str) {
        self.root.run("ip", &line.split(' ').collect::<Vec<_>>()).expect("ip does it");
    }

    /// Whether this address answers a ping within a second.
    #[must_use]
    pub fn pings(&self, address: &str) -> bool {
        self.root.run("ping", &["-q", "-c", "1", "-W", "1", address]).is_ok()
    }

    /// Waits until this address answers a ping. An interface that has just come up drops the first
    /// packets.
    ///
    /// # Panics
    /// It does not answer in time.
    pub fn await_ping(&self, address: &str) {
        let limit = Instant::now() + PATIENCE;
        while !self.pings(address) {
            assert!(Instant::now() < limit, "{address} does not answer");
        }
    }

    /// The path outside of a path inside ModemManager's root.
    #[must_use]
    pub fn path(&self, inside: &str) -> std::path::PathBuf {
        self.root.at(inside)
    }

    /// Waits until the modem is there and the condition holds. `what` is for a failure's message.
    ///
    /// # Panics
    /// It takes too long.
    pub async fn await_modem(
        &self,
        what: &str,
        condition: impl Fn(&ModemState) -> bool,
    ) -> Arc<ModemState> {
        let modem = self.await_state(what, |modem| modem.is_some_and(&condition)).await;
        #[allow(clippy::expect_used, reason = "the condition was true of a modem")]
        modem.expect("the modem is there")
    }

    /// Waits until the condition holds; `None` means that there is no modem.
    ///
    /// # Panics
    /// It takes too long.
    #[allow(clippy::panic, reason = "this is what a failed test is")]
    pub async fn await_state(
        &self,
        what: &str,
        condition: impl Fn(Option<&ModemState>) -> bool,
    ) -> Option<Arc<ModemState>> {
        use futures_util::StreamExt;
        let mut states = self.modem().states();
        let wait = async {
            loop {
                match states.next().await {
                    Some(state) if condition(state.as_deref()) => return Ok(state),
                    Some(_) => {}
                    None => return Err("the bus is gone"),
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(Ok(state)) => state,
            Ok(Err(why)) => panic!("never: {what}: {why}"),
            Err(_) => {
                panic!("not within {PATIENCE:?}: {what}; the modem is {:#?}", self.modem().state())
            }
        }
    }
}

/// Whether a thread is stopped: `proc_pid_stat(5)`, the letter after the name in parentheses.
fn is_stopped(task: &Path) -> bool {
    fs::read_to_string(task.join("stat"))
        .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T')))
}

impl Drop for Lab {
    /// Prints the ends of the logs if the story failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read(self.root.at(LOG)).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            let lines: Vec<&str> = log.lines().collect();
            eprintln!(
                "DHCP server: {}",
                fs::read_to_string(self.root.at(DHCP_LOG)).unwrap_or_default()
            );
            eprintln!(
                "ModemManager's last words:\n{}",
                lines[lines.len().saturating_sub(80)..].join("\n")
            );
        }
    }
}
