//! The real RAUC for one test. Its slots are files, and its bootloader is a shell script. The tests
//! of `rccar-update` use it, too.

#![allow(dead_code, reason = "not every test asks for everything")]

use rccar_bus::testing::TestBus;
use rccar_rauc::{Rauc, RaucError};
use std::fs;
use std::io;
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

/// A bootloader that keeps its state in files in the same directory.
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

/// RAUC's service, booted into slot A. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct TestRauc {
    rauc: Rauc,
    service: Child,
    bus: TestBus,
    directory: TempDir,
}

impl TestRauc {
    /// `None` if RAUC is not installed (`ci/setup` installs it).
    pub(crate) async fn start() -> io::Result<Option<Self>> {
        if Command::new("rauc")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await
            .is_err()
        {
            return Ok(None);
        }
        let directory = tempfile::tempdir()?;
        let path = directory.path();
        fs::create_dir(path.join("data"))?;
        fs::write(path.join("system.conf"), SYSTEM_CONF.replace('@', &path.display().to_string()))?;
        fs::write(path.join("bootloader"), BOOTLOADER)?;
        fs::set_permissions(path.join("bootloader"), fs::Permissions::from_mode(0o755))?;
        for (file, content) in [
            ("primary", "A"),
            ("state-A", "good"),
            ("state-B", "bad"),
            ("rootA", ""),
            ("rootB", ""),
        ] {
            fs::write(path.join(file), content)?;
        }
        for key in ["good", "other"] {
            make_key(path, key).await?;
        }
        let bus = TestBus::start().await?;
        let service = Command::new("rauc")
            .arg("service")
            .arg(format!("--conf={}", path.join("system.conf").display()))
            .arg("--override-boot-slot=A")
            .env("DBUS_SYSTEM_BUS_ADDRESS", bus.address())
            .kill_on_drop(true)
            .spawn()?;
        let rauc = Rauc::new(bus.connect().await?);
        // RAUC takes its name on the bus when it is ready.
        let ready = async {
            while matches!(rauc.compatible().await, Err(RaucError::Absent)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ready)
            .await
            .map_err(|_| io::Error::other("RAUC's service does not come up"))?;
        Ok(Some(Self { rauc, service, bus, directory }))
    }

    pub(crate) fn client(&self) -> &Rauc {
        &self.rauc
    }

    /// A client with another connection to the bus.
    pub(crate) async fn another_client(&self) -> io::Result<Rauc> {
        Ok(Rauc::new(self.bus.connect().await?))
    }

    /// The value that the bootloader keeps under a name, such as `state-A`.
    pub(crate) fn bootloader(&self, name: &str) -> io::Result<String> {
        Ok(fs::read_to_string(self.directory.path().join(name))?.trim().to_owned())
    }

    /// Makes a bundle that is signed by `good`, which RAUC trusts, or by `other`, which it does
    /// not.
    pub(crate) async fn bundle(&self, version: &str, key: &str) -> io::Result<PathBuf> {
        let path = self.directory.path();
        let content = path.join(format!("content-{version}-{key}"));
        fs::create_dir(&content)?;
        // Noise, because RAUC wants more than one block after compression.
        let next = |last: &u32| Some(last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let noise: Vec<u8> = std::iter::successors(Some(1), next)
            .take(20_000)
            .map(|number: u32| number.to_be_bytes()[0])
            .collect();
        fs::write(content.join("root.img"), noise)?;
        let manifest = format!(
            "[update]\ncompatible=rccar-test\nversion={version}\n\
             [bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n"
        );
        fs::write(content.join("manifest.raucm"), manifest)?;
        let bundle = path.join(format!("{version}-{key}.raucb"));
        let file = |kind: &str| path.join(format!("{key}.{kind}.pem")).display().to_string();
        run(Command::new("rauc")
            .args(["bundle", "--cert", &file("cert"), "--key", &file("key")])
            .arg(&content)
            .arg(&bundle))
        .await?;
        Ok(bundle)
    }

    pub(crate) async fn kill(&mut self) -> io::Result<()> {
        self.service.kill().await
    }
}

async fn make_key(directory: &Path, name: &str) -> io::Result<()> {
    let file = |kind: &str| directory.join(format!("{name}.{kind}.pem")).display().to_string();
    let subject = format!("/CN={name}");
    let arguments =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject];
    run(Command::new("openssl").args(arguments).args([
        "-keyout",
        &file("key"),
        "-out",
        &file("cert"),
    ]))
    .await
}

async fn run(command: &mut Command) -> io::Result<()> {
    let output = command.output().await?;
    let failed =
        || io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    if output.status.success() { Ok(()) } else { Err(failed()) }
}
