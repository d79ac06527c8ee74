//! The lab of one story.

use crate::access::Access;
use crate::authority;
use crate::driver::Driver;
use crate::namespace::Namespace;
use crate::program::{self, Program};
use crate::restless;
use crate::uplink::{Internet, Uplink};
use nix::mount::{MsFlags, mount};
use rccar_link_emulator::Profile;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The host's name. All programs find it in `/etc/hosts`.
pub const HOST: &str = "host.example";

/// Log level of the programs, unless a story wants more.
const LOG: &str = "info";

/// The picture of a story's car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Width and height in pixels, multiples of 8.
    pub size: (usize, usize),
    /// Frames per second.
    pub fps: u8,
    /// Rate that the encoder aims at, in kbit/s.
    pub kbps: u32,
    /// Everything in the picture moves, so that the encoder needs all of its rate. The simulated
    /// road needs a fifth.
    pub restless: bool,
}

impl Default for Picture {
    /// Little work for the machine: many stories run at once.
    fn default() -> Self {
        Self { size: (640, 360), fps: 10, kbps: 300, restless: false }
    }
}

/// The lab: the Internet, the host in it, a car and a driver with their uplinks. The test itself is
/// the driver, in its own namespace.
pub struct Lab {
    folder: TempDir,
    internet: Internet,
    host_namespace: Namespace,
    car_namespace: Namespace,
    host_ip4: String,
    uplinks: BTreeMap<String, Uplink>,
    picture: Picture,
    car_settings: String,
    car_log: String,
    host: Option<Program>,
    drive: Option<Program>,
    car: Option<Program>,
}

/// Somebody wants to look at configurations, logs and traces afterwards.
fn kept() -> bool {
    std::env::var_os("RCCAR_NETLAB_KEEP").is_some()
}

#[allow(clippy::expect_used, clippy::panic, reason = "this is what a failed test is")]
impl Lab {
    pub(crate) fn start() -> io::Result<Self> {
        Namespace::own().prepare()?;
        let mut internet = Internet::start()?;
        let host_namespace = Namespace::make("host")?;
        let port = internet.connect(&host_namespace)?;
        // Counts the packets that reach relayed addresses, which no direct path carries.
        host_namespace.nft(
            "table inet lab { counter relayed { }\n\
             chain in { type filter hook input priority filter; \
             udp dport 49152-65535 counter name relayed\n }\n}\n",
        )?;
        let car_namespace = Namespace::make("car")?;
        let mut folder = tempfile::tempdir()?;
        if kept() {
            folder.disable_cleanup(true);
            eprintln!("configurations and logs stay in {}", folder.path().display());
        }
        let hosts = folder.path().join("hosts");
        fs::write(
            &hosts,
            format!(
                "127.0.0.1 localhost\n::1 localhost\n{} {HOST}\n{} {HOST}\n",
                port.ip4, port.ip6
            ),
        )?;
        // No resolver listens there, so that other names fail at once.
        let resolver = folder.path().join("resolv.conf");
        fs::write(&resolver, "nameserver 127.0.0.1\n")?;
        for (file, path) in [(&hosts, "/etc/hosts"), (&resolver, "/etc/resolv.conf")] {
            mount(Some(file), path, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        }
        authority::make(folder.path(), HOST)?;
        let lab = Self {
            folder,
            internet,
            host_namespace,
            car_namespace,
            host_ip4: port.ip4.clone(),
            uplinks: BTreeMap::new(),
            picture: Picture::default(),
            car_settings: String::new(),
            car_log: LOG.to_owned(),
            host: None,
            drive: None,
            car: None,
        };
        lab.write_host_config(&port.ip4, &port.ip6)?;
        Ok(lab)
    }

    pub(crate) async fn stop(&mut self) {
        for program in [&mut self.car, &mut self.drive, &mut self.host].into_iter().flatten() {
            program.kill().await;
        }
    }

    /// Sets another picture than the default. Call it before [`Lab::start_car`].
    pub fn picture(&mut self, picture: Picture) {
        self.picture = picture;
    }

    /// Adds tables to the car's configuration. Call it before [`Lab::start_car`].
    pub fn car_settings(&mut self, toml: &str) {
        toml.clone_into(&mut self.car_settings);
    }

    /// Sets the filter of the car's log, as for `RCCAR_LOG`. Call it before [`Lab::start_car`].
    pub fn car_log(&mut self, filter: &str) {
        filter.clone_into(&mut self.car_log);
    }

    /// Gives the car an uplink: an interface of this name. Of several, an earlier one has the
    /// better metric.
    ///
    /// # Panics
    /// It cannot be built.
    pub fn car_uplink(&mut self, interface: &str, access: Access, profile: Profile) -> &Uplink {
        let namespace = self.car_namespace.clone();
        self.add_uplink(&namespace, interface, access, profile)
    }

    /// The same as [`Lab::car_uplink`], for the driver.
    ///
    /// # Panics
    /// It cannot be built.
    pub fn driver_uplink(&mut self, interface: &str, access: Access, profile: Profile) -> &Uplink {
        self.add_uplink(&Namespace::own(), interface, access, profile)
    }

    /// The uplink with this interface.
    ///
    /// # Panics
    /// There is none of that name.
    #[must_use]
    pub fn uplink(&self, interface: &str) -> &Uplink {
        self.uplinks.get(interface).unwrap_or_else(|| panic!("there is no uplink {interface}"))
    }

    /// Adds an account and starts the host; returns when the host listens.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_host(&mut self) {
        self.run_host(&["user", "add", "ada"]);
        let config = self.path("host.toml");
        let host = Program::start(
            &self.host_namespace,
            self.folder.path(),
            "rccar-host",
            &["run", "--config", &config],
            LOG,
        );
        let host = self.host.insert(host.expect("the host starts"));
        host.await_log("listening on").await;
    }

