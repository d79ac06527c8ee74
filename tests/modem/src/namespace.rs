//! Runs every test in namespaces of its own.
//!
//! A test calls [`story`]. That runs the test binary once more, with this one test alone, inside
//! new mount, network, process and IPC namespaces. Only there the story is told. All that it starts
//! ends with its process namespace.

use crate::Lab;
use crate::lab::Setup;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Environment variable that is set inside the namespaces. It names a file, which the story writes
/// at its end. Without that file a test that never ran would pass.
const MARKER: &str = "RCCAR_MODEM_LAB_MARKER";
/// Environment variable: the path of a Debian root with ModemManager, which `ci/modem` makes.
const ROOT: &str = "RCCAR_MODEM_ROOT";

/// Tells a story with the real ModemManager and the modem that `setup` describes.
///
/// # Panics
/// If the story fails, or the namespaces cannot be made.
#[allow(clippy::panic, clippy::expect_used, reason = "this is what a failed test is")]
pub fn story<F>(setup: Setup, tell: F)
where
    F: AsyncFnOnce(&mut Lab),
{
    let Ok(marker) = std::env::var(MARKER) else { return run_inside() };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut lab = Lab::start(&root(), setup).await.expect("the lab starts");
        tell(&mut lab).await;
    });
    std::fs::write(marker, "told").expect("the marker can be written");
}

#[allow(clippy::panic, clippy::expect_used, reason = "this is what a failed test is")]
fn run_inside() {
    let thread = std::thread::current();
    let name = thread
        .name()
        .filter(|name| *name != "main")
        .expect("the test runs in a thread of its name: not with --test-threads=1");
    let marker = std::env::temp_dir().join(format!(
        "rccar-modem-lab-{}-{}",
        std::process::id(),
        name.replace("::", "-")
    ));
    let status = Command::new("unshare")
        .args(["--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child"])
        .arg(std::env::current_exe().expect("the test knows its binary"))
        .args(["--exact", name, "--ignored", "--nocapture", "--quiet", "--test-threads=2"])
        .env(MARKER, &marker)
        .env("RCCAR_MODEM_ROOT", root())
        .status()
        .expect("unshare (util-linux) can be run");
    let told = std::fs::remove_file(&marker).is_ok();
    assert!(status.success() && told, "the story failed: {status}, see above");
}

#[allow(clippy::expect_used, reason = "this is what a failed test is")]
fn root() -> PathBuf {
    let root = std::env::var(ROOT)
        .map(PathBuf::from)
        .expect("run ci/modem: it makes the root file system and names it in RCCAR_MODEM_ROOT");
    assert!(
        Path::new(&root).join("usr/sbin/ModemManager").exists(),
        "{}: there is no ModemManager; run ci/modem",
        root.display()
    );
    root
}
