//! The layers of the workspace and the rules between them; `tests/workspace.rs` holds the workspace
//! against them.
//!
//! **The layer is the folder, and a crate depends on lower layers only.** Development dependencies
//! may point anywhere: a test may put anything together.
//!
//! | layer | folder | crates | may know |
//! |---|---|---|---|
//! | program | `crates/programs`, `tests` | one for each process, and tests | everything below |
//! | adapter | `crates/adapters` | sockets, devices, codecs, the service manager | words, system |
//! | core | `crates/cores` | decisions: no runtime, socket, file, clock or randomness | words |
//! | words | `crates/words` | messages and units | nothing of ours |
//! | system | `crates/system` | a system call each, in crates that may hold `unsafe` code | nothing of ours |
//!
//! ```
//! use rccar_layers::{Layer, layer};
//!
//! assert_eq!(layer("crates/programs/drive".as_ref()), Some(Layer::Program));
//! assert!(Layer::Program > Layer::Adapter);
//! ```
//!
//! # Design decisions
//!
//! * Adapters and cores do not know each other; a program introduces them. [`EXCEPTIONS`] has the
//!   one pair that both programs would introduce in the same way.
//! * Programs do not know each other, except the one that puts several into one file:
//!   [`COLLECTION`].
//! * A crate in another folder fails the test, so that its author decides where it belongs.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod modules;

use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Layers, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// System calls behind a safe function.
    System,
    /// Messages and units.
    Words,
    /// Pure decisions.
    Core,
    /// What touches the world.
    Adapter,
    /// Processes and tests.
    Program,
}

/// Adapters that know a core. `rccar-site` drives `rccar-rooms` for the host and for the car's own
/// page alike.
pub const EXCEPTIONS: [(&str, &str); 2] =
    [("rccar-site", "rccar-rooms"), ("rccar-peer", "rccar-congestion")];

/// The program that holds others: the car's, in one file.
pub const COLLECTION: &str = "rccar";

/// Crates whose modules know each other in one direction only.
pub const WITHOUT_CIRCLES: [&str; 2] = ["rccar-car", "rccar-car-core"];

/// Modules of `rccar-car` that do not know each other: `run` introduces them.
pub const STRANGERS: [&str; 3] = ["lease", "session", "signaling"];

/// Crates that a core has no use for: runtimes, sockets, files, clocks, randomness.
pub const NOT_IN_CORES: [&str; 16] = [
    "async-std",
    "axum",
    "chrono",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "nix",
    "rand",
    "rtc",
    "rustix",
    "smol",
    "socket2",
    "time",
    "tokio",
    "webrtc",
];

/// Names of the standard library that a core has no use for.
pub const NOT_IN_SOURCES_OF_CORES: [&str; 8] = [
    "Instant::now",
    "SystemTime::now",
    "TcpStream",
    "UdpSocket",
    "UnixDatagram",
    "std::env",
    "std::fs",
    "std::thread",
];

/// A package as `cargo metadata` describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// The path of its `Cargo.toml`.
    pub manifest_path: PathBuf,
    /// The oldest compiler that it takes.
    pub rust_version: Option<String>,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
}

impl Package {
    /// What it needs to be built, which is more than its tests need.
    fn used(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|dependency| !dependency.is_dev())
    }
}

/// A dependency as `cargo metadata` describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// Name of the package.
    pub name: String,
    /// `dev`, `build`, or `None` for a normal one.
    pub kind: Option<String>,
    /// Where it is, if it is in the workspace.
    pub path: Option<PathBuf>,
}

