//! Real bundles, made by `rauc` and OpenSSL.

use super::Host;
use std::path::{Path, PathBuf};
use std::process::Command;

pub const BOARD: &str = "rccar-rpi-arm64";

/// Keys and bundles beside the files of a host that trusts the key `own`.
pub struct Workshop(PathBuf);

impl Workshop {
    /// `None` where the tools are missing; then the test counts as left out.
    pub fn open(host: &Host) -> Option<Self> {
        let tools = make(&["tools"]).output().unwrap();
        if !tools.status.success() {
            rccar_require::skip("bundles", String::from_utf8_lossy(&tools.stderr).trim());
            return None;
        }
        let shop = Self(host.directory.path().to_owned());
        shop.make(&["key", "own"]);
        std::fs::copy(shop.path("own.crt"), shop.path("keyring.pem")).unwrap();
        Some(shop)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn make(&self, arguments: &[&str]) {
        let output = make(arguments).current_dir(&self.0).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// The bytes and the file of a bundle.
    pub fn bundle(&self, version: &str, key: &str) -> (Vec<u8>, PathBuf) {
        let name = format!("{version}-{key}.raucb");
        self.make(&["bundle", &name, version, BOARD, key]);
        (std::fs::read(self.path(&name)).unwrap(), self.path(&name))
    }
}

fn make(arguments: &[&str]) -> Command {
    let mut command =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/bundles/make"));
    command.args(arguments);
    command
}
