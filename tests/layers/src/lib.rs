//! The layers of the workspace and the rules between them, as data; `tests/workspace.rs` holds the workspace against them.
//!
//! **A crate depends on lower layers only.** Development dependencies may point anywhere: a test may put anything together.
//!
//! | layer | crates | may know |
//! |---|---|---|
//! | collection | programs put into one file | everything below |
//! | program | one for each process, and tests | everything below |
//! | adapter | sockets, devices, codecs, the service manager | words |
//! | machine | decisions: no runtime, socket, file, clock or randomness | words |
//! | words | messages and units | nothing of ours |
//! | system | a system call each, in crates that may hold `unsafe` code; for adapters and programs | nothing of ours |
//!
//! ```
//! use rccar_layers::{Layer, layer};
//!
//! assert_eq!(layer("rccar-drive"), Some(Layer::Program));
//! assert!(Layer::Program > Layer::Adapter);
//! ```
//!
//! # Design decisions
//!
//! * Adapters and machines do not know each other; a program introduces them. [`EXCEPTIONS`] has the one pair that both programs
//!   would introduce in the same way.
//! * The list is closed: a crate that is in no layer fails the test, so that its author decides where it belongs.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

pub mod modules;

use serde::Deserialize;

/// Layers, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// System calls behind a safe function.
    System,
    /// Messages and units.
    Words,
    /// Pure decisions.
    Machine,
    /// What touches the world.
    Adapter,
    /// Processes and tests.
    Program,
    /// Programs in one file.
    Collection,
}

/// Every crate of the workspace.
pub const LAYERS: &[(&str, Layer)] = &[
    ("rccar-dmabuf-unsafe", Layer::System),
    ("rccar-causes", Layer::Words),
    ("rccar-protocol", Layer::Words),
    ("rccar-turn-stream", Layer::Words),
    ("rccar-bundle", Layer::Machine),
    ("rccar-car-core", Layer::Machine),
    ("rccar-drive-core", Layer::Machine),
    ("rccar-modem-core", Layer::Machine),
    ("rccar-rooms", Layer::Machine),
    ("rccar-sim", Layer::Machine),
    ("rccar-update-core", Layer::Machine),
    ("rccar-bus", Layer::Adapter),
    ("rccar-daemon", Layer::Adapter),
    ("rccar-link", Layer::Adapter),
    ("rccar-media", Layer::Adapter),
    ("rccar-rauc", Layer::Adapter),
    ("rccar-relay", Layer::Adapter),
    ("rccar-signaling", Layer::Adapter),
    ("rccar-tunnel", Layer::Adapter),
    ("rccar-uplink", Layer::Adapter),
    ("tokio-modem-manager", Layer::Adapter),
    ("rccar-car", Layer::Program),
    ("rccar-drive", Layer::Program),
    ("rccar-host", Layer::Program),
    ("rccar-provision", Layer::Program),
    ("rccar-update", Layer::Program),
    ("rccar-modem", Layer::Program),
    ("rccar-fuzz", Layer::Program),
    ("rccar-layers", Layer::Program),
    ("rccar-modem-lab", Layer::Program),
    ("rccar-netlab", Layer::Program),
    ("rccar-require", Layer::Program),
    ("rccar", Layer::Collection),
];

/// Adapters that know a machine. `rccar-signaling` drives `rccar-rooms` for the host and for the car's own page alike.
pub const EXCEPTIONS: [(&str, &str); 1] = [("rccar-signaling", "rccar-rooms")];

/// Crates whose modules know each other in one direction only.
pub const WITHOUT_CIRCLES: [&str; 2] = ["rccar-car", "rccar-car-core"];

/// Modules of `rccar-car` that do not know each other: `run` introduces them.
pub const STRANGERS: [&str; 3] = ["agent", "session", "signaling"];

/// Crates that a machine has no use for: runtimes, sockets, files, clocks, randomness.
pub const NOT_IN_MACHINES: [&str; 16] = [
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

/// Names of the standard library that a machine has no use for.
pub const NOT_IN_SOURCES_OF_MACHINES: [&str; 8] =
    ["Instant::now", "SystemTime::now", "TcpStream", "UdpSocket", "UnixDatagram", "std::env", "std::fs", "std::thread"];

/// A package as `cargo metadata` describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The path of its `Cargo.toml`.
    pub manifest_path: std::path::PathBuf,
    /// The oldest compiler that it takes.
    pub rust_version: Option<String>,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
}

/// A dependency as `cargo metadata` describes it.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// Name of the package.
    pub name: String,
    /// `dev`, `build`, or `None` for a normal one.
    pub kind: Option<String>,
    /// Where it is, if it is in the workspace.
    pub path: Option<std::path::PathBuf>,
}

