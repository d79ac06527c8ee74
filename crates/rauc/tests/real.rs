//! The client against Debian's RAUC, with slots that are files and a bootloader that is a shell script.
//!
//! What needs the device mapper (the installation itself) is shown by the tests that boot the image.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "tests")]

use rccar_bus::testing::TestBus;
use rccar_rauc::{BootStatus, Mark, Rauc, RaucError};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const SYSTEM_CONF: &str = "[system]
compatible=rccar-test
bootloader=custom
bundle-formats=verity
data-directory=@/data

[handlers]
bootloader-custom-backend=@/bootloader

[keyring]
path=@/good.cert.pem

[slot.rootfs.0]
device=@/rootA
type=raw
bootname=A

[slot.rootfs.1]
device=@/rootB
type=raw
bootname=B
";

/// Keeps its state in files beside it.
const BOOTLOADER: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
case $1 in
get-primary) cat primary ;;
set-primary) echo "$2" >primary ;;
get-state) cat "state-$2" ;;
set-state) echo "$3" >"state-$2" ;;
get-current) echo A ;;
esac
"#;

struct System {
    directory: TempDir,
    rauc: Rauc,
    bus: TestBus,
    service: Child,
}

impl System {
    /// `None`, with a loud word, where RAUC is not installed or too old.
    async fn start() -> Option<Self> {
        if Command::new("rauc").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await.is_err() {
            eprintln!("SKIPPED: there is no `rauc` here; ci/setup installs it");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::create_dir(path.join("data")).unwrap();
        fs::write(path.join("system.conf"), SYSTEM_CONF.replace('@', &path.display().to_string())).unwrap();
        fs::write(path.join("bootloader"), BOOTLOADER).unwrap();
        fs::set_permissions(path.join("bootloader"), fs::Permissions::from_mode(0o755)).unwrap();
        for (file, content) in [("primary", "A"), ("state-A", "good"), ("state-B", "bad"), ("rootA", ""), ("rootB", "")] {
            fs::write(path.join(file), content).unwrap();
        }
        for key in ["good", "other"] {
            make_key(path, key).await;
        }
        let bus = TestBus::start().await.unwrap();
        let service = Command::new("rauc")
            .arg("service")
            .arg(format!("--conf={}", path.join("system.conf").display()))
            .arg("--override-boot-slot=A")
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus.address())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let rauc = Rauc::new(bus.connect().await.unwrap());
        // The name appears when the service is ready.
        let ready = async {
            while matches!(rauc.compatible().await, Err(RaucError::Absent)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready).await.expect("RAUC's service comes up");
        Some(Self { directory, rauc, bus, service })
    }

    async fn bundle(&self, version: &str, key: &str) -> PathBuf {
        let path = self.directory.path();
        let content = path.join(format!("content-{version}-{key}"));
        fs::create_dir(&content).unwrap();
        // RAUC wants more than one block after compression.
        let next = |last: &u32| Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let noise: Vec<u8> = std::iter::successors(Some(1), next).take(20_000).map(|number: u32| number.to_be_bytes()[0]).collect();
        fs::write(content.join("root.img"), noise).unwrap();
        let manifest = format!(
            "[update]\ncompatible=rccar-test\nversion={version}\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n"
        );
        fs::write(content.join("manifest.raucm"), manifest).unwrap();
        let bundle = path.join(format!("{version}-{key}.raucb"));
        let file = |kind: &str| path.join(format!("{key}.{kind}.pem")).display().to_string();
        run(Command::new("rauc").args(["bundle", "--cert", &file("cert"), "--key", &file("key")]).arg(&content).arg(&bundle)).await;
        bundle
    }
}

async fn make_key(directory: &Path, name: &str) {
    let file = |kind: &str| directory.join(format!("{name}.{kind}.pem")).display().to_string();
    let subject = format!("/CN={name}");
    let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject];
    run(Command::new("openssl").args(arguments).args(["-keyout", &file("key"), "-out", &file("cert")])).await;
}

async fn run(command: &mut Command) {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn slots_are_told_and_marked() {
    let Some(system) = System::start().await else { return };
    let rauc = &system.rauc;
    assert_eq!((rauc.compatible().await.unwrap(), rauc.booted().await.unwrap()), ("rccar-test".into(), "A".into()));
    assert_eq!(rauc.primary().await.unwrap(), "rootfs.0");
    let mut slots = rauc.slots().await.unwrap();
    slots.sort_by(|one, other| one.name.cmp(&other.name));
    let told: Vec<_> = slots.iter().map(|slot| (slot.bootname.as_deref(), slot.booted, slot.boot_status)).collect();
    assert_eq!(told, [(Some("A"), true, Some(BootStatus::Good)), (Some("B"), false, Some(BootStatus::Bad))]);

    rauc.mark(Mark::Bad).await.unwrap();
    assert_eq!(fs::read_to_string(system.directory.path().join("state-A")).unwrap().trim(), "bad");
    rauc.mark(Mark::Good).await.unwrap();
    assert_eq!(fs::read_to_string(system.directory.path().join("state-A")).unwrap().trim(), "good");
}

#[tokio::test]
async fn a_bundle_is_inspected_and_one_by_another_key_refused() {
    let Some(system) = System::start().await else { return };
    let bundle = system.bundle("1.2.3-dev.4", "good").await;
    match system.rauc.inspect(bundle.to_str().unwrap()).await {
        Ok(bundle) => {
            assert_eq!((bundle.compatible.as_str(), bundle.version.as_str()), ("rccar-test", "1.2.3-dev.4"));
            assert_eq!(bundle.manifest_hash.map(|hash| hash.len()), Some(64));
        }
        Err(RaucError::Refused(text)) if text.contains("InspectBundle") || text.contains("UnknownMethod") => {
            eprintln!("SKIPPED: this RAUC is older than 1.9 and cannot inspect bundles");
            return;
        }
        Err(error) => panic!("{error}"),
    }
    let foreign = system.bundle("1.2.3", "other").await;
    let error = system.rauc.inspect(foreign.to_str().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("signature verification failed"), "{error}");
}

#[tokio::test]
async fn a_failed_installation_tells_why() {
    let Some(system) = System::start().await else { return };
    let foreign = system.bundle("1.2.3", "other").await;
    let error = system.rauc.install(foreign.to_str().unwrap(), None, |_| {}).await.unwrap_err();
    assert!(matches!(&error, RaucError::Refused(text) if text.contains("signature verification failed")), "{error}");
    let missing = system.rauc.install("/nonexistent.raucb", None, |_| {}).await.unwrap_err().to_string();
    assert!(missing.contains("nonexistent"), "{missing}");
}

#[tokio::test]
async fn an_absent_service_is_told_as_such() {
    let Some(mut system) = System::start().await else { return };
    system.service.kill().await.unwrap();
    let rauc = Rauc::new(system.bus.connect().await.unwrap());
    assert!(matches!(rauc.slots().await, Err(RaucError::Absent)));
    assert!(matches!(rauc.install("/a.raucb", None, |_| {}).await, Err(RaucError::Absent)));
}
