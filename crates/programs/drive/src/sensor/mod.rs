//! Sensors: speed, pose and battery of the car.

pub mod hall;
pub mod hwmon;

use rccar_protocol::units::Odometry;

/// A sensor of one car. It returns its last measurement and never waits: the loop asks up to 200
/// times a second.
pub trait Sensor {
    /// Speed and pose, if this sensor knows them.
    fn odometry(&self) -> Option<Odometry> {
        None
    }

    /// Speed of a wheel in mm/s, without its direction, if this sensor measures it.
    fn speed_mm_s(&self) -> Option<u16> {
        None
    }

    /// Battery voltage in mV, if this sensor knows it.
    fn battery_mv(&self) -> Option<u16> {
        None
    }
}
