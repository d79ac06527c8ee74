//! Temperature, supply, storage and load of the computer, as the kernel shows them.
//!
//! A file of the kernel can take its time: the firmware answers for the supply, and a storage chip
//! for its wear. So **a thread of its own reads**, and telemetry takes what is there. What was read
//! too long ago is none ([`rccar_car_core::computer`]).

use rccar_car_core::computer::{Health, Reading};
use rccar_daemon::clock;
use rccar_protocol::sensors::{Computer, HeatLevel, Share, SupplyLevel};
use rccar_protocol::units::MonotonicMicros;
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::watch;

/// How often everything but the wear is read.
const PERIOD: Duration = Duration::from_secs(2);
/// Storage wears by a tenth in months: it is asked every ten minutes.
const WEAR_PERIODS: u32 = 300;

/// Names of the processor's sensor: Raspberry Pi 3 and 4 (`bcm2835_thermal`, `bcm2711_thermal`),
/// others with a device tree, then PCs (`coretemp`, `k10temp`).
const THERMAL: [&str; 6] =
    ["cpu_thermal", "bcm2711_thermal", "bcm2835_thermal", "soc_thermal", "coretemp", "k10temp"];
/// The same as a zone of `/sys/class/thermal`, where it is not in hwmon.
const ZONES: [&str; 3] = ["cpu-thermal", "cpu_thermal", "soc-thermal"];
/// Watches the 5 V of a Raspberry Pi (`drivers/hwmon/raspberrypi-hwmon.c`).
const SUPPLY: [&str; 1] = ["rpi_volt"];

/// `[computer]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ComputerConfig {
    /// Where the kernel shows its devices.
    pub(crate) sys: PathBuf,
    /// Where the kernel shows load and uptime.
    pub(crate) proc: PathBuf,
}

impl Default for ComputerConfig {
    fn default() -> Self {
        Self { sys: "/sys".into(), proc: "/proc".into() }
    }
}

/// What the thread knows; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct ComputerWatch(watch::Receiver<Health>);

impl ComputerWatch {
    /// Starts the thread. It ends when nobody watches any more.
    pub(crate) fn start(config: &ComputerConfig) -> io::Result<Self> {
        let (publish, health) = watch::channel(Health::default());
        let mut files = Files { config: config.clone(), wear: None, reads: 0 };
        std::thread::Builder::new().name("computer".into()).spawn(move || {
            while !publish.is_closed() {
                // Before the reading: one that took long is as old as it may be.
                let at = clock::now();
                let reading = files.read();
                let mut news = false;
                publish.send_modify(|health| news = health.handle_reading(at, reading));
                if news {
                    report(publish.borrow().computer(at));
                }
                std::thread::sleep(PERIOD);
            }
        })?;
        Ok(Self(health))
    }

    /// `None`: nothing was read lately.
    pub(crate) fn now(&self, now: MonotonicMicros) -> Option<Computer> {
        self.0.borrow().computer(now)
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(watch::channel(Health::default()).1)
    }
}

fn report(computer: Option<Computer>) {
    let Some(Computer { temperature, heat, supply, .. }) = computer else { return };
    let degrees = temperature.map(|value| value / 10);
    if supply == SupplyLevel::Sags {
        tracing::warn!("the 5 V supply sags: the computer may restart");
    }
    match heat {
        HeatLevel::Warm | HeatLevel::Hot => {
            tracing::warn!(degrees, heat = heat.as_str(), "the computer's temperature");
        }
        HeatLevel::Unknown => tracing::info!("nothing measures the computer's temperature"),
        HeatLevel::Good | HeatLevel::Other(_) => {
            tracing::info!(degrees, supply = supply.as_str(), "the computer's temperature");
        }
    }
}

/// The kernel's files.
struct Files {
    config: ComputerConfig,
    wear: Option<Share>,
    reads: u32,
}

impl Files {
    fn read(&mut self) -> Reading {
        if self.reads.is_multiple_of(WEAR_PERIODS) {
            self.wear = wear(&self.config.sys.join("bus/mmc/devices"));
        }
        self.reads = self.reads.wrapping_add(1);
        let hwmon = self.config.sys.join("class/hwmon");
        Reading {
            temperature: temperature(&hwmon, &self.config.sys.join("class/thermal")),
            supply_low: rccar_hwmon::find(&hwmon, "name", &SUPPLY)
                .and_then(|folder| rccar_hwmon::number(&folder.join("in0_lcrit_alarm")).ok())
                .map(|alarm| alarm != 0),
            wear: self.wear,
            load: load(&self.config.proc.join("loadavg")),
            uptime_s: uptime(&self.config.proc.join("uptime")).unwrap_or_default(),
        }
    }
}

/// In 1/10 °C; the kernel says 1/1000.
fn temperature(hwmon: &Path, thermal: &Path) -> Option<i16> {
    // The best name first, not the lowest number: a PC's `coretemp` may come before it.
    let sensors = THERMAL.iter().filter_map(|name| rccar_hwmon::find(hwmon, "name", &[name]));
    let files = sensors
        .map(|folder| folder.join("temp1_input"))
        .chain(rccar_hwmon::find(thermal, "type", &ZONES).map(|folder| folder.join("temp")));
    let millidegrees = files.filter_map(|file| rccar_hwmon::number(&file).ok()).next()?;
    i16::try_from(millidegrees / 100).ok()
}

