//! JSON on the reliable data channel `events`.

use crate::signaling::ErrorCode;
use crate::state::{DriveState, StopReason};
use crate::strict;
use crate::text::{CarId, Name, Note, Software};
use serde::{Deserialize, Serialize};

/// From the car to the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum CarEvent {
    /// First message of the car.
    Hello {
        /// Protocol version.
        v: u8,
        /// The car.
        car: CarId,
        /// Its name.
        name: Name,
        /// Its program.
        software: Software,
        /// The picture that it sends.
        #[serde(deserialize_with = "strict::object")]
        video: Video,
    },
    /// The drive changed its state.
    Drive {
        /// New state.
        #[serde(deserialize_with = "strict::word")]
        state: DriveState,
        /// Why the wheels do not follow.
        #[serde(deserialize_with = "strict::word")]
        reason: StopReason,
    },
    /// Something the driver should read.
    Notice {
        /// Weight of the text.
        #[serde(deserialize_with = "strict::word")]
        level: NoticeLevel,
        /// The text.
        text: Note,
    },
    /// A message of the driver's was refused.
    Error {
        /// Why.
        #[serde(deserialize_with = "strict::word")]
        code: ErrorCode,
        /// In words.
        text: Note,
    },
}

/// From the driver to the car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum DriverEvent {
    /// First message of the driver.
    Hello {
        /// Protocol version.
        v: u8,
        /// Program of the driver.
        software: Software,
    },
}

/// Size and rate of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Width in pixels, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub width: u16,
    /// Height in pixels, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub height: u16,
    /// Frames per second, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub fps: u8,
}

/// Weight of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeLevel {
    /// For information.
    Info,
    /// Something works less well than it should.
    Warning,
    /// Something does not work.
    Error,
}
