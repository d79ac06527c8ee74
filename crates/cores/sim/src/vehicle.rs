//! The car as a kinematic bicycle: two wheels in line that roll without slip.
//!
//! **The state is finite and within the limits of its [`VehicleParams`] after any sequence of
//! steps.**
//!
//! Conventions: x points east and y points north of the starting point. Angles are in radians and
//! count counter-clockwise, the heading from east. A positive [`Steering`] turns *right*, so the
//! heading falls while the car drives forward.
//!
//! ```
//! use rccar_protocol::units::{Steering, Throttle};
//! use rccar_sim::vehicle::{Motor, Vehicle, VehicleParams};
//! use std::time::Duration;
//!
//! let mut car = Vehicle::new(VehicleParams::default());
//! car.step(Steering::MAX, Motor::Drive(Throttle::MAX), Duration::from_millis(500));
//! assert!(car.pose().speed_m_s > 0.0 && car.pose().heading_rad < 0.0);
//! ```

use rccar_protocol::units::{CentiDegrees, Odometry, Steering, Throttle};
use std::f64::consts::{PI, TAU};
use std::time::Duration;

/// Longest time that one [`Vehicle::step`] simulates. A longer pause means that the process was
/// suspended, not that the car drove on.
pub const MAX_STEP: Duration = Duration::from_secs(1);

/// Integration step. At the default limits the heading changes by less than 2° in it, so the arc is
/// almost exact.
const SUBSTEP_S: f64 = 0.005;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Motor {
    /// The throttle is a share of the top speed, which the car approaches; zero lets it roll out.
    Drive(Throttle),
    /// Brakes until the car stands.
    Brake,
    /// No current: the car rolls out.
    #[default]
    Neutral,
}

/// Measures and limits of a vehicle.
///
/// The defaults describe a 1/10 car. Figures marked *F1TENTH* are those of the default vehicle of
/// `f1tenth_gym` (identified on a Traxxas chassis). The others are chosen for driving by camera,
/// within those limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VehicleParams {
    /// Distance of the axles. F1TENTH: 0.15875 + 0.17145.
    pub wheelbase_m: f64,
    /// Largest angle of the front wheels. F1TENTH: 24°.
    pub max_steer_rad: f64,
    /// Speed of the steering servo. F1TENTH.
    pub steer_rate_rad_s: f64,
    /// Speed at full throttle, forward and backward. F1TENTH allows 20 forward and 5 backward; a
    /// driver by camera can follow 6 (22 km/h).
    pub max_speed_m_s: f64,
    /// Acceleration. A stock brushed motor gives a third of what the tyres can hold.
    pub accel_m_s2: f64,
    /// Deceleration with the brake. F1TENTH's friction allows 10; a driven axle carries about 60 %
    /// of that.
    pub brake_m_s2: f64,
    /// Deceleration of a car that rolls out: gears, tyres and the drag of the motor.
    pub coast_m_s2: f64,
    /// Largest sideways acceleration; beyond it the car understeers. F1TENTH: friction 1.0489 ×
    /// 9.81.
    pub max_lateral_m_s2: f64,
}

impl Default for VehicleParams {
    fn default() -> Self {
        Self {
            wheelbase_m: 0.3302,
            max_steer_rad: 0.4189,
            steer_rate_rad_s: 3.2,
            max_speed_m_s: 6.0,
            accel_m_s2: 3.0,
            brake_m_s2: 6.0,
            coast_m_s2: 0.8,
            max_lateral_m_s2: 10.3,
        }
    }
}