impl Dependency {
    fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// The layer of a crate.
#[must_use]
pub fn layer(name: &str) -> Option<Layer> {
    LAYERS.iter().find(|(listed, _)| *listed == name).map(|(_, layer)| *layer)
}

/// Crates that are in no layer, and layers' crates that do not exist.
#[must_use]
pub fn unlisted(workspace: &[Package]) -> Vec<String> {
    let unknown =
        workspace.iter().filter(|package| layer(&package.name).is_none()).map(|package| format!("{} is in no layer", package.name));
    let gone = LAYERS
        .iter()
        .filter(|(name, _)| !workspace.iter().any(|package| package.name == *name))
        .map(|(name, _)| format!("{name} is in a layer and not in the workspace"));
    unknown.chain(gone).collect()
}

/// Dependencies that do not point downward.
#[must_use]
pub fn upward(workspace: &[Package]) -> Vec<String> {
    let ours = |package: &Package| -> Vec<String> {
        let within = package.dependencies.iter().filter(|dependency| dependency.path.is_some() && !dependency.is_dev());
        within
            .filter(|dependency| !may_know(&package.name, &dependency.name))
            .map(|dependency| arrow(package, dependency))
            .collect()
    };
    workspace.iter().flat_map(ours).collect()
}

/// Machines that depend on a runtime, on sockets and the like.
#[must_use]
pub fn impure(workspace: &[Package]) -> Vec<String> {
    let machines = workspace.iter().filter(|package| layer(&package.name) == Some(Layer::Machine));
    let forbidden = |package: &Package| -> Vec<String> {
        let normal = package.dependencies.iter().filter(|dependency| !dependency.is_dev());
        normal
            .filter(|dependency| NOT_IN_MACHINES.contains(&dependency.name.as_str()))
            .map(|dependency| arrow(package, dependency))
            .collect()
    };
    machines.flat_map(forbidden).collect()
}

/// Packages that ask for a newer compiler than `limit`.
#[must_use]
pub fn too_new(packages: &[Package], limit: &str) -> Vec<String> {
    let newer = |package: &&Package| package.rust_version.as_deref().is_some_and(|asked| numbers(asked) > numbers(limit));
    let text = |package: &Package| {
        format!("{} {} asks for {}", package.name, package.version, package.rust_version.as_deref().unwrap_or(""))
    };
    packages.iter().filter(newer).map(text).collect()
}

fn may_know(from: &str, to: &str) -> bool {
    match (layer(from), layer(to)) {
        (Some(Layer::Adapter), Some(Layer::Machine)) => EXCEPTIONS.contains(&(from, to)),
        (Some(Layer::Machine | Layer::Words), Some(Layer::System)) => false,
        (Some(from), Some(to)) => from > to,
        // `unlisted` reports it.
        _ => true,
    }
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

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            manifest_path: "Cargo.toml".into(),
            rust_version: Some("1.94".to_owned()),
            dependencies: dependencies
                .iter()
                .map(|(name, kind)| Dependency {
                    name: (*name).to_owned(),
                    kind: kind.map(str::to_owned),
                    path: name.starts_with("rccar").then(|| "..".into()),
                })
                .collect(),
        }
    }

    #[test]
    fn arrows_that_point_up_or_sideways_are_found() {
        for (from, to) in [
            ("rccar-protocol", "rccar-sim"),
            ("rccar-rooms", "rccar-sim"),
            ("rccar-link", "rccar-media"),
            ("rccar-media", "rccar-sim"),
            ("rccar-host", "rccar-car"),
            ("rccar-car", "rccar"),
            ("rccar-rooms", "rccar-dmabuf-unsafe"),
        ] {
            assert_eq!(upward(&[package(from, &[(to, None)])]), [format!("{from} depends on {to}")]);
            assert_eq!(upward(&[package(from, &[(to, Some("build"))])]).len(), 1, "build dependencies count");
            assert!(upward(&[package(from, &[(to, Some("dev"))])]).is_empty(), "development dependencies do not");
        }
    }

    #[test]
    fn arrows_that_point_down_are_fine() {
        for (from, to) in [
            ("rccar-host", "rccar-rooms"),
            ("rccar-link", "rccar-protocol"),
            ("rccar-signaling", "rccar-rooms"),
            ("rccar", "rccar-car"),
        ] {
            assert!(upward(&[package(from, &[(to, None)])]).is_empty());
        }
    }

    #[test]
    fn machines_with_a_runtime_are_found() {
        assert_eq!(impure(&[package("rccar-rooms", &[("tokio", None)])]), ["rccar-rooms depends on tokio"]);
        assert!(impure(&[package("rccar-rooms", &[("tokio", Some("dev")), ("serde", None)])]).is_empty());
        assert!(impure(&[package("rccar-link", &[("tokio", None)])]).is_empty());
    }

    #[test]
    fn unlisted_and_vanished_crates_are_found() {
        let found = unlisted(&[package("rccar-new", &[])]);
        assert!(found.contains(&"rccar-new is in no layer".to_owned()));
        assert_eq!(found.len(), 1 + LAYERS.len());
    }

    #[test]
    fn compilers_are_compared_by_number() {
        assert!(too_new(&[package("a", &[])], "1.94").is_empty());
        assert!(too_new(&[package("a", &[])], "1.100").is_empty());
        assert_eq!(too_new(&[package("a", &[])], "1.93.1"), ["a 1.0.0 asks for 1.94"]);
    }
}