impl Dependency {
    fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// The layer of the crate in this folder of the workspace.
#[must_use]
pub fn layer(folder: &Path) -> Option<Layer> {
    let mut parts = folder.iter().filter_map(|part| part.to_str());
    match (parts.next()?, parts.next()?) {
        ("tests", _) => Some(Layer::Program),
        ("crates", "programs") => Some(Layer::Program),
        ("crates", "adapters") => Some(Layer::Adapter),
        ("crates", "cores") => Some(Layer::Core),
        ("crates", "words") => Some(Layer::Words),
        ("crates", "system") => Some(Layer::System),
        _ => None,
    }
}

/// The packages of the workspace, and where its root is.
#[derive(Debug, Clone, Deserialize)]
pub struct Workspace {
    /// Its members.
    pub packages: Vec<Package>,
    /// The folder of its `Cargo.toml`.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
}

impl Workspace {
    /// The layer that a package is in.
    #[must_use]
    pub fn layer(&self, package: &Package) -> Option<Layer> {
        self.layer_of(package.manifest_path.parent()?)
    }

    /// The packages of a layer.
    pub fn packages_of(&self, wanted: Layer) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |package| self.layer(package) == Some(wanted))
    }

    /// Crates in a folder that is no layer's.
    #[must_use]
    pub fn elsewhere(&self) -> Vec<String> {
        let lost = self.packages.iter().filter(|package| self.layer(package).is_none());
        lost.map(|package| {
            format!("{} is in no layer's folder: {}", package.name, package.manifest_path.display())
        })
        .collect()
    }

    /// Dependencies that do not point downward.
    #[must_use]
    pub fn upward(&self) -> Vec<String> {
        let arrows = self.packages.iter().flat_map(|from| from.used().map(move |to| (from, to)));
        arrows
            .filter(|(from, to)| !self.may_know(from, to))
            .map(|(from, to)| arrow(from, to))
            .collect()
    }

    /// Cores that depend on a runtime, on sockets and the like.
    #[must_use]
    pub fn impure(&self) -> Vec<String> {
        let arrows =
            self.packages_of(Layer::Core).flat_map(|from| from.used().map(move |to| (from, to)));
        arrows
            .filter(|(_, to)| NOT_IN_CORES.contains(&to.name.as_str()))
            .map(|(from, to)| arrow(from, to))
            .collect()
    }

    fn layer_of(&self, folder: &Path) -> Option<Layer> {
        layer(folder.strip_prefix(&self.root).ok()?)
    }

    fn may_know(&self, from: &Package, to: &Dependency) -> bool {
        let Some(path) = &to.path else { return true };
        match (self.layer(from), self.layer_of(path)) {
            (Some(Layer::Adapter), Some(Layer::Core)) => {
                EXCEPTIONS.contains(&(&from.name, &to.name))
            }
            (Some(Layer::Core | Layer::Words), Some(Layer::System)) => false,
            (Some(Layer::Program), Some(Layer::Program)) => {
                from.name == COLLECTION || path.starts_with(self.root.join("tests"))
            }
            (Some(from), Some(to)) => from > to,
            // `elsewhere` reports it.
            _ => true,
        }
    }
}

/// Packages that ask for a newer compiler than `limit`.
#[must_use]
pub fn too_new(packages: &[Package], limit: &str) -> Vec<String> {
    let newer = |package: &&Package| {
        package.rust_version.as_deref().is_some_and(|asked| numbers(asked) > numbers(limit))
    };
    let text = |package: &Package| {
        format!(
            "{} {} asks for {}",
            package.name,
            package.version,
            package.rust_version.as_deref().unwrap_or("")
        )
    };
    packages.iter().filter(newer).map(text).collect()
}

fn arrow(package: &Package, dependency: &Dependency) -> String {
    format!("{} depends on {}", package.name, dependency.name)
}

