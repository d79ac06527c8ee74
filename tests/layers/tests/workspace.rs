//! The workspace keeps its rules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_layers::modules::{self, Imports, circles};
use rccar_layers::{
    COLLECTION, Layer, NOT_IN_SOURCES_OF_CORES, Package, STRANGERS, WITHOUT_CIRCLES, Workspace,
    too_new,
};
use std::path::{Path, PathBuf};
use std::process::Command;

const NOTHING: [String; 0] = [];

#[test]
fn every_crate_is_in_the_folder_of_a_layer() {
    let workspace = workspace();
    assert_eq!(workspace.elsewhere(), NOTHING);
    for layer in [Layer::System, Layer::Words, Layer::Core, Layer::Adapter, Layer::Program] {
        assert!(workspace.packages_of(layer).next().is_some(), "{layer:?} has a crate");
    }
}

#[test]
fn dependencies_point_downward() {
    assert_eq!(workspace().upward(), NOTHING);
}

#[test]
fn cores_depend_on_no_runtime_socket_clock_or_randomness() {
    assert_eq!(workspace().impure(), NOTHING);
}

#[test]
fn sources_of_cores_touch_no_clock_file_socket_or_thread() {
    let workspace = workspace();
    let cores: Vec<_> = workspace.packages_of(Layer::Core).collect();
    let sources: Vec<PathBuf> = cores
        .iter()
        .flat_map(|package| rust_files(&package.manifest_path.with_file_name("src")))
        .collect();
    assert!(sources.len() >= cores.len());
    let mut found = Vec::new();
    for source in sources {
        let text = std::fs::read_to_string(&source).unwrap();
        // Tests come last in a file and may do what they like.
        let program = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let names = NOT_IN_SOURCES_OF_CORES.iter().filter(|name| program.contains(*name));
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
fn lease_session_and_signaling_do_not_know_each_other() {
    let imports = imports("rccar-car");
    for module in STRANGERS {
        let known: Vec<_> =
            STRANGERS.into_iter().filter(|other| imports[module].contains(*other)).collect();
        assert_eq!(known, [""; 0], "{module} imports others");
    }
}

/// Whoever has read one program finds the way in the others.
#[test]
fn programs_have_the_same_parts() {
    let workspace = workspace();
    let programs = workspace
        .packages_of(Layer::Program)
        .filter(|package| package.manifest_path.starts_with(workspace.root.join("crates")));
    let mut missing = Vec::new();
    for program in programs.filter(|package| package.name != COLLECTION) {
        // What sets the card up has its settings from the card, and no configuration.
        let parts = match program.name.as_str() {
            "rccar-provision" => &["main.rs", "lib.rs", "cli.rs", "run.rs", "error.rs"][..],
            _ => &[
                "main.rs",
                "lib.rs",
                "cli.rs",
                "config.rs",
                "run.rs",
                "error.rs",
                "../config.toml",
            ][..],
        };
        let source = program.manifest_path.with_file_name("src");
        let gone = parts.iter().map(|part| source.join(part)).filter(|path| !path.is_file());
        missing.extend(gone.map(|path| path.display().to_string()));
    }
    assert_eq!(missing, NOTHING);
}

/// `%error` would print what failed, and hide why.
#[test]
fn logs_tell_errors_with_their_causes() {
    // Published by itself, and so without the project's own crates; its errors have their causes in
    // their text.
    let alone = ["tokio-modem-manager"];
    let packages =
        workspace().packages.into_iter().filter(|package| !alone.contains(&package.name.as_str()));
    let sources: Vec<PathBuf> = packages
        .flat_map(|package| rust_files(&package.manifest_path.with_file_name("src")))
        .collect();
    assert!(sources.len() > 100, "{} files", sources.len());
    let mut found = Vec::new();
    for source in sources {
        let text = std::fs::read_to_string(&source).unwrap();
        let bare = text.match_indices("%error").filter(|(at, _)| {
            !text[at + 6..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
        });
        found.extend(
            bare.map(|(at, _)| format!("{}:{}", source.display(), text[..at].lines().count())),
        );
    }
    assert_eq!(found, NOTHING);
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let root = manifest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"));
    assert_eq!(root["workspace"]["lints"]["rust"]["unsafe_code"].as_str(), Some("forbid"));
    let without: Vec<String> = workspace()
        .packages
        .into_iter()
        // Crates named for it may hold unsafe code; everything else forbids it.
        .filter(|package| !package.name.ends_with("-unsafe"))
        .filter(|package| {
            let manifest = manifest(&package.manifest_path);
            manifest
                .get("lints")
                .and_then(|lints| lints.get("workspace"))
                .and_then(toml::Value::as_bool)
                != Some(true)
        })
        .map(|package| package.name)
        .collect();
    assert_eq!(without, NOTHING);
}

#[test]
fn no_package_asks_for_a_newer_compiler_than_the_workspace() {
    // Packages for other systems need not be there.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let packages: Vec<Package> = metadata(&["--filter-platform", &platform]).packages;
    let ours = workspace().packages;
    assert!(packages.len() > ours.len(), "the whole tree is listed");
    let limit = ours.into_iter().find_map(|package| package.rust_version).unwrap();
    assert_eq!(too_new(&packages, &limit), NOTHING);
}

fn imports(name: &str) -> Imports {
    let package = workspace().packages.into_iter().find(|package| package.name == name).unwrap();
    let source = package.manifest_path.with_file_name("src");
    let mut imports = Imports::new();
    for file in rust_files(&source) {
        modules::add(
            &mut imports,
            file.strip_prefix(&source).unwrap(),
            &std::fs::read_to_string(&file).unwrap(),
        );
    }
    imports
}

#[test]
fn the_compiler_of_rustup_is_no_older_than_the_workspace_asks_for() {
    let toolchain =
        manifest(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rust-toolchain.toml"));
    assert_eq!(
        too_new(&workspace().packages, toolchain["toolchain"]["channel"].as_str().unwrap()),
        NOTHING
    );
}

fn workspace() -> Workspace {
    metadata(&["--no-deps", "--offline"])
}

/// The workspace, and with other arguments all packages of its tree in the place of its members.
fn metadata(arguments: &[&str]) -> Workspace {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
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