impl VehicleParams {
    /// The nearest parameters that the model can work with. A value that is not finite becomes the
    /// default, one that is out of range is clamped.
    #[must_use]
    pub fn sane(self) -> Self {
        let default = Self::default();
        let limit = |value: f64, default: f64, min: f64, max: f64| {
            if value.is_finite() { value.clamp(min, max) } else { default }
        };
        Self {
            wheelbase_m: limit(self.wheelbase_m, default.wheelbase_m, 0.05, 5.0),
            max_steer_rad: limit(self.max_steer_rad, default.max_steer_rad, 0.0, 1.2),
            steer_rate_rad_s: limit(self.steer_rate_rad_s, default.steer_rate_rad_s, 0.1, 100.0),
            // `Odometry` holds ±32.767 m/s.
            max_speed_m_s: limit(self.max_speed_m_s, default.max_speed_m_s, 0.0, 32.0),
            accel_m_s2: limit(self.accel_m_s2, default.accel_m_s2, 0.01, 100.0),
            brake_m_s2: limit(self.brake_m_s2, default.brake_m_s2, 0.01, 100.0),
            coast_m_s2: limit(self.coast_m_s2, default.coast_m_s2, 0.01, 100.0),
            max_lateral_m_s2: limit(self.max_lateral_m_s2, default.max_lateral_m_s2, 0.01, 1_000.0),
        }
    }
}

/// Where the car is and how it moves. The point of reference is the middle of the rear axle.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pose {
    /// East of the starting point.
    pub x_m: f64,
    /// North of the starting point.
    pub y_m: f64,
    /// −π…π, counter-clockwise from east.
    pub heading_rad: f64,
    /// Negative when the car rolls backward.
    pub speed_m_s: f64,
    /// Angle of the front wheels: counter-clockwise like the heading, so positive is *left*.
    pub steer_rad: f64,
}

#[derive(Debug, Clone)]
pub struct Vehicle {
    params: VehicleParams,
    pose: Pose,
}

impl Vehicle {
    /// A car at rest at the origin, heading east. The parameters are made
    /// [sane](VehicleParams::sane).
    #[must_use]
    pub fn new(params: VehicleParams) -> Self {
        Self { params: params.sane(), pose: Pose::default() }
    }

    /// Lets time pass, at most [`MAX_STEP`], with these settings on servo and motor.
    pub fn step(&mut self, steering: Steering, motor: Motor, dt: Duration) {
        let mut left = dt.min(MAX_STEP).as_secs_f64();
        while left > 0.0 {
            let dt = left.min(SUBSTEP_S);
            self.substep(steering, motor, dt);
            left -= dt;
        }
    }

    #[must_use]
    pub fn pose(&self) -> Pose {
        self.pose
    }

    /// The pose as the odometry of a real car would report it.
    #[must_use]
    pub fn odometry(&self) -> Odometry {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "`as` saturates; the speed is limited to 32 m/s, the place to 2147 km"
        )]
        Odometry {
            speed_mm_s: (self.pose.speed_m_s * 1e3).round() as i16,
            x_mm: (self.pose.x_m * 1e3).round() as i32,
            y_mm: (self.pose.y_m * 1e3).round() as i32,
            heading: CentiDegrees::from_radians(self.pose.heading_rad),
        }
    }

    fn substep(&mut self, steering: Steering, motor: Motor, dt: f64) {
        let params = self.params;
        let pose = &mut self.pose;
        let wanted = -f64::from(steering.ratio()) * params.max_steer_rad;
        pose.steer_rad = toward(pose.steer_rad, wanted, params.steer_rate_rad_s * dt);

        let before = pose.speed_m_s;
        pose.speed_m_s = next_speed(before, motor, &params, dt);

        let speed = (before + pose.speed_m_s) / 2.0;
        // Sideways acceleration is speed times yaw rate, so the grip limits the yaw rate.
        let grip = params.max_lateral_m_s2 / speed.abs().max(1e-3);
        let yaw_rate = (speed * pose.steer_rad.tan() / params.wheelbase_m).clamp(-grip, grip);
        // The heading in the middle of the step stands for the whole step (midpoint method).
        let middle = pose.heading_rad + yaw_rate * dt / 2.0;
        pose.x_m += speed * middle.cos() * dt;
        pose.y_m += speed * middle.sin() * dt;
        pose.heading_rad = wrap(pose.heading_rad + yaw_rate * dt);
    }
}

