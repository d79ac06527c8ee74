//! The whole program, with a real message bus, a host over HTTP, a car and a stand-in for RAUC.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use async_trait::async_trait;
use common::rauc::Rauc;
use common::{Fault, Host, PATH};
use rccar_bus::car::{self, CarService, CarState, HostAccess};
use rccar_bus::testing::TestBus;
use rccar_bus::update::{UpdateClient, UpdateProperties};
use rccar_protocol::release::{AccessToken, UpdateState, UpdateStatus};
use std::path::PathBuf;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use zbus::Connection;

const SIZE: usize = 400_000;
/// Long, because the machine that runs the tests may be busy.
const SOON: Duration = Duration::from_secs(60);

struct Car {
    state: Mutex<CarState>,
    url: String,
    reports: Mutex<Vec<UpdateStatus>>,
}

#[async_trait]
impl CarService for Car {
    fn state(&self) -> CarState {
        self.state.lock().unwrap().clone()
    }
    fn host_access(&self) -> Option<HostAccess> {
        Some(HostAccess {
            url: self.url.clone(),
            token: AccessToken::try_from("first".to_owned()).unwrap(),
        })
    }
    fn report_update(&self, status: UpdateStatus) {
        self.reports.lock().unwrap().push(status);
    }
    async fn test_camera(&self) -> bool {
        self.state.lock().unwrap().frames_encoded += 1;
        true
    }
}

struct World {
    host: Host,
    rauc: Rauc,
    car: Arc<Car>,
    update: UpdateClient,
    directory: TempDir,
    config: PathBuf,
    _process: Child,
    _bus: TestBus,
    _connections: [Connection; 2],
}

impl World {
    async fn start(booted: &'static str, running: &str, state: Option<&str>) -> Self {
        Self::start_beside(booted, running, state, |_| ()).await
    }

    /// As [`Self::start`], but `prepare` changes RAUC before the program starts.
    async fn start_beside(
        booted: &'static str,
        running: &str,
        state: Option<&str>,
        prepare: impl FnOnce(&Rauc),
    ) -> Self {
        let (bus, host) = (TestBus::start().await.unwrap(), Host::start(SIZE).await);
        let (rauc, rauc_connection) = Rauc::start(&bus, booted, "2.0.0", SIZE).await;
        prepare(&rauc);
        let parked = CarState {
            registered: true,
            host: host.url.clone(),
            drive_alive: true,
            ..CarState::default()
        };
        let car = Arc::new(Car {
            state: Mutex::new(parked),
            url: host.url.clone(),
            reports: Mutex::default(),
        });
        let car_connection = bus.connect().await.unwrap();
        car::serve(&car_connection, Arc::clone(&car) as Arc<dyn CarService>).await.unwrap();

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::write(path.join("os-release"), format!("ID=debian\nIMAGE_VERSION={running}\n"))
            .unwrap();
        if let Some(state) = state {
            std::fs::write(path.join("state.json"), state).unwrap();
        }
        let config = path.join("update.toml");
        let content = format!(
            "[update]\npark_s = 0\nautomatic = false\n[link]\nmetered = \"never\"\n\
             [bus]\naddress = \"{}\"\n[paths]\nstate_dir = \"{p}\"\n\
             reboot_request = \"{p}/reboot\"\nos_release = \"{p}/os-release\"\n",
            bus.address(),
            p = path.display()
        );
        std::fs::write(&config, content).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_rccar-update"))
            .arg("--config")
            .arg(&config)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let connection = bus.connect().await.unwrap();
        let update = UpdateClient::new(connection);
        let world = Self {
            host,
            rauc,
            car,
            update,
            directory,
            config,
            _process: process,
            _bus: bus,
            _connections: [rauc_connection, car_connection],
        };
        world.until("the update", |_| true).await;
        world
    }

    fn release(&self, version: &str) {
        let release = format!(
            r#"{{"version":"{version}","channel":"stable","compatible":"rccar-test",
                "size":{SIZE},"sha256":"{}","url":"{PATH}"}}"#,
            "0".repeat(64)
        );
        self.host.with(|inner| inner.release = Some(release));
    }

    /// Waits until the program's properties fulfil `condition`; `what` names it in the error.
    async fn until(
        &self,
        what: &str,
        mut condition: impl FnMut(&UpdateProperties) -> bool,
    ) -> UpdateProperties {
        let start = Instant::now();
        loop {
            let properties = self.update.properties().await;
            if let Ok(properties) = &properties
                && condition(properties)
            {
                return properties.clone();
            }
            assert!(start.elapsed() < SOON, "{what} did not come: {properties:?}");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn command(&self, arguments: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_rccar-update");
        Command::new(program)
            .arg("--config")
            .arg(&self.config)
            .args(arguments)
            .output()
            .await
            .unwrap()
    }

    fn saved(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("state.json")).unwrap()
    }
}

