//! Starts the supervisor under test, and asks it for its report.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests; not each story needs all of it"
)]

use rccar_modem::bus::{INTERFACE, NAME, PATH, Report};
use rccar_modem_lab::Lab;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Longest wait for anything that must happen.
pub const PATIENCE: Duration = Duration::from_secs(150);
/// Time for a bearer that is asked for at once, on a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

/// Unit of the program on the card. The tests give the program the same rights, so that a missing
/// one shows here.
const UNIT: &str =
    include_str!("../../../../../overlays/usr/lib/systemd/system/rccar-modem.service");

pub struct Supervisor {
    _child: Child,
}

impl Supervisor {
    pub fn start(lab: &Lab, config: &str) -> Self {
        Self::start_as(lab, &format!("apn = \"internet\"\n{config}"))
    }

    /// Starts ModemManager with its modem, then the supervisor, and waits until the link is up.
    pub async fn start_up(lab: &mut Lab) -> Self {
        lab.start_with_modem().await;
        let supervisor = Self::start(lab, "");
        await_up(lab).await;
        supervisor
    }

    /// Starts the supervisor; `config` is the whole table `[modem]`.
    pub fn start_as(lab: &Lab, config: &str) -> Self {
        let path = lab.path("/tmp/modem.toml");
        let probe = "[probe]\ntargets = [\"198.51.100.1:53\", \"[2001:db8:53::1]:53\"]\n";
        std::fs::write(&path, format!("[modem]\n{config}\n{probe}")).unwrap();
        let rights =
            UNIT.lines().find_map(|line| line.strip_prefix("AmbientCapabilities=")).unwrap();
        let rights = rights.to_lowercase().replace("cap_", "+").replace(' ', ",");
        let mut command = Command::new("setpriv");
        command.args(
            ["--bounding-set", "--inh-caps", "--ambient-caps"]
                .map(|set| format!("{set}=-all,{rights}")),
        );
        command
            .arg(env!("CARGO_BIN_EXE_rccar-modem"))
            .arg("--config")
            .arg(path)
            .env("DBUS_SYSTEM_BUS_ADDRESS", lab.bus())
            .env("RCCAR_LOG", "debug,zbus=warn");
        Self { _child: command.stdout(Stdio::inherit()).kill_on_drop(true).spawn().unwrap() }
    }
}

pub async fn report(lab: &Lab) -> Option<Report> {
    let answer = lab
        .connection()
        .call_method(Some(NAME), PATH, Some(INTERFACE), "GetStatus", &())
        .await
        .ok()?;
    serde_json::from_str(&answer.body().deserialize::<String>().ok()?).ok()
}

pub async fn await_report(lab: &Lab, what: &str, condition: impl Fn(&Report) -> bool) -> Report {
    await_within(lab, PATIENCE, what, condition).await
}

pub async fn await_within(
    lab: &Lab,
    patience: Duration,
    what: &str,
    condition: impl Fn(&Report) -> bool,
) -> Report {
    ask_every(Duration::from_millis(5), lab, patience, what, condition).await
}

/// Asks for the report each `interval` until the condition holds.
pub async fn ask_every(
    interval: Duration,
    lab: &Lab,
    patience: Duration,
    what: &str,
    condition: impl Fn(&Report) -> bool,
) -> Report {
    let limit = Instant::now() + patience;
    let mut last = None;
    while Instant::now() < limit {
        last = report(lab).await;
        if let Some(report) = last.take_if(|report| condition(report)) {
            return report;
        }
        tokio::time::sleep(interval).await;
    }
    panic!("not within {patience:?}: {what}: {last:?}");
}

pub async fn await_up(lab: &Lab) -> Report {
    await_report(lab, "the link is up", |report| report.state == "up").await
}

pub async fn set_car(lab: &Lab, in_session: bool, parked: bool) {
    lab.connection()
        .call_method(Some(NAME), PATH, Some(INTERFACE), "SetCar", &(in_session, parked))
        .await
        .unwrap();
}

pub fn climbed(report: &Report, rung: &str) -> u64 {
    report.climbed.get(rung).copied().unwrap_or(0)
}

/// Number of rungs taken to which no fault of network or SIM may lead.
pub fn heavy(report: &Report) -> u64 {
    ["reset", "restart-daemon", "cycle-usb", "reboot"]
        .iter()
        .map(|rung| climbed(report, rung))
        .sum()
}

/// Number of runs of a measurement: `RCCAR_RUNS`, or 20.
pub fn runs() -> u32 {
    std::env::var("RCCAR_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(20)
}

/// Prints the times, and returns the longest.
pub fn spread(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let worst = *times.last().unwrap();
    println!("{what}: {} runs, median {:?}, worst {worst:?}", times.len(), times[times.len() / 2]);
    worst
}
