//! The battery's voltage as the kernel's hwmon shows it (`Documentation/hwmon/ina2xx.rst`): a
//! folder with a file `name`, and `in1_input`, the voltage on the bus in mV.
//!
//! A chip on an I²C bus can take its time, and a bus can hang. So **a thread of its own reads; the
//! loop only looks at what was read last**, and never waits. A reading older than [`STALE`] is
//! none, also when the thread hangs in the kernel.

use super::Sensor;
use rccar_causes::causes;
use rccar_daemon::clock;
use rccar_drive_core::battery::STALE;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Names of the sensors that count if the configuration names none.
pub const NAMES: [&str; 3] = ["ina219", "ina226", "ina260"];

/// How often the voltage is read. A battery changes more slowly, and the chips average over less.
const PERIOD: Duration = Duration::from_millis(500);
/// Bits of a voltage in [`Latest`].
const VOLTAGE_BITS: u32 = 16;

/// The last reading in one word, so that neither side can keep the other waiting: ms of the clock,
/// and below them mV. Zero is none.
type Latest = AtomicU64;

/// Measures the battery by a sensor of the kernel. When it is dropped, its thread ends with its
/// next reading.
#[derive(Debug)]
pub struct Hwmon {
    latest: Arc<Latest>,
}

impl Hwmon {
    /// Starts the thread, which looks in `root` (`/sys/class/hwmon`) for a sensor with this name,
    /// or with one of [`NAMES`]. It goes on looking while there is none.
    ///
    /// # Errors
    /// If the system refuses the thread.
    pub fn start(root: &Path, name: Option<&str>) -> io::Result<Self> {
        let latest = Arc::new(Latest::default());
        let reader = Reader {
            root: root.to_owned(),
            names: name.map_or_else(|| NAMES.map(str::to_owned).to_vec(), |name| vec![name.into()]),
            latest: Arc::downgrade(&latest),
        };
        std::thread::Builder::new().name("battery".into()).spawn(move || reader.run())?;
        Ok(Self { latest })
    }

    fn battery_at(&self, now: MonotonicMicros) -> Option<u16> {
        let word = self.latest.load(Ordering::Relaxed);
        let at = MonotonicMicros((word >> VOLTAGE_BITS).saturating_mul(1_000));
        let millivolts = u16::try_from(word & u64::from(u16::MAX)).ok()?;
        (word != 0 && now.since(at) <= STALE).then_some(millivolts)
    }
}

impl Sensor for Hwmon {
    fn battery_mv(&self) -> Option<u16> {
        self.battery_at(clock::now())
    }
}

/// The thread's part.
struct Reader {
    root: PathBuf,
    names: Vec<String>,
    latest: Weak<Latest>,
}

/// What is wrong, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Missing,
    Unreadable,
}

impl Reader {
    fn run(self) {
        let mut known = None;
        // What the log knows, and how often that has changed.
        let (mut reported, mut changes) = (None, 0_u64);
        loop {
            // Before the reading: one that took long is as old as it may be.
            let at = clock::now();
            // A sensor may come back under another number.
            let found: Option<PathBuf> = known.take().or_else(|| self.find());
            let (trouble, reading) = match &found {
                None => (Trouble::Missing, Err(io::ErrorKind::NotFound.into())),
                Some(folder) => match voltage(folder) {
                    Ok(millivolts) => (Trouble::None, Ok(millivolts)),
                    Err(error) => (Trouble::Unreadable, Err(error)),
                },
            };
            // Ends with its owner.
            let Some(latest) = self.latest.upgrade() else { return };
            if let Ok(millivolts) = reading {
                let word = ((at.0 / 1_000) << VOLTAGE_BITS) | u64::from(millivolts);
                latest.store(word, Ordering::Relaxed);
                known.clone_from(&found);
            }
            if reported.replace(trouble) != Some(trouble) {
                changes += 1;
                // One line for each doubling, so that a loose wire does not fill the journal.
                if changes.is_power_of_two() {
                    self.report(trouble, found.as_deref(), reading.err());
                }
            }
            drop(latest);
            std::thread::sleep(PERIOD);
        }
    }

    fn report(&self, trouble: Trouble, folder: Option<&Path>, error: Option<io::Error>) {
        let folder = folder.unwrap_or(&self.root).display();
        match (trouble, error) {
            (Trouble::Missing, _) => {
                let names = self.names.join(", ");
                tracing::warn!(%folder, names, "no sensor of the battery: none has such a name");
            }
            (Trouble::Unreadable, Some(error)) => {
                let error = causes(&error).to_string();
                tracing::warn!(%folder, error, "cannot read the battery's voltage (in1_input)");
            }
            (Trouble::None | Trouble::Unreadable, _) => {
                tracing::info!(%folder, "a sensor measures the battery");
            }
        }
    }

