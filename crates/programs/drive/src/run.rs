//! The commands `run` and `neutral`: they put the parts together.

use crate::actuator;
use crate::calibration::{self, Calibrator};
use crate::config::Config;
use crate::error::DriveError;
use crate::guard::Guard;
use crate::heartbeat::Heartbeat;
use crate::realtime;
use crate::recorder::Recorder;
use crate::sensor::hall::Hall;
use crate::sensor::hwmon::Hwmon;
use crate::shell::Shell;
use crate::socket::DriveSocket;
use crate::switches::Switches;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rccar_daemon::{clock, logging, notify};
use rccar_drive_core::Machine;
use std::io;
use std::path::Path;

/// Drives until a signal ends it. `path`: of the configuration, which the guard reads as well.
pub(crate) fn run(config: &Config, path: &Path) -> Result<(), DriveError> {
    logging::init("rccar-drive");
    let signals = catch_signals()?;
    let calibrator =
        Calibrator::start(config).map_err(os("start the thread that writes the calibration"))?;
    if let Some(mistake) = calibrator.mistake() {
        tracing::error!(mistake, "the calibration has a mistake: the car cannot be armed");
    }
    let config = &calibrator.config().clone();
    let machine = Machine::new(config.settings())?;
    let socket = DriveSocket::bind(&config.socket)?;
    let recorder = Recorder::start(config.trace.as_deref()).map_err(os("open the trace"))?;
    let mut hardware = actuator::open(config)?;
    let battery = config.battery.battery()?;
    if config.battery.is_faulty() {
        tracing::warn!("[battery] of provision.toml has a mistake: nothing guards the battery");
    }
    if battery.is_some() {
        let sensor = Hwmon::start(&config.battery.hwmon, config.battery.name.as_deref())
            .map_err(os("start the thread that reads the battery"))?;
        hardware.sensors.push(Box::new(sensor));
    }
    if let Some((line, settings)) = config.speed.sensor() {
        let sensor =
            Hall::start(line, settings).map_err(os("start the thread that reads the speed"))?;
        hardware.sensors.push(Box::new(sensor));
    }
    // After the threads of recorder and sensors are started, which are not to have the priority.
    if config.realtime {
        realtime::enable(realtime::DRIVE);
    }
    let mut shell = Shell::new(machine, battery, hardware, calibrator, socket, recorder)
        .guarded_by(Guard::new(path))
        .with_heartbeat(config.heartbeat_line.as_ref().map(Heartbeat::new))
        .with_switches(Switches::new(config));
    tracing::info!(socket = %config.socket.display(), "listening for set-points");
    notify::ready();
    shell.run(&signals).map_err(os("wait for set-points"))?;
    // Puts the actuators at neutral, which the log line reports.
    drop(shell);
    tracing::info!("stopped, the actuators are at neutral");
    Ok(())
}

/// Puts the actuators at neutral.
pub(crate) fn neutral(config: &Config) -> Result<(), DriveError> {
    // The core's first output is neutral, with the trim of the calibration.
    let calibrated = calibration::read(config).ok().flatten();
    let config = calibrated.as_ref().unwrap_or(config);
    let output = Machine::new(config.settings())?.output();
    Ok(actuator::open(config)?.actuator.apply(clock::now(), output)?)
}

/// SIGTERM and SIGINT as a descriptor to poll. Threads that start later inherit the mask, so that
/// none of them takes a signal.
fn catch_signals() -> Result<SignalFd, DriveError> {
    let mut caught = SigSet::empty();
    caught.add(Signal::SIGTERM);
    caught.add(Signal::SIGINT);
    caught
        .thread_block()
        .and_then(|()| {
            SignalFd::with_flags(&caught, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        })
        .map_err(|error| os("catch signals")(error.into()))
}

fn os(action: &'static str) -> impl Fn(io::Error) -> DriveError {
    move |source| DriveError::Os { action, source }
}
