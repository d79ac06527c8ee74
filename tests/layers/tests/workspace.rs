//! The workspace keeps its rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use rccar_layers::modules::{self, Imports, circles};
use rccar_layers::{
    LAYERS, Layer, NOT_IN_SOURCES_OF_MACHINES, Package, STRANGERS, WITHOUT_CIRCLES, impure, layer, too_new, unlisted, upward,
};
use std::path::{Path, PathBuf};
use std::process::Command;

const NOTHING: [String; 0] = [];

#[test]
fn every_crate_is_in_a_layer() {
    assert_eq!(unlisted(&workspace()), NOTHING);
}

#[test]
fn dependencies_point_downward() {
    assert_eq!(upward(&workspace()), NOTHING);
}

#[test]
fn machines_depend_on_no_runtime_socket_clock_or_randomness() {
    assert_eq!(impure(&workspace()), NOTHING);
}

#[test]
fn sources_of_machines_touch_no_clock_file_socket_or_thread() {
    let workspace = workspace();
    let machines = workspace.iter().filter(|package| layer(&package.name) == Some(Layer::Machine));
    let sources: Vec<PathBuf> = machines.flat_map(|package| rust_files(&package.manifest_path.with_file_name("src"))).collect();
    assert!(sources.len() >= LAYERS.iter().filter(|(_, layer)| *layer == Layer::Machine).count());
    let mut found = Vec::new();
    for source in sources {
        let text = std::fs::read_to_string(&source).unwrap();
        // Tests come last in a file and may do what they like.
        let program = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let names = NOT_IN_SOURCES_OF_MACHINES.iter().filter(|name| program.contains(*name));
        found.extend(names.map(|name| format!("{} uses {name}", source.display())));
    }
    assert_eq!(found, NOTHING);
}

#[test]
fn modules_that_are_to_know_each_other_in_one_direction_do() {
    for name in WITHOUT_CIRCLES {
        let imports = imports(name);
        assert!(imports.len() > 3, "the modules of {name} are found: {imports:?}");
        assert_eq!(circles(&imports), NOTHING, "{name}");
    }
}

#[test]
fn agent_session_and_signaling_do_not_know_each_other() {
    let imports = imports("rccar-car");
    for module in STRANGERS {
        let known: Vec<_> = STRANGERS.into_iter().filter(|other| imports[module].contains(*other)).collect();
        assert_eq!(known, [""; 0], "{module} imports others");
    }
}

/// `%error` would print what failed, and hide why.
#[test]
fn logs_tell_errors_with_their_causes() {
    // Published by itself, and so without the project's own crates; its errors have their causes in their text.
    let alone = ["tokio-modem-manager"];
    let packages = workspace().into_iter().filter(|package| !alone.contains(&package.name.as_str()));
    let sources: Vec<PathBuf> = packages.flat_map(|package| rust_files(&package.manifest_path.with_file_name("src"))).collect();
    assert!(sources.len() > 100, "{} files", sources.len());
    let mut found = Vec::new();
    for source in sources {
        let text = std::fs::read_to_string(&source).unwrap();
        let bare =
            text.match_indices("%error").filter(|(at, _)| !text[at + 6..].starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        found.extend(bare.map(|(at, _)| format!("{}:{}", source.display(), text[..at].lines().count())));
    }
    assert_eq!(found, NOTHING);
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let root = manifest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"));
    assert_eq!(root["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let without: Vec<String> = workspace()
        .into_iter()
        // Crates named for it may hold unsafe code; everything else forbids it.
        .filter(|package| !package.name.ends_with("-unsafe"))
        .filter(|package| {
            let manifest = manifest(&package.manifest_path);
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true)
        })
        .map(|package| package.name)
        .collect();
    assert_eq!(without, NOTHING);
}

#[test]
fn no_package_asks_for_a_newer_compiler_than_the_workspace() {
    // Packages for other systems need not be there.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let packages = metadata(&["--filter-platform", &platform]);
    assert!(packages.len() > LAYERS.len(), "the whole tree is listed");
    let limit = workspace().into_iter().find_map(|package| package.rust_version).unwrap();
    assert_eq!(too_new(&packages, &limit), NOTHING);
}

fn imports(name: &str) -> Imports {
    let package = workspace().into_iter().find(|package| package.name == name).unwrap();
    let source = package.manifest_path.with_file_name("src");
    let mut imports = Imports::new();
    for file in rust_files(&source) {
        modules::add(&mut imports, file.strip_prefix(&source).unwrap(), &std::fs::read_to_string(&file).unwrap());
    }
    imports
}

#[test]
fn the_compiler_of_rustup_is_no_older_than_the_workspace_asks_for() {
    let toolchain = manifest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rust-toolchain.toml"));
    assert_eq!(too_new(&workspace(), toolchain["toolchain"]["channel"].as_str().unwrap()), NOTHING);
}

fn workspace() -> Vec<Package> {
    metadata(&["--no-deps", "--offline"])
}

fn metadata(arguments: &[&str]) -> Vec<Package> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Metadata>(&output.stdout).unwrap().packages
}

fn manifest(path: &Path) -> toml::Value {
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