/// Major, minor and patch; a missing one is 0.
fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of `folder` that needs others: of the workspace by their folder, of elsewhere by
    /// their name.
    fn workspace(folder: &str, needs: &[(&str, Option<&str>)]) -> Workspace {
        let name = |folder: &str| folder.rsplit('/').next().map(str::to_owned).unwrap();
        let dependency = |(needed, kind): &(&str, Option<&str>)| Dependency {
            name: name(needed),
            kind: kind.map(str::to_owned),
            path: needed.contains('/').then(|| Path::new("/project").join(needed)),
        };
        let package = Package {
            name: name(folder),
            version: "1.0.0".to_owned(),
            manifest_path: Path::new("/project").join(folder).join("Cargo.toml"),
            rust_version: Some("1.94".to_owned()),
            dependencies: needs.iter().map(dependency).collect(),
        };
        Workspace { packages: vec![package], root: "/project".into() }
    }

    #[test]
    fn arrows_that_point_up_or_sideways_are_found() {
        for (from, to) in [
            ("crates/words/protocol", "crates/cores/sim"),
            ("crates/words/protocol", "crates/words/causes"),
            ("crates/cores/rooms", "crates/cores/sim"),
            ("crates/adapters/peer", "crates/adapters/media"),
            ("crates/adapters/media", "crates/cores/sim"),
            ("crates/adapters/media", "tests/netlab"),
            ("crates/programs/host", "crates/programs/car"),
            ("crates/programs/car", "crates/programs/rccar"),
            ("crates/cores/rooms", "crates/system/dmabuf-unsafe"),
        ] {
            let short = |folder: &str| folder.rsplit('/').next().map(str::to_owned).unwrap();
            let arrow = format!("{} depends on {}", short(from), short(to));
            assert_eq!(workspace(from, &[(to, None)]).upward(), [arrow]);
            assert_eq!(
                workspace(from, &[(to, Some("build"))]).upward().len(),
                1,
                "build dependencies count"
            );
            assert!(
                workspace(from, &[(to, Some("dev"))]).upward().is_empty(),
                "development dependencies do not"
            );
        }
    }

    #[test]
    fn arrows_that_point_down_are_fine() {
        for (from, to) in [
            ("crates/programs/host", "crates/cores/rooms"),
            ("crates/adapters/peer", "crates/words/protocol"),
            ("crates/adapters/media", "crates/system/dmabuf-unsafe"),
            ("crates/programs/rccar", "crates/programs/car"),
            ("tests/netlab", "tests/require"),
            ("crates/cores/rooms", "serde"),
        ] {
            assert!(workspace(from, &[(to, None)]).upward().is_empty(), "{from} to {to}");
        }
        let mut site =
            workspace("crates/adapters/rccar-site", &[("crates/cores/rccar-rooms", None)]);
        assert!(site.upward().is_empty(), "the exception");
        site.packages[0].name = "rccar-peer".to_owned();
        assert_eq!(site.upward(), ["rccar-peer depends on rccar-rooms"]);
    }

    #[test]
    fn cores_with_a_runtime_are_found() {
        assert_eq!(
            workspace("crates/cores/rooms", &[("tokio", None)]).impure(),
            ["rooms depends on tokio"]
        );
        assert!(
            workspace("crates/cores/rooms", &[("tokio", Some("dev")), ("serde", None)])
                .impure()
                .is_empty()
        );
        assert!(workspace("crates/adapters/peer", &[("tokio", None)]).impure().is_empty());
    }

    #[test]
    fn crates_in_a_folder_of_no_layer_are_found() {
        for folder in ["crates/new", "crates/machines/new", "tools/new"] {
            let found = workspace(folder, &[]).elsewhere();
            assert_eq!(
                found,
                [format!("new is in no layer's folder: /project/{folder}/Cargo.toml")]
            );
        }
        assert!(workspace("crates/words/new", &[]).elsewhere().is_empty());
    }

    #[test]
    fn compilers_are_compared_by_number() {
        let packages = workspace("crates/words/a", &[]).packages;
        assert!(too_new(&packages, "1.94").is_empty());
        assert!(too_new(&packages, "1.100").is_empty());
        assert_eq!(too_new(&packages, "1.93.1"), ["a 1.0.0 asks for 1.94"]);
    }
}
