//! Binary frames: what is accepted is written back byte for byte.

macro_rules! frame_target {
    ($(#[$doc:meta])* $module:ident, $frame:path) => {
        $(#[$doc])*
        pub mod $module {
            use $frame as Frame;

            /// Reads `data` as one frame.
            pub fn target(data: &[u8]) {
                if let Ok(frame) = Frame::decode(data) {
                    assert_eq!(&frame.encode()[..], data, "{frame:?} is written differently");
                }
            }
        }
    };
}

frame_target!(
    /// Control frames, from the browser.
    control,
    rccar_protocol::control::ControlFrame
);
frame_target!(
    /// Telemetry frames, from the car.
    telemetry,
    rccar_protocol::telemetry::TelemetryFrame
);
frame_target!(
    /// Set-points, from the car's agent.
    setpoint,
    rccar_protocol::setpoint::SetPoint
);
frame_target!(
    /// The drive's status, from the drive.
    status,
    rccar_protocol::status::DriveStatus
);
