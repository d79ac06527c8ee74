//! Binary frames: a frame that is accepted is written back byte for byte, without the additions of
//! a later release.

macro_rules! frame_target {
    ($(#[$doc:meta])* $module:ident, $frame:path) => {
        $(#[$doc])*
        pub mod $module {
            use $frame as Frame;
            use rccar_protocol::Layout;

            /// Reads `data` as one frame.
            pub fn target(data: &[u8]) {
                let (Ok(frame), Some(layout)) = (Frame::decode(data), Layout::of(data)) else {
                    return;
                };
                let written = frame.encode(layout);
                let again = Frame::decode(&written);
                assert_eq!(again.as_ref(), Ok(&frame), "{written:?} reads differently");
                // A frame of a later layout may have held groups that this release skips.
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
