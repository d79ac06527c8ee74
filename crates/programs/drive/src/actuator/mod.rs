//! What moves the car: one trait, one file for each kind of hardware.

mod simulator;

use crate::config::{ActuatorKind, Config};
use crate::sensor::Sensor;
use rccar_drive_core::Output;
use rccar_protocol::units::MonotonicMicros;
pub use simulator::{SimulatedOdometer, Simulator};

/// The actuators of one car.
pub trait Actuator {
    /// Puts `output` on servo and motor, where it stays until the next call. Called at 200 Hz while
    /// the car moves.
    ///
    /// Must return well within a tick of 5 ms.
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError>;
}

/// What moves a car, and what it knows of itself.
pub struct Hardware {
    /// Servo and motor.
    pub actuator: Box<dyn Actuator>,
    /// The first that knows a value is asked for it.
    pub sensors: Vec<Box<dyn Sensor>>,
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

/// Opens the actuators that the configuration names, and the sensors that belong to them. The
/// actuators are where they were: nothing moves yet.
pub fn open(config: &Config) -> Result<Hardware, ActuatorError> {
    match config.actuator {
        ActuatorKind::Simulator => {
            let (simulator, odometer) = Simulator::new(config.vehicle());
            Ok(Hardware { actuator: Box::new(simulator), sensors: vec![Box::new(odometer)] })
        }
    }
}
