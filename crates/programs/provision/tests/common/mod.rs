//! A car's tree in a folder.
#![allow(dead_code, reason = "each test file uses a part of it")]

use rccar_provision::apply::{Outcome, Places, apply};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) struct Card {
    pub(crate) directory: TempDir,
    pub(crate) places: Places,
}

impl Card {
    pub(crate) fn new(file: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let places = Places::new(directory.path());
        fs::create_dir_all(places.card()).unwrap();
        fs::create_dir_all(places.defaults()).unwrap();
        let card = Self { directory, places };
        card.default(
            "car.toml",
            "[camera]\nsource = \"libcamera\"\n[lan]\nlisten = [\"[::]:80\"]\n",
        );
        card.default("drive.toml", "actuator = \"simulator\"\n");
        card.file(file);
        card
    }

    pub(crate) fn file(&self, text: &str) {
        fs::write(self.places.file(), text).unwrap();
    }

    pub(crate) fn default(&self, name: &str, text: &str) {
        fs::write(self.places.defaults().join(name), text).unwrap();
    }

    pub(crate) fn start(&self) -> Outcome {
        apply(&self.places).unwrap()
    }

    pub(crate) fn config(&self, name: &str) -> toml::Table {
        fs::read_to_string(self.places.configs().join(name)).unwrap().parse().unwrap()
    }

    pub(crate) fn report(&self) -> String {
        fs::read_to_string(self.places.report()).unwrap()
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub(crate) fn tree(directory: &Path) -> BTreeMap<PathBuf, (i64, i64, u64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        match metadata.is_dir() {
            true => found.extend(tree(&entry.path())),
            false => {
                found.insert(
                    entry.path(),
                    (metadata.mtime(), metadata.mtime_nsec(), metadata.ino()),
                );
            }
        }
    }
    found
}
