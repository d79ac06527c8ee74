//! The root file system that ModemManager sees. It is Debian's, with devices, a `/run` and a `/sys`
//! of the story's own.

use nix::mount::{MsFlags, mount};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tokio::process::{Child, Command};

/// Nodes of /dev: name, major and minor number (Documentation/admin-guide/devices.txt of the
/// kernel).
const NODES: [(&str, u64, u64); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
    ("ptmx", 5, 2),
];

/// The root, mounted for this process and its children only.
pub(crate) struct Root {
    path: PathBuf,
}

impl Root {
    /// Mounts all that does not depend on the modem.
    pub(crate) fn mount(path: &Path) -> io::Result<Self> {
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
        mount(Some(path), path, none, MsFlags::MS_BIND, none)?;
        let root = Self { path: path.to_owned() };
        mount(Some("proc"), &root.at("proc"), Some("proc"), MsFlags::empty(), none)?;
        for directory in ["run", "tmp", "dev", "sys", "var/lib", "var/log"] {
            mount(Some("tmpfs"), &root.at(directory), Some("tmpfs"), MsFlags::empty(), none)?;
        }
        for directory in ["dev/pts", "run/dbus", "run/lock", "run/netns"] {
            fs::create_dir_all(root.at(directory))?;
        }
        for (name, major, minor) in NODES {
            mknod(
                &root.at("dev").join(name),
                SFlag::S_IFCHR,
                Mode::from_bits_truncate(0o666),
                makedev(major, minor),
            )?;
        }
        // So that pseudo terminals of this process have the same names inside.
        mount(Some("/dev/pts"), &root.at("dev/pts"), none, MsFlags::MS_BIND, none)?;
        Ok(root)
    }

    /// Makes a second `/dev/null` under the name of a device.
    pub(crate) fn make_null(&self, inside: &str) -> io::Result<()> {
        Ok(mknod(&self.at(inside), SFlag::S_IFCHR, Mode::from_bits_truncate(0o600), makedev(1, 3))?)
    }

    /// Shows the invented `/sys` to programs of the test, too, so that nothing that they write
    /// there reaches a real device.
    pub(crate) fn cover_sys(&self) -> io::Result<()> {
        Ok(mount(Some(&self.at("sys")), "/sys", None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
    }

    /// The path outside of a path inside the root.
    pub(crate) fn at(&self, inside: &str) -> PathBuf {
        self.path.join(inside.trim_start_matches('/'))
    }

    /// A command that runs a program inside. The program ends with the story.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("chroot");
        command
            .arg(&self.path)
            .arg(program)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .kill_on_drop(true);
        command
    }

    pub(crate) fn start(&self, program: &str, arguments: &[&str]) -> io::Result<Child> {
        self.command(program).args(arguments).spawn()
    }

    /// Runs a program to its end and returns its output. Its failure is an error.
    pub(crate) fn output(&self, program: &str, arguments: &[&str]) -> io::Result<String> {
        let output = std::process::Command::new("chroot")
            .arg(&self.path)
            .arg(program)
            .args(arguments)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(text)
        } else {
            Err(io::Error::other(format!("{program} {}", arguments.join(" "))))
        }
    }

    /// Runs a program to its end. Its failure is an error.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> io::Result<()> {
        let status = std::process::Command::new("chroot")
            .arg(&self.path)
            .arg(program)
            .args(arguments)
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("{program} {}: {status}", arguments.join(" "))))
        }
    }
}