    /// Starts the drive and the car; returns when the car is registered.
    ///
    /// # Panics
    /// They do not start, or the car does not reach the host.
    pub async fn start_car(&mut self) {
        let enrolment: serde_json::Value =
            serde_json::from_str(&self.run_host(&["enrol", "--json"])).expect("JSON");
        self.write_car_config(enrolment["token"].as_str().expect("a token"))
            .expect("a configuration");
        let (drive, trace) = (self.path("drive.toml"), self.path("drive.trace"));
        let drive = Program::start(
            &self.car_namespace,
            self.folder.path(),
            "rccar-drive",
            &["--config", &drive, "--trace", &trace],
            LOG,
        );
        self.drive = Some(drive.expect("the drive starts"));
        self.restart_car().await;
    }

    /// Kills the car, if it runs, and starts it; returns when it is registered.
    ///
    /// # Panics
    /// It does not start or does not reach the host.
    pub async fn restart_car(&mut self) {
        if let Some(car) = &mut self.car {
            car.kill().await;
            fs::write(self.folder.path().join("rccar-car.log"), "").expect("a log");
        }
        let (config, trace) = (self.path("car.toml"), self.path("picture.jsonl"));
        let mut words = vec!["--config", &config];
        if kept() {
            words.extend(["--trace", &trace]);
        }
        let car = Program::start(
            &self.car_namespace,
            self.folder.path(),
            "rccar-car",
            &words,
            &self.car_log,
        );
        let car = self.car.insert(car.expect("the car starts"));
        car.await_log("registered").await;
    }

    /// Starts all that a session needs: the host, the car with the uplink `wwan0`, and the driver's
    /// uplink `net0`.
    pub async fn start_world(&mut self, car: (Access, Profile), driver: (Access, Profile)) {
        self.car_uplink("wwan0", car.0, car.1);
        self.driver_uplink("net0", driver.0, driver.1);
        self.start_host().await;
        self.start_car().await;
    }

    /// Signs a driver in, who asks for the car.
    pub async fn connect(&self) -> Driver {
        Driver::connect(HOST, &self.sign_in_token()).await
    }

    /// The token of a one-time link that signs in.
    ///
    /// # Panics
    /// The host makes none.
    #[must_use]
    pub fn sign_in_token(&self) -> String {
        let words = self.run_host(&["sign-in-link", "--user", "ada"]);
        let (_, token) = words.split_once("token=").unwrap_or_else(|| panic!("no link in {words}"));
        token.split_whitespace().next().unwrap_or_default().to_owned()
    }

