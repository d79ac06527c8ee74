//! JSON on the reliable data channel `events`.

use crate::calibration::{CalibrationRequest, CalibrationState};
use crate::frame::Layout;
use crate::release::Percent;
use crate::signaling::ErrorCode;
use crate::state::{DriveState, StopReason};
use crate::strict;
use crate::text::{CarId, Name, Note, Software};
use crate::word::words;
use serde::{Deserialize, Serialize};

/// From the car to the driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum CarEvent {
    /// First message of the car.
    Hello {
        /// Protocol version.
        v: u8,
        car: CarId,
        name: Name,
        software: Software,
        /// The picture that the car sends.
        #[serde(deserialize_with = "strict::object")]
        video: Video,
        /// Versions of the binary frames that the car speaks; `None` means version 1 alone.
        #[serde(
            default,
            deserialize_with = "strict::maybe_object",
            skip_serializing_if = "Option::is_none"
        )]
        frames: Option<Frames>,
    },
    /// The drive changed its state.
    Drive {
        state: DriveState,
        /// Why the wheels do not follow the driver.
        reason: StopReason,
    },
    /// How the car is connected.
    Link {
        host: HostLink,
        /// The uplink in use; `None` if there is none, or the car does not watch its uplinks.
        #[serde(skip_serializing_if = "Option::is_none")]
        uplink: Option<UplinkKind>,
        /// Name of its interface, such as `wlan0`.
        #[serde(skip_serializing_if = "Option::is_none")]
        interface: Option<Note>,
        /// How many other uplinks the car could use.
        standby: u8,
        /// `None` if the car has no supervisor for a modem.
        #[serde(
            default,
            deserialize_with = "strict::maybe_object",
            skip_serializing_if = "Option::is_none"
        )]
        modem: Option<ModemLink>,
    },
    /// Something the driver should read.
    Notice { level: NoticeLevel, text: Note },
    /// How the car is calibrated. Sent once to a page that understands it, if the car can be
    /// calibrated, and in answer to each [`DriverEvent::Calibrate`].
    Calibration(CalibrationState),
    /// The car refused a message of the driver.
    Error {
        code: ErrorCode,
        /// The same for people.
        text: Note,
    },
}

words! {
    /// The car's connection to its signaling host.
    HostLink {
        /// Registered.
        Up = "up",
        /// Not registered; the car tries again.
        Down = "down",
        /// The car has no host.
        None = "none",
    }
}

words! {
    UplinkKind {
        Ethernet = "ethernet",
        Wifi = "wifi",
        Mobile = "mobile",
        /// Tunnels and the like.
        Miscellaneous = "other",
    }
}

/// The modem, as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModemLink {
    pub state: ModemState,
    /// The rung of the ladder that the supervisor tries or will try next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rung: Option<ModemRung>,
    /// Name of the mobile network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<Note>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<Percent>,
    /// What a person has to mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Note>,
}

words! {
    /// What the supervisor of the modem does.
    ModemState {
        /// The link carries data.
        Up = "up",
        /// The supervisor tries a rung of the ladder.
        Acting = "acting",
        /// The link is down, and the next rung is not due yet.
        Waiting = "waiting",
    }
}

words! {
    /// Rungs of the ladder that brings a mobile link back, gentlest first.
    ModemRung {
        Reconnect = "reconnect",
        /// Disconnect, then connect.
        CycleBearer = "cycle-bearer",
        /// Switch the radio off and on.
        CycleRadio = "cycle-radio",
        /// Restart the modem; if it cannot be restarted, make ModemManager take it up again.
        Reset = "reset",
        /// Restart ModemManager.
        RestartDaemon = "restart-daemon",
        /// Take the modem off the USB and back, with its power where that can be switched.
        CycleUsb = "cycle-usb",
        Reboot = "reboot",
    }
}

/// From the driver to the car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum DriverEvent {
    /// First message of the driver.
    Hello {
        /// Protocol version.
        v: u8,
        software: Software,
        /// Versions of the binary frames that the page speaks; `None` means version 1 alone.
        #[serde(
            default,
            deserialize_with = "strict::maybe_object",
            skip_serializing_if = "Option::is_none"
        )]
        frames: Option<Frames>,
        /// Versions of the [calibration](crate::calibration) that the page speaks; empty: none.
        #[serde(
            default,
            deserialize_with = "strict::maybe_list",
            skip_serializing_if = "Vec::is_empty"
        )]
        calibration: Vec<u8>,
    },
    /// Asks for something about the car's calibration.
    Calibrate(CalibrationRequest),
}

/// Versions of the binary frames that an end reads and writes. An empty list means version 1 alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frames {
    #[serde(
        default,
        deserialize_with = "strict::maybe_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub control: Vec<u8>,
    #[serde(
        default,
        deserialize_with = "strict::maybe_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub telemetry: Vec<u8>,
}

impl Frames {
    /// All versions that this release speaks, for both frames.
    #[must_use]
    pub fn ours() -> Self {
        Self { control: Layout::versions(), telemetry: Layout::versions() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// In pixels, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub width: u16,
    /// In pixels, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub height: u16,
    /// Frames per second, from 1.
    #[serde(deserialize_with = "strict::positive")]
    pub fps: u8,
}

words! {
    NoticeLevel {
        Info = "info",
        /// Something works less well than it should.
        Warning = "warning",
        /// Something does not work.
        Error = "error",
    }
}
