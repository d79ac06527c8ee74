//! Runs every target over the committed corpus and over the golden vectors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use rccar_fuzz::{TARGETS, Target};
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[test]
fn every_target_survives_its_corpus() {
    for (name, target) in TARGETS {
        let files = files(&here().join("corpus").join(name));
        assert!(!files.is_empty(), "the corpus of {name} is empty");
        for file in files {
            run(*target, &fs::read(&file).unwrap(), &file.display().to_string());
        }
    }
}

#[test]
fn every_target_survives_the_vectors_of_its_parser() {
    for file in ["control", "telemetry", "setpoint", "status"] {
        for vector in vectors(file).into_iter().chain(vectors(&format!("{file}-2"))) {
            run(target(file), &hex::decode(text(&vector, "hex")).unwrap(), text(&vector, "name"));
        }
    }
    for vector in vectors("drive-hello") {
        run(
            target("drive_hello"),
            &hex::decode(text(&vector, "hex")).unwrap(),
            text(&vector, "name"),
        );
    }
    for vector in ["signaling", "events", "drive"].into_iter().flat_map(vectors) {
        let direction = text(&vector, "direction").replace('-', "_");
        run(target(&direction), text(&vector, "json").as_bytes(), text(&vector, "name"));
    }
    for vector in vectors("offer") {
        run(target("release_offer"), text(&vector, "json").as_bytes(), text(&vector, "name"));
    }
}

#[test]
fn every_target_has_a_corpus_and_a_program_for_libfuzzer() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| name.to_string()).collect();
    let corpora = fs::read_dir(here().join("corpus")).unwrap();
    let corpora: BTreeSet<String> =
        corpora.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(corpora, targets);
    let programs = files(&here().join("libfuzzer/fuzz_targets"));
    let programs: BTreeSet<String> = programs
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(programs, targets);
    let manifest = fs::read_to_string(here().join("libfuzzer/Cargo.toml")).unwrap();
    for name in targets {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "libfuzzer/Cargo.toml has no program {name}"
        );
    }
}

fn run(target: Target, data: &[u8], what: &str) {
    assert!(catch_unwind(AssertUnwindSafe(|| target(data))).is_ok(), "{what}: see the panic above");
}

fn target(name: &str) -> Target {
    TARGETS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no target {name}")).1
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn vectors(file: &str) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(here().join("../vectors").join(format!("{file}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text<'a>(vector: &'a serde_json::Value, key: &str) -> &'a str {
    vector[key].as_str().unwrap_or_else(|| panic!("a vector has no {key}: {vector}"))
}
