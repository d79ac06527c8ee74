//! Binary frames: what is accepted is written back byte for byte, but for what a later release has
//! added.

macro_rules! frame_target {
    ($(#[$doc:meta])* $module:ident, $frame:path) => {
        $(#[$doc])*
        pub mod $module {
            use $frame as Frame;
            use rccar_protocol::Layout;

            /// Reads `data` as one frame.
            pub fn target(data: &[u8]) {
                let (Ok(frame), Some(layout)) = (Frame::decode(data), Layout::of(data)) else { return };
                let written = frame.encode(layout);
                assert_eq!(Frame::decode(&written).as_ref(), Ok(&frame), "{written:?} reads differently");
                if layout == Layout::V1 {
                    assert_eq!(&written[..], data, "{frame:?} is written differently");
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
    /// Set-points, from `rccar-car`.
    setpoint,
    rccar_protocol::setpoint::SetPoint
);
frame_target!(
    /// The drive's status, from the drive.
    status,
    rccar_protocol::status::DriveStatus
);

/// The hello of car and drive.
pub mod drive_hello {
    use rccar_protocol::drive_hello::DriveHello;

    /// Reads `data` as one hello.
    pub fn target(data: &[u8]) {
        if DriveHello::is_one(data)
            && let Ok(hello) = DriveHello::decode(data)
        {
            assert_eq!(DriveHello::decode(&hello.encode()), Ok(hello));
        }
    }
}