fn next_speed(speed: f64, motor: Motor, params: &VehicleParams, dt: f64) -> f64 {
    let Motor::Drive(throttle) = motor else {
        let rate = if motor == Motor::Brake { params.brake_m_s2 } else { params.coast_m_s2 };
        return toward(speed, 0.0, rate * dt);
    };
    let wanted = f64::from(throttle.ratio()) * params.max_speed_m_s;
    if wanted * speed < 0.0 {
        // A speed controller that gets throttle against the motion brakes first.
        toward(speed, 0.0, params.brake_m_s2 * dt)
    } else if wanted.abs() < speed.abs() {
        toward(speed, wanted, params.coast_m_s2 * dt)
    } else {
        toward(speed, wanted, params.accel_m_s2 * dt)
    }
}

fn toward(from: f64, to: f64, most: f64) -> f64 {
    from + (to - from).clamp(-most, most)
}

fn wrap(angle: f64) -> f64 {
    if (-PI..=PI).contains(&angle) { angle } else { angle - (angle / TAU).round() * TAU }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TICK: Duration = Duration::from_millis(5);

    #[test]
    fn full_throttle_reaches_the_top_speed_in_a_straight_line_to_the_east() {
        let mut car = Vehicle::new(VehicleParams::default());
        run(&mut car, Steering::NEUTRAL, Motor::Drive(Throttle::MAX), 3_000);
        let pose = car.pose();
        assert!((pose.speed_m_s - 6.0).abs() < 1e-9);
        // 2 s at 3 m/s² cover 6 m, one more second at 6 m/s another 6 m.
        assert!((pose.x_m - 12.0).abs() < 0.01, "{pose:?}");
        assert_eq!((pose.y_m, pose.heading_rad), (0.0, 0.0));
        assert_eq!(car.odometry().speed_mm_s, 6_000);
    }

    #[test]
    fn positive_steering_turns_right_when_driving_forward_and_mirrors_backward() {
        for (throttle, sign) in [(3_000, -1.0), (-3_000, 1.0)] {
            let mut car = Vehicle::new(VehicleParams::default());
            let throttle = Throttle::from_permyriad(throttle).unwrap();
            run(&mut car, Steering::from_permyriad(4_000).unwrap(), Motor::Drive(throttle), 1_000);
            assert!(car.pose().heading_rad * sign > 0.1, "{:?}", car.pose());
            assert!(car.pose().steer_rad < 0.0);
            assert!(car.pose().y_m < 0.0, "either way the car ends to the right of its axis");
        }
    }

    #[test]
    fn a_circle_has_the_radius_of_the_bicycle_model() {
        let params = VehicleParams { max_speed_m_s: 1.0, ..VehicleParams::default() };
        let mut car = Vehicle::new(params);
        run(&mut car, Steering::MAX, Motor::Drive(Throttle::MAX), 1_000);
        let before = car.pose();
        run(&mut car, Steering::MAX, Motor::Drive(Throttle::MAX), 100);
        let turned = wrap(car.pose().heading_rad - before.heading_rad).abs();
        let radius = params.wheelbase_m / params.max_steer_rad.tan();
        assert!((0.1 / turned - radius).abs() < 1e-6, "{} instead of {radius}", 0.1 / turned);
    }

    #[test]
    fn throttle_against_the_motion_brakes_before_it_reverses() {
        let mut car = Vehicle::new(VehicleParams::default());
        run(&mut car, Steering::NEUTRAL, Motor::Drive(Throttle::MAX), 1_000);
        run(&mut car, Steering::NEUTRAL, Motor::Drive(Throttle::MIN), 500);
        assert!(car.pose().speed_m_s.abs() < 1e-9, "3 m/s are gone after 0.5 s at 6 m/s²");
        run(&mut car, Steering::NEUTRAL, Motor::Drive(Throttle::MIN), 500);
        assert!(car.pose().speed_m_s < -1.0);
    }

    #[test]
    fn senseless_parameters_are_made_sane() {
        let car = Vehicle::new(VehicleParams {
            wheelbase_m: 0.0,
            max_speed_m_s: f64::NAN,
            ..VehicleParams::default()
        });
        assert_eq!((car.params.wheelbase_m, car.params.max_speed_m_s), (0.05, 6.0));
    }

    proptest! {
        #[test]
        fn any_drive_stays_finite_and_within_the_limits(
            raw in prop::array::uniform8(any::<f64>()),
            steps in prop::collection::vec((steering(), motor(), 0u64..2_000_000), 1..60),
        ) {
            let [
                wheelbase_m, max_steer_rad, steer_rate_rad_s, max_speed_m_s,
                accel_m_s2, brake_m_s2, coast_m_s2, max_lateral_m_s2,
            ] = raw;
            let mut car = Vehicle::new(VehicleParams {
                wheelbase_m, max_steer_rad, steer_rate_rad_s, max_speed_m_s,
                accel_m_s2, brake_m_s2, coast_m_s2, max_lateral_m_s2,
            });
            for (steering, motor, micros) in steps {
                let before = car.pose();
                car.step(steering, motor, Duration::from_micros(micros));
                let pose = car.pose();
                let Pose { x_m, y_m, heading_rad, speed_m_s, steer_rad } = pose;
                let all = [x_m, y_m, heading_rad, speed_m_s, steer_rad];
                prop_assert!(all.iter().all(|value| value.is_finite()), "{pose:?}");
                prop_assert!(pose.speed_m_s.abs() <= car.params.max_speed_m_s + 1e-9);
                prop_assert!(pose.steer_rad.abs() <= car.params.max_steer_rad + 1e-9);
                prop_assert!(pose.heading_rad.abs() <= PI + 1e-9);
                let reach = car.params.max_speed_m_s * MAX_STEP.as_secs_f64() + 1e-6;
                prop_assert!((pose.x_m - before.x_m).hypot(pose.y_m - before.y_m) <= reach);
            }
        }

        #[test]
        fn the_brake_stops_within_speed_over_deceleration(
            steering in steering(),
            throttle in -10_000i16..=10_000,
            millis in 0u64..4_000,
        ) {
            let params = VehicleParams::default();
            let mut car = Vehicle::new(params);
            let motor = Motor::Drive(Throttle::from_permyriad(throttle).unwrap());
            run(&mut car, steering, motor, millis);
            let speed = car.pose().speed_m_s;
            let needed = Duration::from_secs_f64(speed.abs() / params.brake_m_s2) + TICK;
            let start = car.pose();
            run(&mut car, steering, Motor::Brake, u64::try_from(needed.as_millis()).unwrap() + 1);
            let end = car.pose();
            prop_assert_eq!(end.speed_m_s, 0.0);
            let distance = (end.x_m - start.x_m).hypot(end.y_m - start.y_m);
            prop_assert!(distance <= speed * speed / (2.0 * params.brake_m_s2) + 1e-3);
            run(&mut car, steering, Motor::Brake, 100);
            prop_assert_eq!((car.pose().x_m, car.pose().y_m), (end.x_m, end.y_m));
        }

        #[test]
        fn the_way_does_not_depend_on_how_time_is_cut(
            steering in steering(),
            throttle in -10_000i16..=10_000,
        ) {
            let motor = Motor::Drive(Throttle::from_permyriad(throttle).unwrap());
            let mut fine = Vehicle::new(VehicleParams::default());
            let mut coarse = fine.clone();
            run(&mut fine, steering, motor, 500);
            coarse.step(steering, motor, Duration::from_millis(500));
            let (fine, coarse) = (fine.pose(), coarse.pose());
            prop_assert!((fine.x_m - coarse.x_m).hypot(fine.y_m - coarse.y_m) < 1e-3);
        }
    }

    fn run(car: &mut Vehicle, steering: Steering, motor: Motor, millis: u64) {
        for _ in 0..millis / 5 {
            car.step(steering, motor, TICK);
        }
        car.step(steering, motor, Duration::from_millis(millis % 5));
    }

    fn steering() -> impl Strategy<Value = Steering> {
        (-10_000i16..=10_000).prop_map(|value| Steering::from_permyriad(value).unwrap())
    }

    fn motor() -> impl Strategy<Value = Motor> {
        prop_oneof![
            (-10_000i16..=10_000)
                .prop_map(|value| Motor::Drive(Throttle::from_permyriad(value).unwrap())),
            Just(Motor::Brake),
            Just(Motor::Neutral),
        ]
    }
}