#[tokio::test]
async fn an_offer_is_streamed_into_rauc_and_the_reboot_is_asked_for() {
    let world = World::start("A", "1.0.0", None).await;
    world.release("2.0.0");
    world.host.fault(Fault::Late(Duration::from_millis(1)));
    world.host.fault(Fault::CutAfter(2));
    world.host.fault(Fault::CutAfter(30_000));
    assert!(world.command(&["install", "2.0.0"]).await.status.success());
    let properties = world.until("the reboot", |update| update.state == "rebooting").await;
    assert_eq!(
        (properties.version.as_str(), properties.running_version.as_str()),
        ("2.0.0", "1.0.0")
    );
    assert_eq!(
        world.rauc.with(|told| told.read.clone()),
        world.host.with(|inner| inner.bundle.clone())
    );
    let request = std::fs::read_to_string(world.directory.path().join("reboot")).unwrap();
    assert_eq!(request, "rccar-update: from version 1.0.0 to 2.0.0\n");
    assert!(world.saved().contains("\"installed\""), "{}", world.saved());
    assert!(
        world.host.requests()[0].contains("compatible=rccar-test&running=1.0.0"),
        "{:?}",
        world.host.requests()
    );
    world
        .until("the report", |_| {
            world
                .car
                .reports
                .lock()
                .unwrap()
                .iter()
                .any(|report| report.state == UpdateState::Rebooting)
        })
        .await;
}

#[tokio::test]
async fn without_the_owner_an_offer_waits() {
    let world = World::start("A", "1.0.0", None).await;
    world.release("2.0.0");
    assert!(world.command(&["check"]).await.status.success());
    let properties = world.until("the release", |update| update.state == "offered").await;
    assert_eq!(properties.reason, "updates are not automatic: the owner has to ask for it");
    assert!(world.rauc.with(|told| told.read.is_empty()));
    let waits = |report: &UpdateStatus| {
        report.on_request && report.version.as_ref().is_some_and(|v| v.to_string() == "2.0.0")
    };
    world.until("the report", |_| world.car.reports.lock().unwrap().iter().any(waits)).await;

    world.update.install("2.0.0").await.unwrap();
    world.until("the reboot", |update| update.state == "rebooting").await;
    world
        .until("its report", |_| {
            world.car.reports.lock().unwrap().last().is_some_and(|report| !report.on_request)
        })
        .await;
}

#[tokio::test]
async fn while_somebody_drives_the_transfer_rests() {
    let world = World::start("A", "1.0.0", None).await;
    world.release("2.0.0");
    // The host answers two requests, the check and the first look at the bundle, and then none.
    world.host.fault(Fault::Late(Duration::ZERO));
    world.host.fault(Fault::Late(Duration::ZERO));
    world.host.fault(Fault::Late(Duration::from_secs(3600)));
    world.update.install("2.0.0").await.unwrap();
    world.until("the transfer", |_| world.host.requests().len() >= 3).await;
    world.car.state.lock().unwrap().in_session = true;
    world
        .until("the rest", |update| {
            update.state == "installing" && update.reason == "somebody is connected to drive"
        })
        .await;
    let asked = world.host.requests().len();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.host.requests().len(), asked);
    world.car.state.lock().unwrap().in_session = false;
    world.until("the end", |update| update.state == "rebooting").await;
    assert_eq!(world.rauc.with(|told| told.read.len()), SIZE);
}

#[tokio::test]
async fn a_bundle_for_another_board_is_refused_by_its_signed_manifest() {
    let world = World::start("A", "1.0.0", None).await;
    world.release("2.0.0");
    world.rauc.with(|told| told.compatible = "another-board");
    world.update.install("2.0.0").await.unwrap();
    let properties = world.until("the refusal", |update| update.state == "failed").await;
    assert_eq!(
        properties.reason,
        "not tried again: it is made for another-board, and this car is rccar-test"
    );
    assert!(world.rauc.with(|told| told.read.is_empty()));
}

#[tokio::test]
async fn an_old_bundle_under_a_new_name_is_refused() {
    let world = World::start("A", "1.0.0", None).await;
    world.release("3.0.0");
    world.update.install("3.0.0").await.unwrap();
    let properties = world.until("the refusal", |update| update.state == "failed").await;
    assert_eq!(properties.reason, "not tried again: the bundle that was offered as 3.0.0 is 2.0.0");
}

