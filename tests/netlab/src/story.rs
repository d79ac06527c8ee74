//! Runs every test in namespaces of its own.
//!
//! A test calls [`story`]. That runs the test binary once more, with this one test alone, inside
//! new mount, network, process and IPC namespaces. Only there the story is told. All that it starts
//! ends with its process namespace.

use crate::Lab;
use crate::authority::AUTHORITY;
use futures_util::FutureExt;
use nix::mount::{MsFlags, mount};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::Command;

/// Environment variable that is set inside the namespaces. It names a file, which the story writes
/// at its end. Without that file a test that never ran would pass.
const MARKER: &str = "RCCAR_NETLAB_MARKER";

/// Tells a story.
///
/// # Panics
/// If the story fails, or the namespaces cannot be made.
#[allow(clippy::panic, clippy::expect_used, reason = "this is what a failed test is")]
pub fn story<F>(tell: F)
where
    F: AsyncFnOnce(&mut Lab),
{
    let Ok(marker) = std::env::var(MARKER) else { return run_inside() };
    prepare().expect("the namespaces can be set up");
    // One thread, because a socket belongs to the network namespace of the thread that opens it.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut lab = Lab::start().expect("the lab starts");
        let told = AssertUnwindSafe(tell(&mut lab)).catch_unwind().await;
        lab.stop().await;
        if let Err(panic) = told {
            eprintln!("{}", lab.logs());
            resume_unwind(panic);
        }
    });
    std::fs::write(marker, "told").expect("the marker can be written");
}

/// Gives the story a `/run` of its own, because the names of network namespaces are files there.
fn prepare() -> std::io::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
    mount(Some("tmpfs"), "/run", Some("tmpfs"), MsFlags::empty(), none)?;
    std::fs::create_dir_all("/run/netns")
}

#[allow(clippy::panic, clippy::expect_used, reason = "this is what a failed test is")]
fn run_inside() {
    let thread = std::thread::current();
    let name = thread
        .name()
        .filter(|name| *name != "main")
        .expect("the test runs in a thread of its name: not with --test-threads=1");
    let marker = std::env::temp_dir().join(format!(
        "rccar-netlab-{}-{}",
        std::process::id(),
        name.replace("::", "-")
    ));
    let status = Command::new("unshare")
        .args(["--mount", "--mount-proc", "--net", "--pid", "--ipc", "--fork", "--kill-child"])
        .arg(std::env::current_exe().expect("the test knows its binary"))
        .args(["--exact", name, "--ignored", "--nocapture", "--quiet", "--test-threads=2"])
        .env(MARKER, &marker)
        // For the driver's own tunnel, which checks the host's certificate.
        .env("SSL_CERT_FILE", AUTHORITY)
        .status()
        .expect("unshare (util-linux) can be run");
    let told = std::fs::remove_file(&marker).is_ok();
    assert!(status.success() && told, "the story failed: {status}, see above");
}
