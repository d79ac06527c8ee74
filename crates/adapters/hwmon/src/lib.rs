//! Sensors of the kernel (`Documentation/hwmon/sysfs-interface.rst`): each is a folder in
//! `/sys/class/hwmon` with a file `name`, and small files that hold a number each.
//!
//! Their numbers differ from start to start and from kernel to kernel; the name does not. **A call
//! may take as long as the sensor's bus does**: it belongs into a thread that nobody waits for.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests"))]

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Most entries of a folder that are looked at. A Raspberry Pi has a handful.
const MOST_ENTRIES: usize = 256;
/// Most bytes of a file. A name and a number are far shorter.
const MOST_BYTES: u64 = 64;

/// The folder in `root` whose file `label` (`name` for a sensor) holds one of `names`. Of several,
/// the one with the lowest number at its end.
///
/// ```no_run
/// use std::path::Path;
/// let sensor = rccar_hwmon::find(Path::new("/sys/class/hwmon"), "name", &["cpu_thermal"]);
/// let temperature = sensor.map(|folder| rccar_hwmon::number(&folder.join("temp1_input")));
/// ```
#[must_use]
pub fn find<N: AsRef<str>>(root: &Path, label: &str, names: &[N]) -> Option<PathBuf> {
    folders(root)
        .filter(|folder| {
            let name = text(&folder.join(label));
            name.is_ok_and(|name| names.iter().any(|wanted| wanted.as_ref() == name))
        })
        .min_by_key(|folder| (index(folder), folder.clone()))
}

/// What is in a folder, up to 256 entries; nothing if it cannot be read.
pub fn folders(root: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = std::fs::read_dir(root).into_iter().flatten();
    entries.take(MOST_ENTRIES).filter_map(|entry| Some(entry.ok()?.path()))
}

/// The text of a file without the space around it, as far as its first 64 bytes.
pub fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// The whole number in a file.
pub fn number(path: &Path) -> io::Result<i64> {
    let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "not a whole number");
    text(path)?.parse().map_err(invalid)
}

/// 10 of `hwmon10`.
fn index(folder: &Path) -> Option<u64> {
    let name = folder.file_name()?.to_str()?;
    name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(root: &Path, folder: &str, name: &str) -> PathBuf {
        let folder = root.join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("name"), format!("{name}\n")).unwrap();
        folder
    }

    #[test]
    fn a_sensor_is_found_by_its_name_and_the_lowest_number() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        sensor(root, "hwmon0", "cpu_thermal");
        sensor(root, "hwmon10", "ina226");
        let lowest = sensor(root, "hwmon2", "ina226");
        std::fs::create_dir(root.join("hwmon1")).unwrap();
        assert_eq!(find(root, "name", &["ina219", "ina226"]), Some(lowest));
        assert_eq!(find(root, "name", &["ina260"]), None);
        assert_eq!(find(&root.join("missing"), "name", &["ina226"]), None);
    }

    #[test]
    fn a_number_is_one_or_an_error() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("in1_input");
        for (content, wanted) in [("7400\n", Some(7_400)), ("-12", Some(-12)), ("12 V", None)] {
            std::fs::write(&file, content).unwrap();
            assert_eq!(number(&file).ok(), wanted, "{content}");
        }
        std::fs::write(&file, "9".repeat(10_000)).unwrap();
        assert!(number(&file).is_err());
        assert!(number(root.path()).is_err());
    }
}