#[tokio::test]
async fn what_rauc_refuses_is_told_in_plain_words() {
    let world = World::start("A", "1.0.0", None).await;
    world.release("2.0.0");
    world.rauc.with(|told| {
        told.refuses = Some("signature verification failed: Verify error: self-signed certificate")
    });
    world.update.install("2.0.0").await.unwrap();
    let properties = world.until("the refusal", |update| update.state == "failed").await;
    assert!(
        properties.reason.contains("it is not signed by a key that this car trusts"),
        "{}",
        properties.reason
    );
    let status = String::from_utf8(world.command(&["status"]).await.stdout).unwrap();
    for line in [
        "running    1.0.0\n",
        "state      failed 2.0.0: ",
        "last       2.0.0: it is not",
        "slot A     as flashed, good, booted\n",
    ] {
        assert!(status.contains(line), "`{line}` is not in\n{status}");
    }
}

#[tokio::test]
async fn a_new_version_that_is_healthy_is_marked_good() {
    let state = r#"{"pending":{"version":"2.0.0","from":"A","stage":"installed",
                    "asked":false,"reboots":1}}"#;
    let world = World::start("B", "2.0.0", Some(state)).await;
    world
        .until("the proof", |update| {
            update.state == "idle" && world.rauc.with(|told| !told.marks.is_empty())
        })
        .await;
    assert_eq!(world.rauc.with(|told| told.marks.clone()), ["good booted"]);
    world.until("the memory", |_| world.saved().contains("\"pending\": null")).await;
}

#[tokio::test]
async fn a_version_that_did_not_start_is_reported_by_the_old_one() {
    let state = r#"{"pending":{"version":"2.0.0","from":"A","stage":"installed",
                    "asked":false,"reboots":1}}"#;
    let world = World::start("A", "1.0.0", Some(state)).await;
    let properties = world.until("the reason", |update| update.state == "failed").await;
    assert_eq!(properties.reason, "version 2.0.0 did not start");
    world
        .until("the report", |_| {
            world
                .car
                .reports
                .lock()
                .unwrap()
                .iter()
                .any(|report| report.state == UpdateState::Failed)
        })
        .await;
}

#[tokio::test]
async fn an_installation_that_ends_after_the_agent_was_killed_is_still_an_update_on_trial() {
    let state = r#"{"pending":{"version":"2.0.0","from":"A","stage":"installing",
                    "asked":false,"reboots":0}}"#;
    let world = World::start_beside("A", "1.0.0", Some(state), |rauc| {
        rauc.with(|told| told.operation = "installing")
    })
    .await;
    let start = Instant::now();
    while world.rauc.with(|told| told.looks) < 3 {
        assert!(start.elapsed() < SOON, "the update does not look again");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(world.saved().contains("installing"), "nothing is decided while RAUC works");
    world.rauc.with(|told| {
        told.primary = "rootfs.1";
        told.operation = "idle";
    });
    world.until("the reboot", |update| update.state == "rebooting").await;
    assert!(world.saved().contains("\"version\": \"2.0.0\""), "{}", world.saved());
}

#[tokio::test]
async fn the_owner_installs_a_file_and_may_go_back() {
    let world = World::start("A", "3.0.0", None).await;
    let file = world.directory.path().join("old.raucb");
    std::fs::write(&file, world.host.with(|inner| inner.bundle.clone())).unwrap();
    let file = file.to_str().unwrap();
    let refused = world.command(&["install", file]).await;
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(
        words.contains(
            "version 2.0.0 is older than 3.0.0, which is running; add --allow-downgrade to go back"
        ),
        "{words}"
    );
    assert!(world.command(&["install", "--allow-downgrade", file]).await.status.success());
    world.until("the reboot", |update| update.state == "rebooting").await;
    assert_eq!(world.host.requests(), [""; 0], "nothing was fetched");
}

#[tokio::test]
async fn a_damaged_state_does_not_stop_the_agent() {
    let world = World::start("A", "1.0.0", Some("{\"pending\": {\"vers")).await;
    world.until("the update", |update| update.state == "idle").await;
    assert!(world.directory.path().join("state.json.damaged").exists());
}

#[tokio::test]
async fn check_config_names_the_line() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("update.toml");
    std::fs::write(&config, "[update]\nchannel = \"Not a channel\"\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rccar-update"))
        .arg("--config")
        .arg(&config)
        .arg("check-config")
        .output()
        .await
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(words.contains("update.toml:2") && words.contains("update.channel"), "{words}");
}
