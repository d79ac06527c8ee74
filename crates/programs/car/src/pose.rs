//! The place of the simulated car at the moment when the simulated camera takes a frame.

use crate::drive::DriveLink;
use rccar_protocol::status::DriveStatus;
use rccar_protocol::units::MonotonicMicros;
use rccar_sim::vehicle::{Pose, VehicleParams};
use std::time::Duration;

/// Longest time that a pose is carried on from the last status. The drive sends 20 to 50 of them a
/// second.
const CARRY_ON: Duration = Duration::from_millis(100);

/// The pose at a time, carried on from the drive's newest status.
pub(crate) fn at(drive: &DriveLink, now: MonotonicMicros) -> Pose {
    let Some((status, _)) = drive.last_status() else { return Pose::default() };
    carried_on(&status, now)
}

fn carried_on(status: &DriveStatus, now: MonotonicMicros) -> Pose {
    let params = VehicleParams::default();
    let odometry = status.odometry.unwrap_or_default();
    let seconds = now.since(status.at).min(CARRY_ON).as_secs_f64();
    let speed = f64::from(odometry.speed_mm_s) / 1000.0;
    // Positive steering turns right, and headings count counter-clockwise.
    let steer = -f64::from(status.steering.ratio()) * params.max_steer_rad;
    let turned = speed * steer.tan() / params.wheelbase_m * seconds;
    let heading = odometry.heading.radians() + turned;
    // The chord of an arc points halfway between the headings at its two ends.
    let chord = odometry.heading.radians() + turned / 2.0;
    Pose {
        x_m: f64::from(odometry.x_mm) / 1000.0 + speed * chord.cos() * seconds,
        y_m: f64::from(odometry.y_mm) / 1000.0 + speed * chord.sin() * seconds,
        heading_rad: heading,
        speed_m_s: speed,
        steer_rad: steer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rccar_protocol::units::{CentiDegrees, Odometry, Steering};

    #[test]
    fn a_pose_is_carried_on_along_its_heading_for_a_while_only() {
        let odometry = Odometry {
            speed_mm_s: 2_000,
            x_mm: 1_000,
            y_mm: 0,
            heading: CentiDegrees::new(9_000).unwrap(),
        };
        let status = DriveStatus {
            at: MonotonicMicros(0),
            odometry: Some(odometry),
            ..DriveStatus::default()
        };
        let pose = carried_on(&status, MonotonicMicros(50_000));
        assert!((pose.x_m - 1.0).abs() < 1e-6 && (pose.y_m - 0.1).abs() < 1e-6, "{pose:?}");
        let pose = carried_on(&status, MonotonicMicros(5_000_000));
        assert!((pose.y_m - 0.2).abs() < 1e-6, "{pose:?}");
    }

    #[test]
    fn steering_right_turns_clockwise() {
        let odometry = Odometry { speed_mm_s: 2_000, ..Odometry::default() };
        let status = DriveStatus {
            odometry: Some(odometry),
            steering: Steering::MAX,
            ..DriveStatus::default()
        };
        assert!(carried_on(&status, MonotonicMicros(50_000)).heading_rad < 0.0);
    }
}