    /// Packets that have reached relayed addresses of the host's TURN server so far.
    ///
    /// # Panics
    /// The counter cannot be read.
    #[must_use]
    pub fn relayed_packets(&self) -> u64 {
        let mut command = self.host_namespace.command("nft");
        let output =
            command.args(["list", "counter", "inet", "lab", "relayed"]).output().expect("nft runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let words: Vec<_> = text.split_whitespace().collect();
        let count = words
            .windows(2)
            .find(|pair| pair[0] == "packets")
            .and_then(|pair| pair[1].parse().ok());
        count.unwrap_or_else(|| panic!("no count in {text}"))
    }

    /// The drive's decisions so far: the lines of its flight recorder.
    #[must_use]
    pub fn drive_log(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.folder.path().join("drive.trace")).unwrap_or_default();
        // The last line may not be complete yet.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// For each stop of the car: the time from the last fresh input to neutral, by the drive's own
    /// clock.
    ///
    /// # Panics
    /// The drive's record lacks a time.
    #[must_use]
    pub fn stops(&self) -> Vec<Duration> {
        let log = self.drive_log();
        let trips = log.iter().filter(|line| line["event"] == "tripped");
        let at = |line: &serde_json::Value, name: &str| {
            line[name].as_u64().expect("the drive records its times")
        };
        trips.map(|trip| Duration::from_micros(at(trip, "at") - at(trip, "input"))).collect()
    }

    /// The program `rccar-car`.
    ///
    /// # Panics
    /// It was not started.
    pub fn car(&mut self) -> &mut Program {
        self.car.as_mut().expect("the story has started the car")
    }

    /// The host's address in the Internet.
    #[must_use]
    pub fn host_address(&self) -> &str {
        &self.host_ip4
    }

    /// The folder with configurations and logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The last lines of all logs, for the message of a failure.
    #[must_use]
    pub fn logs(&self) -> String {
        let tail = |program: &Option<Program>| {
            let log = program.as_ref().map(Program::log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        format!(
            "--- host\n{}\n--- car\n{}\n--- drive\n{}",
            tail(&self.host),
            tail(&self.car),
            tail(&self.drive)
        )
    }

    fn add_uplink(
        &mut self,
        owner: &Namespace,
        interface: &str,
        access: Access,
        profile: Profile,
    ) -> &Uplink {
        let metric = 100 * (u32::try_from(self.uplinks.len()).unwrap_or(0) + 1);
        let uplink = Uplink::build(&mut self.internet, owner, interface, access, profile, metric);
        let uplink = uplink.unwrap_or_else(|error| {
            panic!("the uplink {interface} ({access}) cannot be built: {error}")
        });
        self.uplinks.entry(interface.to_owned()).or_insert(uplink)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Runs a command of the host, which must succeed. Returns its standard output.
    fn run_host(&self, words: &[&str]) -> String {
        let program: PathBuf = program::path("rccar-host").expect("the host's program");
        let output = Command::new(program)
            .args(words)
            .args(["--config", &self.path("host.toml")])
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn write_host_config(&self, ip4: &str, ip6: &str) -> io::Result<()> {
        let at = self.folder.path().display();
        fs::write(
            self.folder.path().join("host.toml"),
            format!(
                "[http]\nlisten = [\"{ip4}:80\", \"[{ip6}]:80\"]\npublic_url = \"http://{HOST}\"\n\
                 allow_public_http = true\n\
                 [database]\npath = \"{at}/host.db\"\n\
                 [turn]\nlisten = [\"{ip4}:3478\", \"[{ip6}]:3478\"]\n\
                 secret_file = \"{at}/turn.secret\"\n\
                 allow_peers = [\"198.51.100.0/24\", \"203.0.113.0/24\", \"2001:db8::/32\"]\n\
                 tls_listen = [\"{ip4}:443\", \"[{ip6}]:443\"]\n\
                 tls_certificate = \"{at}/tls.pem\"\ntls_key = \"{at}/tls.key\"\n"
            ),
        )
    }

    fn write_car_config(&self, enrolment: &str) -> io::Result<()> {
        let at = self.folder.path().display();
        let Picture { size: (width, height), fps, kbps, restless } = self.picture;
        let source = if restless {
            let pipe = self.folder.path().join("camera.i420");
            restless::start(&pipe, (width, height), fps)?;
            format!("\"pipe\"\npath = \"{}\"", pipe.display())
        } else {
            "\"simulator\"".to_owned()
        };
        fs::write(
            self.folder.path().join("car.toml"),
            format!(
                "[car]\nname = \"Lab car\"\nstate_dir = \"{at}/car\"\nruntime_dir = \"{at}/run\"\n\
                 [host]\nurl = \"http://{HOST}\"\nenrolment = \"{enrolment}\"\n\
                 [drive]\nsocket = \"{at}/drive.sock\"\n[dbus]\nenabled = false\n\
                 [camera]\nsource = {source}\nwidth = {width}\nheight = {height}\nfps = {fps}\n\
                 bitrate_kbps = {kbps}\n{}",
                self.car_settings
            ),
        )?;
        // With real-time priority (the default), as on a car: the stories assert a car's times for
        // a stop, not those of a process on a busy machine.
        fs::write(self.folder.path().join("drive.toml"), format!("socket = \"{at}/drive.sock\"\n"))
    }
}
