//! A simulated car.

use super::{Actuator, ActuatorError};
use rccar_drive_core::{Motor, Output};
use rccar_protocol::units::{MonotonicMicros, Odometry};
use rccar_sim::vehicle::{self, Vehicle, VehicleParams};

/// The kinematic model of `rccar-sim`, driven in real time.
#[derive(Debug)]
pub struct Simulator {
    vehicle: Vehicle,
    /// What it got last, and when.
    applied: Option<(MonotonicMicros, Output)>,
}

impl Simulator {
    /// A car at rest.
    #[must_use]
    pub fn new(params: VehicleParams) -> Self {
        Self { vehicle: Vehicle::new(params), applied: None }
    }
}

impl Actuator for Simulator {
    fn apply(&mut self, now: MonotonicMicros, output: Output) -> Result<(), ActuatorError> {
        if let Some((since, before)) = self.applied {
            self.vehicle.step(before.steering, motor(before.motor), now.since(since));
        }
        self.applied = Some((now, output));
        Ok(())
    }

    fn odometry(&self) -> Option<Odometry> {
        Some(self.vehicle.odometry())
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
        let mut simulator = Simulator::new(VehicleParams::default());
        let full = Output { steering: Steering::NEUTRAL, motor: Motor::Drive(Throttle::MAX) };
        simulator.apply(MonotonicMicros(1_000_000), full).unwrap();
        assert_eq!(simulator.odometry().unwrap().speed_mm_s, 0);
        simulator.apply(MonotonicMicros(1_500_000), Output::default()).unwrap();
        assert_eq!(simulator.odometry().unwrap().speed_mm_s, 1_500);
    }
}
