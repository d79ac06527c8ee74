//! A simulated car.

use super::{Actuator, ActuatorError};
use crate::sensor::Sensor;
use rccar_drive_core::{Motor, Output};
use rccar_protocol::units::{MonotonicMicros, Odometry};
use rccar_sim::vehicle::{self, Vehicle, VehicleParams};
use std::cell::Cell;
use std::rc::Rc;

/// The kinematic model of `rccar-sim`, driven in real time.
#[derive(Debug)]
pub struct Simulator {
    vehicle: Vehicle,
    odometry: Rc<Cell<Odometry>>,
    /// The last output, and when it came.
    applied: Option<(MonotonicMicros, Output)>,
}

/// Speed and pose of a [`Simulator`] at its last [`apply`](Actuator::apply).
#[derive(Debug)]
pub struct SimulatedOdometer {
    odometry: Rc<Cell<Odometry>>,
}

impl Simulator {
    /// A car at rest, and the sensor that measures it.
    #[must_use]
    pub fn new(params: VehicleParams) -> (Self, SimulatedOdometer) {
        let vehicle = Vehicle::new(params);
        let odometry = Rc::new(Cell::new(vehicle.odometry()));
        let odometer = SimulatedOdometer { odometry: Rc::clone(&odometry) };
        (Self { vehicle, odometry, applied: None }, odometer)
    }
}

impl Actuator for Simulator {
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
        // The car has followed the output of the call before until now.
        if let Some((since, before)) = self.applied {
            self.vehicle.step(before.steering, motor(before.motor), now.since(since));
            self.odometry.set(self.vehicle.odometry());
        }
        self.applied = Some((now, output));
        Ok(())
    }
}

impl Sensor for SimulatedOdometer {
    fn odometry(&self) -> Option<Odometry> {
        Some(self.odometry.get())
    }
}

fn motor(motor: Motor) -> vehicle::Motor {
    match motor {
        Motor::Drive(throttle) => vehicle::Motor::Drive(throttle),
        Motor::Brake => vehicle::Motor::Brake,
        Motor::Neutral => vehicle::Motor::Neutral,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::units::{Steering, Throttle};

    #[test]
    fn an_output_acts_from_when_it_was_applied() {
        let (mut simulator, odometer) = Simulator::new(VehicleParams::default());
        let full = Output { steering: Steering::NEUTRAL, motor: Motor::Drive(Throttle::MAX) };
        simulator.apply(MonotonicMicros(1_000_000), full).unwrap();
        assert_eq!(odometer.odometry().unwrap().speed_mm_s, 0);
        simulator.apply(MonotonicMicros(1_500_000), Output::default()).unwrap();
        assert_eq!(odometer.odometry().unwrap().speed_mm_s, 1_500);
        assert_eq!(odometer.battery_mv(), None);
    }
}
