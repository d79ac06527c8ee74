//! The loop's part in calibrating: messages, and set-points of others meanwhile.

use super::Shell;
use crate::actuator::ActuatorError;
use crate::calibration::Car;
use rccar_protocol::Layout;
use rccar_protocol::calibration::ToDrive;
use rccar_protocol::setpoint::SetPoint;
use rccar_protocol::signaling::{Json, parse};
use rccar_protocol::state::StopReason;
use rccar_protocol::status::DriveStatus;
use rccar_protocol::units::MonotonicMicros;
use std::io;
use std::os::unix::net::SocketAddr;

impl Shell {
    /// A calibration that nobody can read may have been a limit.
    pub(super) fn check_calibration(&self) -> Result<(), ActuatorError> {
        let what = "the calibration has a mistake";
        let mistake = self.calibrator.mistake().map(io::Error::other);
        mistake.map_or(Ok(()), |why| Err(ActuatorError { what, why }))
    }

    pub(super) fn watch_calibration(&mut self, now: MonotonicMicros) {
        if let Some((to, answer)) = self.calibrator.handle_timeout(now, &mut self.machine) {
            self.socket.send(answer.to_json().as_bytes(), &to);
        }
    }

    /// Carries out a message of `rccar-car`, and answers it.
    pub(super) fn handle_message(
        &mut self,
        now: MonotonicMicros,
        datagram: &[u8],
        sender: &SocketAddr,
    ) {
        let text = std::str::from_utf8(datagram).unwrap_or_default();
        match parse(text) {
            Ok(ToDrive::Calibrate { session, request }) => {
                let actuator = &mut *self.actuator;
                let mut car = Car { machine: &mut self.machine, actuator };
                let answer =
                    self.calibrator.handle_request(now, sender, session, &request, &mut car);
                if let Some(answer) = answer {
                    self.socket.send(answer.to_json().as_bytes(), sender);
                }
            }
            Err(error) => self.refuse(error.to_string()),
        }
    }

    pub(super) fn handle_set_point(
        &mut self,
        now: MonotonicMicros,
        set_point: &SetPoint,
        sender: SocketAddr,
        layout: Layout,
    ) {
        if self.calibrator.admits(now, &sender, set_point.session) {
            self.machine.handle_input(now, set_point);
            self.reporter.heard(now, sender, layout);
        } else {
            let reason = StopReason::Calibrating;
            let status = DriveStatus { reason, ..self.status(now) };
            self.socket.send(&status.encode(layout), &sender);
        }
    }
}