    fn find(&self) -> Option<PathBuf> {
        rccar_hwmon::find(&self.root, "name", &self.names)
    }
}

/// In mV. A voltage beyond 65 V is reported as 65.535 V, which no battery has.
fn voltage(folder: &Path) -> io::Result<u16> {
    let millivolts = rccar_hwmon::number(&folder.join("in1_input"))?;
    // A chip that is wired the other way round may read below zero.
    Ok(u16::try_from(millivolts.max(0)).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Longest wait for the thread.
    const PATIENCE: Duration = Duration::from_secs(20);

    struct Sysfs(tempfile::TempDir);

    impl Sysfs {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn sensor(&self, folder: &str, name: &str, in1: Option<&str>) -> PathBuf {
            let folder = self.0.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("name"), format!("{name}\n")).unwrap();
            if let Some(text) = in1 {
                std::fs::write(folder.join("in1_input"), text).unwrap();
            }
            folder
        }

        fn start(&self, name: Option<&str>) -> Hwmon {
            Hwmon::start(self.0.path(), name).unwrap()
        }
    }

    fn await_battery(hwmon: &Hwmon, wanted: Option<u16>) {
        let started = Instant::now();
        while hwmon.battery_mv() != wanted {
            assert!(started.elapsed() < PATIENCE, "{:?}, not {wanted:?}", hwmon.battery_mv());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_sensor_is_found_by_its_name_and_the_lowest_number() {
        let sysfs = Sysfs::new();
        sysfs.sensor("hwmon0", "cpu_thermal", Some("1"));
        sysfs.sensor("hwmon10", "ina226", Some("2"));
        sysfs.sensor("hwmon2", "ina260", Some("7912\n"));
        sysfs.sensor("hwmon3", "ina219", Some("3"));
        std::fs::create_dir(sysfs.0.path().join("hwmon1")).unwrap();
        await_battery(&sysfs.start(None), Some(7_912));
        await_battery(&sysfs.start(Some("ina226")), Some(2));
        await_battery(&sysfs.start(Some("cpu_thermal")), Some(1));
    }

    #[test]
    fn a_sensor_that_comes_later_or_under_another_number_is_found() {
        let sysfs = Sysfs::new();
        let hwmon = sysfs.start(None);
        assert_eq!(hwmon.battery_mv(), None);
        let first = sysfs.sensor("hwmon4", "ina219", Some("7400\n"));
        await_battery(&hwmon, Some(7_400));
        std::fs::remove_dir_all(first).unwrap();
        sysfs.sensor("hwmon5", "ina219", Some("7300\n"));
        await_battery(&hwmon, Some(7_300));
    }

    #[test]
    fn a_sensor_that_vanishes_or_holds_rubbish_has_no_reading_after_three_seconds() {
        for rubbish in
            [None, Some(""), Some("12 V\n"), Some("99999999999999999999999"), Some("nan")]
        {
            let sysfs = Sysfs::new();
            let folder = sysfs.sensor("hwmon0", "ina226", Some("7400\n"));
            let hwmon = sysfs.start(None);
            await_battery(&hwmon, Some(7_400));
            let now = clock::now();
            match rubbish {
                None => std::fs::remove_dir_all(&folder).unwrap(),
                Some(text) => std::fs::write(folder.join("in1_input"), text).unwrap(),
            }
            assert_eq!(hwmon.battery_at(now), Some(7_400), "one gap is nothing");
            await_battery(&hwmon, None);
            assert!(clock::now().since(now) >= STALE - 2 * PERIOD);
        }
    }

    #[test]
    fn a_sensor_that_hangs_keeps_nobody_waiting() {
        let sysfs = Sysfs::new();
        let folder = sysfs.sensor("hwmon0", "ina226", Some("7400\n"));
        let hwmon = sysfs.start(None);
        await_battery(&hwmon, Some(7_400));
        // To open a FIFO for reading takes until somebody writes.
        let fifo = folder.join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::fs::rename(&fifo, folder.join("in1_input")).unwrap();
        await_battery(&hwmon, None);
        let started = Instant::now();
        for _ in 0..1_000 {
            assert_eq!(hwmon.battery_mv(), None);
        }
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        // Now the thread ends, and so does the test's.
        drop(hwmon);
        std::fs::write(folder.join("in1_input"), "7000\n").unwrap();
    }

    #[test]
    fn voltages_that_no_battery_has_stay_what_they_are_or_come_close() {
        let sysfs = Sysfs::new();
        for (text, millivolts) in
            [("0\n", 0), ("-120\n", 0), ("70000\n", u16::MAX), ("65535", 65_535)]
        {
            let folder = sysfs.sensor("hwmon0", "ina226", Some(text));
            assert_eq!(voltage(&folder).unwrap(), millivolts);
        }
    }
}