/// Of the eMMC that has worn most (JESD84-B51, DEVICE_LIFE_TIME_EST_TYP_A and _B: 1 is up to a
/// tenth, 10 is up to the whole, 11 is more, 0 is unknown). An SD card has no such figure.
fn wear(devices: &Path) -> Option<Share> {
    rccar_hwmon::folders(devices)
        .filter_map(|device| rccar_hwmon::text(&device.join("life_time")).ok())
        .flat_map(|text| {
            let tenths = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
            text.split_whitespace().filter_map(tenths).collect::<Vec<_>>()
        })
        .filter(|tenths| (1..=11).contains(tenths))
        .max()
        .map(|tenths| Share::saturating(tenths * 10))
}

/// `0.52 0.58 0.59 1/467 1234`: the first is the mean of a minute.
fn load(file: &Path) -> Option<Share> {
    let text = rccar_hwmon::text(file).ok()?;
    let mean: f64 = text.split_whitespace().next()?.parse().ok()?;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    #[expect(clippy::cast_precision_loss, reason = "a handful of processors")]
    let percent = (mean * 100.0 / processors as f64).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just checked")]
    (0.0..1e6).contains(&percent).then(|| Share::saturating(percent as u32))
}

/// `350735.47 234388.90`: the first is the time since the start in seconds.
fn uptime(file: &Path) -> Option<u32> {
    let text = rccar_hwmon::text(file).ok()?;
    text.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            machine.file("proc/loadavg", "0.52 0.58 0.59 1/467 1234\n");
            machine.file("proc/uptime", "350735.47 234388.90\n");
            machine
        }

        fn file(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn config(&self) -> ComputerConfig {
            let place = |name| self.0.path().join(name);
            ComputerConfig { sys: place("sys"), proc: place("proc") }
        }

        fn read(&self) -> Reading {
            Files { config: self.config(), wear: None, reads: 0 }.read()
        }
    }

    #[test]
    fn a_raspberry_pi_4_says_all_but_its_wear() {
        let machine = Machine::new();
        machine.file("sys/class/hwmon/hwmon0/name", "rpi_volt\n");
        machine.file("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
        machine.file("sys/class/hwmon/hwmon1/name", "cpu_thermal\n");
        machine.file("sys/class/hwmon/hwmon1/temp1_input", "58426\n");
        machine.file("sys/bus/mmc/devices/mmc0:aaaa/type", "SD\n");
        let reading = machine.read();
        assert_eq!(
            (reading.temperature, reading.supply_low, reading.wear, reading.uptime_s),
            (Some(584), Some(true), None, 350_735)
        );
        assert!(reading.load.is_some());
        machine.file("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0\n");
        assert_eq!(machine.read().supply_low, Some(false));
    }

    #[test]
    fn a_raspberry_pi_5_has_no_sensor_of_its_temperature() {
        let machine = Machine::new();
        machine.file("sys/class/hwmon/hwmon0/name", "rp1_adc\n");
        machine.file("sys/class/hwmon/hwmon0/temp1_input", "40000\n");
        let reading = machine.read();
        assert_eq!((reading.temperature, reading.supply_low), (None, None));
    }

    #[test]
    fn a_zone_counts_where_hwmon_has_no_sensor() {
        let machine = Machine::new();
        machine.file("sys/class/thermal/thermal_zone0/type", "gpu-thermal\n");
        machine.file("sys/class/thermal/thermal_zone0/temp", "1000\n");
        machine.file("sys/class/thermal/thermal_zone1/type", "cpu-thermal\n");
        machine.file("sys/class/thermal/thermal_zone1/temp", "-1250\n");
        assert_eq!(machine.read().temperature, Some(-12));
    }

    #[test]
    fn an_emmc_says_how_much_of_its_life_is_used() {
        for (text, wear) in [
            ("0x01 0x03\n", Some(30)),
            ("0x0b 0x01\n", Some(100)),
            ("0x00 0x00\n", None),
            ("0x0f 0xff\n", None),
            ("soon\n", None),
        ] {
            let machine = Machine::new();
            machine.file("sys/bus/mmc/devices/mmc0:0001/life_time", text);
            assert_eq!(machine.read().wear.map(Share::percent), wear, "{text}");
        }
    }

    #[test]
    fn rubbish_is_unknown() {
        let machine = Machine::new();
        machine.file("proc/loadavg", "nan\n");
        machine.file("proc/uptime", "");
        machine.file("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
        machine.file("sys/class/hwmon/hwmon0/temp1_input", "hot\n");
        machine.file("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
        machine.file("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "");
        assert_eq!(machine.read(), Reading::default());
    }

    #[test]
    fn the_thread_reads_and_what_is_gone_is_said_so() {
        let machine = Machine::new();
        machine.file("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
        machine.file("sys/class/hwmon/hwmon0/temp1_input", "81500\n");
        let computer = ComputerWatch::start(&machine.config()).unwrap();
        let started = Instant::now();
        let until = |wanted: (Option<i16>, HeatLevel)| {
            loop {
                let now = computer.now(clock::now());
                if now.is_some_and(|now| (now.temperature, now.heat) == wanted) {
                    return;
                }
                assert!(started.elapsed() < Duration::from_secs(20), "{now:?}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        until((Some(815), HeatLevel::Hot));
        std::fs::remove_dir_all(machine.config().sys).unwrap();
        until((None, HeatLevel::Unknown));
    }
}
