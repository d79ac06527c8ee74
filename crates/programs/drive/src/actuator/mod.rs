//! The hardware that moves the car: one trait, one file for each kind.

mod emergency;
mod pca9685;
mod pulsed;
mod pwm;
mod reopening;
mod simulator;

use crate::config::{ActuatorKind, Config};
use crate::sensor::Sensor;
pub(crate) use emergency::Emergency;
use rccar_drive_core::Output;
use rccar_drive_core::esc::EscSettings;
use rccar_protocol::units::MonotonicMicros;
use reopening::Reopening;
pub use simulator::{SimulatedOdometer, Simulator};

/// The actuators of one car.
pub trait Actuator {
    /// Puts `output` on servo and motor, where it stays until the next call. The loop calls this at
    /// 200 Hz while the car moves.
    ///
    /// It must return well within a tick of 5 ms.
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError>;

    /// The loop stood still, and the guard may have written neutral meanwhile: what this value
    /// remembers of the hardware counts no longer.
    fn handle_interruption(&mut self, _now: MonotonicMicros) {}

    /// Another speed controller, or the other direction, while the motor is at neutral.
    fn set_esc(&mut self, _now: MonotonicMicros, _esc: EscSettings) {}

    /// The program ends, with neutral applied: waits until the hardware has taken it.
    fn end(&mut self) {}
}

/// Actuators and sensors of one car.
pub struct Hardware {
    pub actuator: Box<dyn Actuator>,
    /// Best first: a value comes from the first sensor that knows it.
    pub sensors: Vec<Box<dyn Sensor>>,
}

/// An actuator does not obey.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct ActuatorError {
    /// What failed, as in "cannot write to the servo".
    pub what: &'static str,
    pub why: std::io::Error,
}

/// There is nothing to move, and so nothing to arm.
struct NotConfigured;

impl Actuator for NotConfigured {
    fn apply(&mut self, _: MonotonicMicros, _: Output) -> Result<(), ActuatorError> {
        Err(ActuatorError {
            what: "servo and motor are not configured",
            why: std::io::Error::other("look for [drive] in provision-report.txt"),
        })
    }
}

/// Opens the actuators that the configuration names, and the sensors that belong to them. Nothing
/// moves yet. Hardware that is not there is a fault that ends when it comes, and no error here.
pub fn open(config: &Config) -> Result<Hardware, ActuatorError> {
    match config.actuator {
        ActuatorKind::Simulator => {
            let (simulator, odometer) = Simulator::new(config.vehicle());
            Ok(Hardware { actuator: Box::new(simulator), sensors: vec![Box::new(odometer)] })
        }
        ActuatorKind::None => {
            Ok(Hardware { actuator: Box::new(NotConfigured), sensors: Vec::new() })
        }
        ActuatorKind::Pca9685 => Ok(reopened(config, pca9685::open)),
        ActuatorKind::Pwm => Ok(reopened(config, pwm::open)),
    }
}

type Open = fn(MonotonicMicros, &Config, EscSettings) -> Result<Box<dyn Actuator>, ActuatorError>;

fn reopened(config: &Config, open: Open) -> Hardware {
    let config = config.clone();
    let esc = config.esc();
    let mut emergency = Emergency::new(&config);
    let open = move |now, esc| open(now, &config, esc);
    let actuator = Reopening::new(esc, open, move || emergency.neutral());
    Hardware { actuator: Box::new(actuator), sensors: Vec::new() }
}
