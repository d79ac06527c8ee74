//! The paths of all files that this program reads and writes.

use std::path::{Path, PathBuf};

/// The tree of a running car, or a copy of it for tests.
#[derive(Debug, Clone)]
pub struct Places {
    root: PathBuf,
}

impl Places {
    /// Below this directory; `/` on the car.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Whether the kernel's host name and mounts belong to this tree.
    pub(crate) fn is_the_system(&self) -> bool {
        self.root == Path::new("/")
    }

    /// Where the card's first partition is mounted.
    #[must_use]
    pub fn card(&self) -> PathBuf {
        self.at("boot/firmware")
    }

    /// The file that a person writes.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.card().join("provision.toml")
    }

    /// The report about that file, for that person.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.card().join("provision-report.txt")
    }

    /// The device-tree overlays of the next start, for the boot script.
    pub(crate) fn overlays(&self) -> PathBuf {
        self.card().join("overlays.env")
    }

    /// What the boot script has told the kernel.
    pub(crate) fn command_line(&self) -> PathBuf {
        self.at("proc/cmdline")
    }

    /// The same as the report for the car's page.
    #[must_use]
    pub fn json(&self) -> PathBuf {
        self.at("run/rccar/provision.json")
    }

    /// The image's own configurations.
    #[must_use]
    pub fn defaults(&self) -> PathBuf {
        self.at("usr/share/rccar")
    }

    /// The configurations that the services read.
    #[must_use]
    pub fn configs(&self) -> PathBuf {
        self.at("run/rccar/config")
    }

    /// The programs of the services.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.at("usr/bin")
    }

    pub(crate) fn os_release(&self) -> PathBuf {
        self.at("usr/lib/os-release")
    }

    /// Repairs that the start of the system had to make: `*.txt`, one line for each.
    #[must_use]
    pub fn notices(&self) -> PathBuf {
        self.at("run/rccar/notices")
    }

    /// The key that may log in by SSH.
    #[must_use]
    pub fn ssh_key(&self) -> PathBuf {
        self.at("run/rccar/ssh/authorized_keys")
    }

    /// Files that this program keeps from boot to boot.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.at("data/rccar")
    }

    /// Networks that iwd knows (iwd.network(5)).
    #[must_use]
    pub fn networks(&self) -> PathBuf {
        self.at("var/lib/iwd")
    }

    /// iwd's own configuration (iwd.config(5)).
    #[must_use]
    pub fn iwd_config(&self) -> PathBuf {
        self.at("etc/iwd/main.conf")
    }

    pub(crate) fn host_name(&self) -> PathBuf {
        self.at("etc/hostname")
    }

    /// The car's id, from its second start on.
    pub(crate) fn car_id(&self) -> PathBuf {
        self.at("var/lib/rccar/car.id")
    }

    /// Why the host did not let the car in when it was on last; the car removes it when it is in.
    #[must_use]
    pub fn host_trouble(&self) -> PathBuf {
        self.at("var/lib/rccar/host.txt")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}
