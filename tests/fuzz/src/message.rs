//! JSON messages. One that is accepted is written as a message that reads the same. One that is
//! refused has an error code that a parser may give.

use rccar_protocol::MAX_MESSAGE_BYTES;
use rccar_protocol::signaling::{ErrorCode, Json, parse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

macro_rules! message_target {
    ($(#[$doc:meta])* $module:ident, $message:path) => {
        $(#[$doc])*
        pub mod $module {
            /// Reads `data` as one message.
            pub fn target(data: &[u8]) {
                super::check::<$message>(data);
            }
        }
    };
}

message_target!(
    /// Signaling from a driver's page.
    from_driver,
    rccar_protocol::signaling::FromDriver
);
message_target!(
    /// Signaling from the host to a driver's page.
    to_driver,
    rccar_protocol::signaling::ToDriver
);
message_target!(
    /// Signaling from a car.
    from_car,
    rccar_protocol::signaling::FromCar
);
message_target!(
    /// Signaling from the host to a car.
    to_car,
    rccar_protocol::signaling::ToCar
);
message_target!(
    /// Events from the car.
    car_event,
    rccar_protocol::events::CarEvent
);
message_target!(
    /// Events from the driver's page.
    driver_event,
    rccar_protocol::events::DriverEvent
);

message_target!(
    /// Messages from `rccar-car` to `rccar-drive`.
    to_drive,
    rccar_protocol::calibration::ToDrive
);
message_target!(
    /// Messages from `rccar-drive` to `rccar-car`.
    from_drive,
    rccar_protocol::calibration::FromDrive
);

/// Offer of a release.
pub mod release_offer {
    use super::{ErrorCode, Json};
    use rccar_protocol::release::ReleaseOffer;

    /// Reads `data` as the body of the host's answer.
    pub fn target(data: &[u8]) {
        let Ok(text) = std::str::from_utf8(data) else { return };
        match ReleaseOffer::parse(text) {
            Ok(offer) => {
                let written = offer.to_json();
                assert_eq!(ReleaseOffer::parse(&written).as_ref(), Ok(&offer), "{written}");
                // Appended to the host's address, the path must stay on that host.
                let path = offer.url.as_str();
                assert!(
                    path.starts_with('/')
                        && !path.starts_with("//")
                        && !path.contains(['?', '#', '\\']),
                    "{path}"
                );
            }
            Err(error) => {
                assert!(matches!(error.code, ErrorCode::TooLarge | ErrorCode::Malformed), "{error}")
            }
        }
    }
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: &[u8]) {
    // Texts of WebSockets and data channels are UTF-8: the libraries refuse all else.
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse::<T>(text) {
        Ok(message) => {
            assert!(text.len() <= MAX_MESSAGE_BYTES, "accepted {} bytes", text.len());
            let written = message.to_json();
            assert_eq!(parse(&written).as_ref(), Ok(&message), "{written}");
        }
        Err(error) => {
            let too_large = text.len() > MAX_MESSAGE_BYTES;
            match error.code {
                ErrorCode::TooLarge => assert!(too_large, "{error}"),
                ErrorCode::Malformed | ErrorCode::UnknownType => assert!(!too_large, "{error}"),
                other => assert!(
                    matches!(other, ErrorCode::Malformed),
                    "parsing cannot find {other:?}: {error}"
                ),
            }
        }
    }
}
