//! What moves the car: one trait, one file for each kind of hardware.

mod simulator;

use crate::config::{ActuatorKind, Config};
use rccar_drive_core::Output;
use rccar_protocol::units::{MonotonicMicros, Odometry};
pub use simulator::Simulator;

/// The actuators of one car.
pub trait Actuator {
    /// Puts `output` on servo and motor, where it stays until the next call. Called at 200 Hz while the car moves.
    ///
    /// Must return well within a tick of 5 ms.
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError>;

    /// Speed and pose, if this hardware knows them.
    fn odometry(&self) -> Option<Odometry> {
        None
    }

    /// Battery voltage in mV, if this hardware knows it.
    fn battery_mv(&self) -> Option<u16> {
        None
    }
}

/// The actuators do not obey.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct ActuatorError {
    /// What was tried.
    pub what: &'static str,
    /// What came of it.
    pub why: std::io::Error,
}

/// Opens the actuators that the configuration names. They are where they were: nothing moves yet.
pub fn open(config: &Config) -> Result<Box<dyn Actuator>, ActuatorError> {
    match config.actuator {
        ActuatorKind::Simulator => Ok(Box::new(Simulator::new(config.vehicle()))),
    }
}
